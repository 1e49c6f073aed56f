"""llama.cpp through llama-cpp-python on the same GGUF, one text at a time or several sequences in a batch.

Nothing is reused between texts. Batches are filled with texts sorted by length up to `BATCH_TOKENS`; the
log-softmax is numpy's, in f32, over the logits that llama.cpp hands out.
"""

import ctypes

import llama_cpp as lib
import numpy as np

from . import BOS, EOS

BATCH_TOKENS = 512
SEQUENCES = 64
ERROR = 4  # GGML_LOG_LEVEL_ERROR


class LlamaEngine:
    def __init__(self, model, batched, threads, device):
        lib.llama_backend_init()
        self.log = lib.llama_log_callback(keep_errors)  # a callback lives as long as its reference
        lib.llama_log_set(self.log, ctypes.c_void_p(0))
        params = lib.llama_model_default_params()
        params.n_gpu_layers = 999 if device == "cuda" else 0
        if device == "cuda" and not lib.llama_supports_gpu_offload():
            raise RuntimeError("llama-cpp-python was built without CUDA; run again with --device cuda")
        self.model = lib.llama_model_load_from_file(str(model).encode(), params)
        if not self.model:
            raise RuntimeError(f"llama.cpp can't load {model}")
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.size = lib.llama_vocab_n_tokens(self.vocab)
        self.sequences = SEQUENCES if batched else 1
        self.context = lib.llama_init_from_model(self.model, self.context_params(threads))
        if not self.context:
            raise RuntimeError("llama.cpp can't make a context")
        self.tokens = lib.llama_batch_init(BATCH_TOKENS, 0, 1)
        self.batch, self.padding = 32, 1.0

    def context_params(self, threads):
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_seq_max = self.sequences
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads
        return params

    def encode(self, text):
        data = text.encode()
        room = (lib.llama_token * (len(data) + 8))()
        count = lib.llama_tokenize(self.vocab, data, len(data), room, len(room), False, False)
        if not 0 <= count < BATCH_TOKENS:
            raise RuntimeError(f"{count} tokens in a text; {BATCH_TOKENS - 1} are the most: {text[:40]!r}")
        return list(room[:count])

    def score(self, texts):
        """For each text its ids, EOS included, and their log-probabilities."""
        encoded = [self.encode(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
        results, group, total = [None] * len(texts), [], 0
        for index in [*order, None]:
            length = 0 if index is None else 1 + len(encoded[index])
            if group and (index is None or len(group) == self.sequences or total + length > BATCH_TOKENS):
                for done, log_probs in zip(group, self.forward([encoded[at] for at in group])):
                    results[done] = (encoded[done] + [EOS], log_probs)
                group, total = [], 0
            group.append(index)
            total += length
        return results

    def forward(self, sequences):
        lib.llama_memory_clear(lib.llama_get_memory(self.context), False)
        batch, at = self.tokens, 0
        for sequence, ids in enumerate(sequences):
            for position, token in enumerate([BOS, *ids]):
                batch.token[at], batch.pos[at], batch.logits[at] = token, position, 1
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, sequence
                at += 1
        batch.n_tokens = at
        status = lib.llama_decode(self.context, batch)
        if status != 0:
            raise RuntimeError(f"llama_decode says {status}")
        logits = np.ctypeslib.as_array(lib.llama_get_logits(self.context), shape=(at, self.size))
        targets = [target for ids in sequences for target in [*ids, EOS]]
        log_probs = log_softmax_at(logits, targets)
        ends = np.cumsum([1 + len(ids) for ids in sequences])
        return [part.tolist() for part in np.split(log_probs, ends[:-1])]


def log_softmax_at(logits, targets):
    """Log-probability of one target a row, a few rows at a time so that the temporaries stay in the cache."""
    log_probs = np.empty(len(targets), np.float32)
    for start in range(0, len(targets), 8):
        rows = logits[start : start + 8]  # [8, vocabulary]
        top = rows.max(axis=1)
        total = np.log(np.exp(rows - top[:, None]).sum(axis=1))
        chosen = rows[np.arange(len(rows)), targets[start : start + 8]]
        log_probs[start : start + 8] = chosen - top - total
    return log_probs


def keep_errors(level, text, _):
    """Errors alone; progress goes nowhere."""
    if level == ERROR:
        print(text.decode(errors="replace"), end="", flush=True)
