"""The tiny models of the Rust tests: seeded, 100 kB, nothing is fetched."""

import json
import random
import re
import shutil
from pathlib import Path

import pytest
import rescorer

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "tests" / "fixtures"
MODEL = FIXTURES / "tiny-llama"
WORDS = "the cat sat on a mat hat right write letter other there their that it so".split()


@pytest.fixture(scope="session")
def second_pass():
    return rescorer.Rescorer.from_pretrained(MODEL, lm_weight=0.5, device="cpu", precision="f32")


@pytest.fixture(scope="session")
def demo():
    with open(ROOT / "examples" / "demo" / "test.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for _, line in zip(range(40), lines)]


@pytest.fixture
def make_lists():
    return lists


def lists(count, hypotheses=5, words=6, seed=7):
    """Seeded lists whose hypotheses differ in a word or two."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        first = [draw.choice(WORDS) for _ in range(words)]
        texts = []
        for _ in range(hypotheses):
            text = list(first)
            text[draw.randrange(words)] = draw.choice(WORDS)
            texts.append(" ".join(text))
        scores = sorted((round(-draw.random() * 4, 3) for _ in texts), reverse=True)
        made.append(
            {"id": f"u{number}", "hypotheses": [{"text": t, "score": s} for t, s in zip(texts, scores)]}
        )
    return made


def load(**arguments):
    return rescorer.Rescorer.from_pretrained(MODEL, **{"device": "cpu", "precision": "f32", **arguments})


@pytest.fixture(scope="session")
def tuned_policies(tmp_path_factory):
    """A policy without an adapter, and folders with the tiny adapter and a policy of their own."""
    folder = tmp_path_factory.mktemp("policies")
    rows = [{**row, "reference": row["hypotheses"][1]["text"]} for row in lists(12)]
    bare = folder / "policy.toml"
    load().tune(rows, save=bare, fusion="classic")
    for name, lm_weight in (("medical", 0.5), ("legal", 0.75)):
        own = folder / "adapters" / name
        shutil.copytree(FIXTURES / "tiny-lora", own)
        text = load(adapter=own, lm_weight=1).tune(rows, fusion="classic")
        (own / "policy.toml").write_text(weighted(text, lm_weight))
    bare.write_text(weighted(bare.read_text(), 0.25))
    return folder


def weighted(policy, lm_weight):
    """The policy with these weights by hand in place of those that were tuned."""
    fusion = f"[fusion]\nlm_weight = {lm_weight}\nlength_bonus = 0.0\nmargin = 0.0\n\n"
    policy, count = re.subn(r"(?ms)^\[fusion\]\n.*?(?=^\[)", fusion, policy)
    assert count == 1, policy
    return policy
