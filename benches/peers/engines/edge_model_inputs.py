"""A trie as the inputs of `EdgeModel`, without PyTorch."""

import numpy as np

NAMES = ("ids", "positions", "mask", "rows", "targets")


def inputs(trie):
    """The inputs of `EdgeModel` for a trie, in the order of `NAMES`, as numpy arrays."""
    mask = np.where(trie.sees(), np.float32(0), np.finfo(np.float32).min)
    rows, targets = trie.ends()
    return np.array([trie.ids]), np.array([trie.positions]), mask[None, None], rows, targets
