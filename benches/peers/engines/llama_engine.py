"""llama.cpp through llama-cpp-python on the same GGUF, one text at a time or several sequences in a batch.

Nothing is reused between texts. Batches are filled with texts sorted by length up to `BATCH_TOKENS`; the
log-softmax is numpy's, in f32, over the logits that llama.cpp hands out.
"""

import ctypes

import llama_cpp as lib
import numpy as np

from . import BOS, EOS
from .texts import flat

BATCH_TOKENS = 512
SEQUENCES = 64
ERROR = 4  # GGML_LOG_LEVEL_ERROR


class LlamaEngine:
    def __init__(self, model, sequences, threads, device):
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
        self.sequences = sequences
        self.context = lib.llama_init_from_model(self.model, self.context_params(threads))
        if not self.context:
            raise RuntimeError("llama.cpp can't make a context")
        self.tokens = lib.llama_batch_init(BATCH_TOKENS, 0, sequences)
        self.batch, self.padding = 32, 1.0

    def context_params(self, threads):
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_seq_max = self.sequences
        params.kv_unified = True
        params.n_threads = params.n_threads_batch = threads
        return params

    def ids_of(self, text):
        data = text.encode()
        room = (lib.llama_token * (len(data) + 8))()
        count = lib.llama_tokenize(self.vocab, data, len(data), room, len(room), False, False)
        if not 0 <= count < BATCH_TOKENS:
            raise RuntimeError(f"{count} tokens in a text; {BATCH_TOKENS - 1} are the most: {text[:40]!r}")
        return list(room[:count])

    def score(self, lists):
        """For each text its ids, EOS included, and their log-probabilities."""
        texts = flat(lists)
        encoded = [self.ids_of(text) for text in texts]
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
        tokens = [
            (token, position, (number,)) for number, ids in enumerate(sequences) for position, token in enumerate([BOS, *ids])
        ]
        logits = decode(self, tokens)
        targets = np.array([target for ids in sequences for target in [*ids, EOS]])
        log_probs = log_softmax_at(logits, np.arange(len(targets)), targets)
        ends = np.cumsum([1 + len(ids) for ids in sequences])
        return [part.tolist() for part in np.split(log_probs, ends[:-1])]


def decode(engine, tokens):
    """Logits `[tokens, vocabulary]` of tokens given as id, position and the sequences that they belong to."""
    lib.llama_memory_clear(lib.llama_get_memory(engine.context), False)
    batch = engine.tokens
    for at, (token, position, sequences) in enumerate(tokens):
        batch.token[at], batch.pos[at], batch.logits[at] = token, position, 1
        batch.n_seq_id[at] = len(sequences)
        for slot, sequence in enumerate(sequences):
            batch.seq_id[at][slot] = sequence
    batch.n_tokens = len(tokens)
    status = lib.llama_decode(engine.context, batch)
    if status != 0:
        raise RuntimeError(f"llama_decode says {status}")
    return np.ctypeslib.as_array(lib.llama_get_logits(engine.context), shape=(len(tokens), engine.size))


def log_softmax_at(logits, rows, targets):
    """Log-probability of `targets[i]` in `logits[rows[i]]`; a row is summed once, however many targets it has.

    A few rows at a time, so that the temporaries stay in the cache.
    """
    normalizer = np.empty(len(logits), np.float32)
    for start in range(0, len(logits), 8):
        part = logits[start : start + 8]  # [8, vocabulary]
        top = part.max(axis=1)
        normalizer[start : start + 8] = top + np.log(np.exp(part - top[:, None]).sum(axis=1))
    return logits[rows, targets] - normalizer[rows]


def keep_errors(level, text, _):
    """Errors alone; progress goes nowhere."""
    if level == ERROR:
        print(text.decode(errors="replace"), end="", flush=True)


def make(args):
    kind = args.engine.removeprefix("llama-")
    if not kind.startswith("tree"):
        return LlamaEngine(args.model, SEQUENCES if kind == "batch" else 1, args.threads, args.device)
    from .llama_tree import LlamaTree

    model = args.model if kind == "tree" else args.converted / f"llama-{kind.removeprefix('tree-')}" / "model.gguf"
    return LlamaTree(model, args.threads, args.device)
