"""llama.cpp with the prefixes of several lists computed once: a token belongs to all sequences that begin with it."""

import numpy as np

from .llama_engine import BATCH_TOKENS, LlamaEngine, decode, log_softmax_at
from .trie import TrieEngine

SEQUENCES = 256  # texts in a batch; llama.cpp takes no more


class LlamaTree(LlamaEngine, TrieEngine):
    budget = BATCH_TOKENS

    def __init__(self, model, threads, device):
        super().__init__(model, SEQUENCES, threads, device)

    score = TrieEngine.score

    def encode(self, texts):
        return [self.ids_of(text) for text in texts]

    def edge_log_probs(self, trie):
        if len(trie) > BATCH_TOKENS:
            raise RuntimeError(f"a list has {len(trie)} prefixes; {BATCH_TOKENS} are the most")
        logits = decode(self, [*zip(trie.ids, trie.positions, sequences_of(trie))])
        rows, targets = trie.ends()
        return log_softmax_at(logits, rows, targets)


def sequences_of(trie):
    """For each node the sequences that pass through it: one for each text that no other one continues."""
    sequences = [[] for _ in range(len(trie))]
    inner = set(trie.parents[1:])
    leaves = [node for node in range(len(trie)) if node not in inner]
    if len(leaves) > SEQUENCES:
        raise RuntimeError(f"{len(leaves)} texts in a batch; {SEQUENCES} are the most")
    for sequence, node in enumerate(leaves):
        while node:
            sequences[node].append(sequence)
            node = trie.parents[node]
        sequences[0].append(sequence)
    return sequences
