"""Lists as token tries: a node is a prefix that is computed once, an edge a token whose probability counts.

Several lists share one trie as long as it stays within a budget of nodes.
"""

import numpy as np

from . import BOS, EOS
from .texts import flat


class Trie:
    """Grows by one text at a time; node 0 is BOS, and a parent comes before its children."""

    def __init__(self):
        self.ids, self.parents, self.positions = [BOS], [0], [0]
        self.edges = {}  # (node, token): number of the edge
        self.children = {}  # (node, token): node

    def __len__(self):
        return len(self.ids)

    def add(self, ids):
        """Edges of a text, that of EOS included."""
        node, path = 0, []
        for token in ids:
            path.append(self.edge(node, token))
            if (node, token) not in self.children:
                self.children[node, token] = len(self)
                self.ids.append(token)
                self.parents.append(node)
                self.positions.append(self.positions[node] + 1)
            node = self.children[node, token]
        return [*path, self.edge(node, EOS)]

    def edge(self, node, token):
        return self.edges.setdefault((node, token), len(self.edges))

    def ends(self):
        """`rows` and `targets` of the edges in their order: the node and the token, each `[edges]`."""
        return np.array(list(self.edges), np.int64).T

    def sees(self):
        """What each node attends to: itself and its ancestors, bool `[nodes, nodes]`."""
        seen = np.zeros((len(self), len(self)), bool)
        for node, parent in enumerate(self.parents):
            seen[node] = seen[parent]
            seen[node, node] = True
        return seen


def packs(sizes, budget):
    """Indices of lists that go together, by first fit, the largest first; a larger list than the budget goes alone."""
    found, room = [], []
    for index in sorted(range(len(sizes)), key=lambda index: -sizes[index]):
        at = next((at for at, left in enumerate(room) if sizes[index] <= left), None)
        if at is None:
            at = len(found)
            found.append([])
            room.append(budget)
        found[at].append(index)
        room[at] -= sizes[index]
    return found


class TrieEngine:
    """Scores lists through tries. A tool gives `encode(texts)` and `edge_log_probs(trie)`, which is `[edges]`."""

    budget = 256  # nodes; more cost attention, fewer leave the matrices small
    batch, padding = 32, 1.0

    def score(self, lists):
        """For each text its ids, EOS included, and their log-probabilities."""
        texts = flat(lists)
        encoded = self.encode(texts)
        starts = np.cumsum([0, *map(len, lists)])
        spans = [range(start, end) for start, end in zip(starts, starts[1:])]
        results, fed = [None] * len(texts), 0
        for pack in packs([self.size(encoded[at] for at in span) for span in spans], self.budget):
            trie = Trie()
            paths = {at: trie.add(encoded[at]) for index in pack for at in spans[index]}
            log_probs = self.edge_log_probs(trie)
            for at, path in paths.items():
                results[at] = (encoded[at] + [EOS], log_probs[path].tolist())
            fed += self.fed(trie)
        self.padding = fed / max(1, sum(1 + len(ids) for ids in encoded))
        return results

    def size(self, sequences):
        trie = Trie()
        for ids in sequences:
            trie.add(ids)
        return len(trie)

    def fed(self, trie):
        """Rows that are computed for a trie."""
        return len(trie)
