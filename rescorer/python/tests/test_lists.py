"""What a list can be, and what comes out."""

import dataclasses
import json
import math
import os
import subprocess
from collections import namedtuple
from types import MappingProxyType

import numpy as np
import pytest

from conftest import MODEL

TEXTS = ["the cat sat on the hat", "the cat sat on the mat", "the cat sat on the hat", "a cat"]
SCORES = [-1.0, -1.25, -0.5, -3.0]
DICTS = [{"text": text, "score": score} for text, score in zip(TEXTS, SCORES)]
Segment = namedtuple("Segment", "text avg_logprob tokens")


@dataclasses.dataclass
class Spoken:
    text: str
    avg_logprob: float
    tokens: list


def same(a, b):
    assert (a.text, a.position, a.changed) == (b.text, b.position, b.changed)
    assert a.confidence == pytest.approx(b.confidence, rel=1e-12)
    np.testing.assert_array_equal(a.lm_scores, b.lm_scores)
    np.testing.assert_allclose(a.totals, b.totals, rtol=1e-12)


def test_a_result_has_everything(second_pass):
    result = second_pass.rescore(TEXTS, scores=SCORES)
    assert result.lm_scores.dtype == result.totals.dtype == result.first_pass.dtype == np.float64
    # A text that repeats is one hypothesis: the first position, the best score.
    assert result.first_pass.tolist() == [-0.5, -1.25, -0.5, -3.0]
    np.testing.assert_allclose(result.totals, result.first_pass + 0.5 * result.lm_scores, rtol=1e-12)
    assert [h.position for h in result.hypotheses] == sorted({0, 1, 3}, key=lambda p: -result.totals[p])
    best = result.hypotheses[0]
    assert (result.text, result.position) == (best.text, best.position) == (TEXTS[best.position], best.position)
    assert result.changed == (result.position != 0)
    assert best.total == result.totals.max() == result.totals[best.position]
    assert sum(h.confidence for h in result.hypotheses) == pytest.approx(1)
    assert [word for word, _ in result.words] == result.text.split()
    assert result.utterance == "list:0" and result.reference is None
    np.testing.assert_allclose(result.lm_scores, second_pass.score(TEXTS), rtol=1e-6)
    assert repr(result).startswith("Result(utterance='list:0', text='") and repr(best).startswith("Hypothesis(")


@pytest.mark.parametrize(
    "given",
    [
        DICTS,
        tuple(DICTS),
        (hypothesis for hypothesis in DICTS),
        np.array(DICTS, dtype=object),
        {"hypotheses": DICTS},
        MappingProxyType({"hypotheses": np.array(DICTS, dtype=object)}),
        {"hypotheses": {"text": TEXTS, "score": SCORES}},
        {"hypotheses": DICTS, "reference": float("nan"), "audio": object(), 3: "x", "segments": None},
        {"input": TEXTS, "am_score": SCORES},
        {"input": np.array(TEXTS), "score": np.array(SCORES, dtype=np.float32)},
        {"alternatives": [{"text": t, "confidence": s} for t, s in zip(TEXTS, SCORES)]},
        [{"text": t, "confidence": np.float64(s)} for t, s in zip(TEXTS, SCORES)],
        [{"text": t, "confidence": math.exp(s)} for t, s in zip(TEXTS, SCORES)],
        [{"text": t, "am_score": s - 1, "lm_score": 1} for t, s in zip(TEXTS, SCORES)],
        [{"text": t, "cost": -s} for t, s in zip(TEXTS, SCORES)],
        {"nbest": [{"text": t, "ys_probs": [s / 2, s / 2]} for t, s in zip(TEXTS, SCORES)]},
        {"hypotheses": [{"segments": [Segment(" " + t, s, [1, 2])]} for t, s in zip(TEXTS, SCORES)]},
        [{"segments": iter([Spoken(t, s, [1])])} for t, s in zip(TEXTS, SCORES)],
        {f"hyp_{n + 1}": hypothesis for n, hypothesis in enumerate(DICTS)},
    ],
    ids=lambda given: type(given).__name__,
)
def test_every_shape_is_the_same_list(second_pass, given):
    same(second_pass.rescore(given), second_pass.rescore(TEXTS, SCORES))


def test_confidences_above_one_are_log_likelihoods(second_pass):
    vosk = [{"text": "a cat", "confidence": 270.5}, {"text": "a hat", "confidence": 0.5}]
    assert second_pass.rescore(vosk).first_pass.tolist() == [270.5, 0.5]
    probabilities = [{"text": "a cat", "confidence": 1.0}, {"text": "a hat", "confidence": 0.5}]
    assert second_pass.rescore(probabilities).first_pass.tolist() == [0.0, math.log(0.5)]


def test_scores_of_every_number_type(second_pass):
    for scores in ([-1, -2], np.array([-1, -2]), np.array([-1, -2], dtype=np.int8), (s for s in (-1.0, np.float16(-2))), np.float32([-1, -2])):
        assert second_pass.rescore(["a cat", "a hat"], scores).first_pass.tolist() == [-1.0, -2.0]


def test_scores_are_optional_and_may_be_an_array(second_pass):
    plain = second_pass.rescore(TEXTS)
    assert plain.first_pass.tolist() == [0, -1, 0, -3]
    same(second_pass.rescore(np.array(TEXTS), np.array(SCORES)), second_pass.rescore(TEXTS, SCORES))
    same(second_pass.rescore(TEXTS, [0, -1, -2, -3]), plain)


def test_rows_of_pandas(second_pass, tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": ["u1", "u2"], "hypotheses": [DICTS, DICTS[:2]], "reference": ["a cat", None], "snr": [1.0, float("nan")]})
    frame.to_parquet(tmp_path / "lists.parquet")
    for frame in (frame, pandas.read_parquet(tmp_path / "lists.parquet")):
        for rows in (frame.to_dict("records"), (row for _, row in frame.iterrows())):
            first, second = second_pass.rescore_many(rows)
            same(first, second_pass.rescore(DICTS))
            same(second, second_pass.rescore(DICTS[:2]))
            assert (first.utterance, first.reference, second.reference) == ("u1", "a cat", None)


def test_rows_of_datasets(second_pass):
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_list([{"id": "u1", "hypotheses": DICTS}, {"id": "u2", "hypotheses": DICTS[1:]}])
    first, second = second_pass.rescore_many(rows)
    same(first, second_pass.rescore(DICTS))
    same(second, second_pass.rescore(DICTS[1:]))
    torch_free = rows.with_format("numpy")
    same(next(second_pass.rescore_many(torch_free)), first)


def test_results_are_those_of_the_command_line(second_pass, demo, tmp_path):
    program = os.environ.get("RESCORER_BIN")
    if not program:
        pytest.skip("RESCORER_BIN, the path of the binary `rescorer`, is not set")
    file = tmp_path / "lists.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in demo), encoding="utf-8")
    command = [program, "rescore", file, "--model", MODEL, "--lm-weight", "0.5", "--device", "cpu", "--precision", "f32", "--json", "--nbest", "--quiet"]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    expected = [json.loads(line) for line in written.splitlines()]
    found = [result.to_dict() for result in second_pass.rescore_many(demo)]
    assert len(found) == len(demo)
    for a, b in zip(found, expected):
        assert list(a) == list(b)
        assert json.dumps(a) == json.dumps(b) or a == pytest.approx(b) or rounded(a) == rounded(b)


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value
