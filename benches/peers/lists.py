"""N-best lists for the comparison: reading them, the named sets, seeded slices.

Formats, chosen by content as the tool does: native JSON Lines, HyPoradise JSON and ESPnet's `.am.json`.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo" / "test.jsonl"


@dataclass(frozen=True)
class Utterance:
    """A list in first-pass order; `scores` is None where the recogniser gave none."""

    id: str
    reference: str
    texts: tuple
    scores: tuple | None

    def distinct(self):
        """First-pass score of each distinct text, in order of first occurrence; repeats count with their best."""
        best = {}
        for position, text in enumerate(self.texts):
            first_pass = self.scores[position] if self.scores else float(-position)
            best[text] = max(first_pass, best.get(text, first_pass))
        return best

    def line(self):
        scores = self.scores or [None] * len(self.texts)
        hypotheses = [{"text": t, "score": s} for t, s in zip(self.texts, scores)]
        return json.dumps({"id": self.id, "hypotheses": hypotheses, "reference": self.reference}, ensure_ascii=False)


@dataclass
class ListSet:
    """A named set of lists: `utterances` in a seeded order, so that any beginning of it is a random sample."""

    name: str
    path: Path
    normalize: str
    utterances: list

    def slices(self, hypotheses, rounds):
        """One slice a round with about as many distinct hypotheses; a set that runs out starts again."""
        at, slices = 0, []
        for _ in range(rounds):
            piece, count = [], 0
            while count < hypotheses and len(piece) < len(self.utterances):
                utterance = self.utterances[at % len(self.utterances)]
                piece.append(utterance)
                count += len(utterance.distinct())
                at += 1
            slices.append(piece)
        return slices


def read(path):
    """The utterances of a file, in its order."""
    text = Path(path).read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        whole = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict) and "hypotheses" not in whole:
        return [am_json(key, value) for key, value in whole.items()]
    rows = [whole] if isinstance(whole, dict) else whole
    stem = Path(path).stem
    return [row(item, f"{stem}:{index}") for index, item in enumerate(rows)]


def row(item, name):
    """An utterance of the native format or of HyPoradise."""
    name = item.get("id") or name
    if "input" in item:
        scores = item.get("am_score", item.get("score"))
        return Utterance(name, item["output"], tuple(item["input"]), tuple(scores) if scores else None)
    return from_hypotheses(name, item["reference"], item["hypotheses"])


def am_json(name, item):
    numbers = sorted(int(key[4:]) for key in item if key.startswith("hyp_"))
    return from_hypotheses(name, item["ref"], [item[f"hyp_{number}"] for number in numbers])


def from_hypotheses(name, reference, hypotheses):
    scores = tuple(hypothesis.get("score") for hypothesis in hypotheses)
    if None in scores:
        scores = None
    return Utterance(name, reference, tuple(hypothesis["text"] for hypothesis in hypotheses), scores)


def named_sets(data, work):
    """Every set that can be had here: name -> (path, normalisation for WER, lists at most)."""
    sets = {"demo": (DEMO, "whisper-basic", None)}
    if data is not None:
        sets["atis-test"] = (data / "hyporadise" / "atis-test.json", "none", None)
        sets["test-other"] = (data / "librispeech-espnet" / "test-other.am.json", "none", 300)
    if (work / "wide.jsonl").exists():
        sets["wide"] = (work / "wide.jsonl", "whisper-basic", None)
    return sets


def load(name, path, normalize, limit, seed):
    utterances = read(path)
    random.Random(f"{seed}:{name}").shuffle(utterances)
    return ListSet(name, path, normalize, utterances[:limit])


def sharing(utterances, tokens_of):
    """How much a tree saves: listed, distinct, tokens one by one (BOS counted) and nodes of the prefix trees."""
    listed = distinct = tokens = nodes = 0
    for utterance in utterances:
        texts = utterance.distinct()
        listed += len(utterance.texts)
        distinct += len(texts)
        prefixes = {()}
        for text in texts:
            ids = tuple(tokens_of[text])
            tokens += 1 + len(ids)
            prefixes.update(ids[: end + 1] for end in range(len(ids)))
        nodes += len(prefixes)
    counts = {"lists": len(utterances), "listed": listed, "distinct": distinct, "tokens": tokens, "nodes": nodes}
    return {**counts, "tokens_per_node": tokens / nodes if nodes else None}
