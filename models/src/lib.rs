//! Pretrained language models on Burn: weights, tokenizers, forward passes.
