"""Scores on disk, so that an interrupted run goes on where it stopped: one file an engine, a text a line."""

import json

import numpy as np


class Store:
    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.rows = path, {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    text, ids, log_probs = json.loads(line)
                except ValueError:
                    continue  # cut off in the middle of a line
                self.rows[text] = (ids, log_probs)

    def add(self, results):
        new = {text: row for text, row in results.items() if text not in self.rows}
        with open(self.path, "a", encoding="utf-8") as file:
            file.writelines(json.dumps([text, *row]) + "\n" for text, row in new.items())
        self.rows.update(new)

    def has(self, utterance):
        return all(text in self.rows for text in utterance.distinct())

    def lm_score(self, text):
        return float(np.sum(self.rows[text][1], dtype=np.float64))


def difference(store, reference):
    """How far the per-token log-probabilities of two engines lie apart, on the texts that both scored."""
    apart, other_ids, texts = [], 0, 0
    for text, (ids, log_probs) in store.rows.items():
        if text not in reference.rows:
            continue
        texts += 1
        if ids != reference.rows[text][0]:
            other_ids += 1
            continue
        apart.append(np.abs(np.subtract(log_probs, reference.rows[text][1])))
    if not apart:
        return {"texts": texts, "other_ids": other_ids, "mean": None, "max": None}
    apart = np.concatenate(apart)
    return {"texts": texts, "other_ids": other_ids, "mean": float(apart.mean()), "max": float(apart.max())}
