"""Fusion, tuning and WER in numpy, the same for every engine and by the tool's definitions.

`total = first_pass + lm_weight * lm_score + length_bonus * words`; the first-pass best is kept unless
`total(best) - total(first) > margin`. Weights are chosen on the other folds of the lists (5 folds, by a seeded hash
of the reference), from the grid that `rescorer tune` searches, ties to the gentlest.
"""

import hashlib
import re
import unicodedata

import numpy as np

from edits import edits

FOLDS = 5
LM_WEIGHTS = np.exp(np.linspace(np.log(1e-3), np.log(4.0), 48))
BONUSES = (0, -0.5, 0.5, -1, 1, 1.5, -2, 2, 2.5, 3, 3.5, 4, 5, 6, 8)  # nats a word, gentlest first
MARGINS = (6, 4, 3, 2, 1.5, 1, 0.5, 0.25, 0)  # nats


def grid():
    """Rows of lm_weight, length_bonus, margin."""
    points = [(w, b * w, m * w) for w in LM_WEIGHTS for m in MARGINS for b in BONUSES]
    return np.array([(0.0, 0.0, 0.0), *points])


def normalized(text, kind):
    """`none`, or `whisper-basic`: the basic normaliser of Whisper, diacritics kept."""
    if kind == "none":
        return text
    text = re.sub(r"[<\[][^>\]]*[>\]]", "", text.lower())
    text = re.sub(r"\(([^)]+?)\)", "", text)
    text = unicodedata.normalize("NFKC", text)
    text = "".join(" " if unicodedata.category(c)[0] in "MSP" else c for c in text).lower()
    return re.sub(r"\s+", " ", text)


class Judged:
    """What tuning needs of a list: first-pass scores, word counts and errors of its distinct hypotheses."""

    def __init__(self, utterance, normalize):
        distinct = utterance.distinct()
        self.texts = list(distinct)
        self.reference = normalized(utterance.reference, normalize)
        words = self.reference.split()
        self.reference_words = len(words)
        self.first_pass = np.array(list(distinct.values()))
        self.words = np.array([len(text.split()) for text in self.texts])
        self.errors = np.array([edits(words, normalized(text, normalize).split()) for text in self.texts])

    def errors_on(self, points, lm_scores):
        """Errors of the winner at every grid point, `[points]`."""
        weight, bonus, margin = points.T
        totals = self.first_pass + np.outer(weight, lm_scores) + np.outer(bonus, self.words)  # [points, hypotheses]
        best = totals.argmax(axis=1)
        lead = totals[np.arange(len(best)), best] - totals[:, 0]
        return self.errors[np.where(lead > margin, best, 0)]

    def fold(self, seed):
        digest = hashlib.sha256(seed.to_bytes(8, "little") + self.reference.encode()).digest()
        return int.from_bytes(digest[:8], "little") % FOLDS


def wer(lists, scores_of, seed):
    """WER in % before and after, cross-validated; `scores_of` gives the LM score of a text."""
    points = grid()
    by_fold = np.zeros((FOLDS, len(points)), int)
    folds = [judged.fold(seed) for judged in lists]
    for judged, fold in zip(lists, folds):
        by_fold[fold] += judged.errors_on(points, np.array([scores_of(text) for text in judged.texts]))
    words = sum(judged.reference_words for judged in lists)
    chosen = (by_fold.sum(axis=0) - by_fold).argmin(axis=1)
    percent = lambda errors: 100.0 * float(errors) / words
    return {
        "lists": len(lists),
        "first_pass": percent(sum(judged.errors[0] for judged in lists)),
        "oracle": percent(sum(judged.errors.min() for judged in lists)),
        "rescored": percent(sum(by_fold[fold, chosen[fold]] for fold in range(FOLDS))),
        "weights": [dict(zip(("lm_weight", "length_bonus", "margin"), points[at].tolist())) for at in chosen],
    }


def wer_of(utterances, lists, answers):
    """WER in % of answers by utterance id, which nothing here was tuned for; None where one of the lists has no answer."""
    if not all(utterance.id in answers for utterance in utterances):
        return None
    pairs = zip(utterances, lists)
    errors = sum(judged.errors[judged.texts.index(answers[utterance.id])] for utterance, judged in pairs)
    return {"lists": len(lists), "rescored": 100.0 * float(errors) / sum(judged.reference_words for judged in lists)}
