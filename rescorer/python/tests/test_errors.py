"""Every error says where and what helps, and none ends the process."""

import pickle

import numpy as np
import pytest
import rescorer

from conftest import FIXTURES, MODEL

HERE = [{"text": "a cat", "score": -1.0}, {"text": "a hat", "score": -2.0}]


def loops():
    loop = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "given, message",
    [
        ("a cat", "is one text, no list; give a list of texts, and json.loads"),
        (b"a cat", "is one text, no list"),
        (7, "is a number, no list; give a list of str"),
        (None, "is None, no list"),
        (object(), "is object, no list"),
        (int, "is type, no list"),
        ([], "has no hypotheses; remove it"),
        ({"hypotheses": []}, "has no hypotheses; remove it"),
        ({}, "has no field that holds hypotheses, but no field at all"),
        ({"id": "u9", "reference": "x"}, 'utterance "u9" has no field that holds hypotheses, but `id`, `reference`; name one'),
        (["a", 1], "holds a number at position 1; give a str, or a dict"),
        ([["a"]], "holds a list at position 0"),
        ([{"score": 1}], "has no field `hypotheses[0].text`; add it"),
        ([{"text": "a", "score": "x"}], "`hypotheses[0].score` is a string, expected a number"),
        ([{"text": "a", "score": 1}, {"text": "b"}], "mixes hypotheses with a score (position 0) and without (position 1)"),
        ([{"text": "a", "score": float("nan")}], "`hypotheses[0].score` is NaN, expected a number; mend it"),
        ({"input": ["a"], "score": [np.inf]}, "`score[0]` is infinite, expected a number"),
        ({"segments": [{"text": "a", "avg_logprob": np.float32("nan")}]}, "`segments[0].avg_logprob` is NaN, expected a number"),
        ({"segments": [{"text": "a"}], "score": float("nan")}, "score` is NaN, expected a number"),
        ([{"text": "a", "logprob": -1}, {"text": "b", "logprob": float("nan")}], "`hypotheses[1].logprob` is NaN, which is not a finite number"),
        ({"input": ["a", "b"], "am_score": float("nan")}, "`am_score` is NaN"),
        ([{"text": "a", "confidence": 0.5}, {"text": "b", "confidence": float("inf")}], "`hypotheses[1].confidence` is inf, which is not a finite number"),
        ([{"text": "a", "score": 10**400}], "holds hypotheses[0].score = an int beyond every float"),
        ({"input": ["a"], "am_score": [1, 2]}, "has 1 hypotheses but 2 scores in `am_score`; mend it"),
        ([b"a cat", b"a hat"], "holds hypotheses[0]: bytes; give text, numbers, lists and dicts alone"),
        (np.array([b"a cat"]), "holds hypotheses[0]: bytes"),
        (["a", None], "holds None at position 1; give a str"),
        ({"a", "b"}, "is set, no list"),
        ([{"text": object()}], "holds hypotheses[0].text: object; give text, numbers, lists and dicts alone"),
        ([{"text": "a", 1: 2}], "holds hypotheses[0]: a key of type int, where only str can be"),
        (["a \ud83d"], "holds hypotheses[0]: a str with surrogates, which is no Unicode text"),
        (loops(), "is nested too deeply, or holds itself"),
        ({"id": 7.5, "input": ["a"]}, "`id` is a number, expected a string or a whole number"),
        (["so " * 500, "so"], "tokens with BOS and EOS, the model's context is 128; shorten it, or remove it"),
    ],
)
def test_a_list_that_is_none(second_pass, given, message):
    with pytest.raises(rescorer.InvalidList) as raised:
        second_pass.rescore(given)
    told = str(raised.value)
    assert message in told and "--" not in told, told
    assert isinstance(raised.value, ValueError) and isinstance(raised.value, rescorer.RescorerError)
    assert str(pickle.loads(pickle.dumps(raised.value))) == told


@pytest.mark.parametrize(
    "given, scores, message",
    [
        (["a", "b"], [1.0], "has 2 hypotheses but 1 scores; give one for each, or none"),
        (["a"], 1.0, "has a number as scores; give a list of numbers"),
        (["a"], [float("nan")], "`hypotheses[0].score` is NaN, expected a number"),
        (["a", "b"], [1.0, None], "has None in scores at position 1; give a number for each, or no scores"),
        (["a", "b"], [None, None], "has None in scores at position 0"),
        (["a", "b"], np.ma.masked_array([1.0, 2.0], mask=[False, True]), "has None in scores at position 1"),
        (["a", "b"], np.array([True, False]), "`hypotheses[0].score` is true or false, expected a number"),
        (["a", "b"], [[1.0], [2.0]], "`hypotheses[0].score` is a list, expected a number"),
        (["a", "b"], ["-1", "-2"], "`hypotheses[0].score` is a string, expected a number"),
        (["a", "b"], {1.0, 2.0}, "holds scores: set; give text, numbers, lists and dicts alone"),
        (HERE, [1.0, 2.0], "has a score of its own at position 0; leave `scores` out"),
        ({"hypotheses": HERE}, [1.0, 2.0], "is a dict, which has its scores in itself"),
    ],
)
def test_scores_that_do_not_fit(second_pass, given, scores, message):
    with pytest.raises(rescorer.InvalidList) as raised:
        second_pass.rescore(given, scores)
    assert message in str(raised.value)


def test_what_an_object_raises_comes_out(second_pass):
    class Bad:
        def tolist(self):
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        second_pass.rescore([{"text": Bad()}])
    with pytest.raises(TypeError, match="not iterable"):
        second_pass.rescore_many(3)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"length_bonus": 1}, rescorer.SettingsError, "length_bonus=1: give lm_weight too, or a policy"),
        ({"policy": "x.toml", "lm_weight": 1}, rescorer.SettingsError, "lm_weight can't be combined with a policy"),
        ({"policy": "x.toml", "eos": False}, rescorer.SettingsError, "eos can't be combined with a policy"),
        ({"policy": "no/such.toml"}, rescorer.PolicyError, "no/such.toml: "),
        ({"lm_weight": float("nan")}, rescorer.SettingsError, "lm_weight=nan: give a finite number"),
        ({"lm_weight": 1, "margin": -1}, rescorer.SettingsError, "margin=-1: give 0 or more"),
        ({"lm_weight": 1, "decision": "mbr"}, rescorer.SettingsError, "nothing has been tuned for the rule mbr; give a policy"),
        ({"lm_weight": 1, "decision": "best"}, rescorer.SettingsError, "expected maximum, mbr or merge"),
        ({"lm_weight": 1, "device": "tpu"}, rescorer.SettingsError, "expected auto, cpu, gpu or gpu:NUMBER"),
        ({"lm_weight": 1, "precision": "int4"}, rescorer.SettingsError, 'precision="int4": expected auto, f32, f16 or int8'),
        ({"lm_weight": 1, "lm_text": "upper"}, rescorer.SettingsError, "upper"),
        ({"lm_weight": 1, "unit": "letter"}, rescorer.SettingsError, "letter"),
        ({"lm_weight": 1, "threads": 0}, rescorer.SettingsError, "threads"),
        ({"lm_weight": 1, "bos": 9999}, rescorer.SettingsError, "BOS is 9999, and the vocabulary has 288 tokens; give a smaller id (bos)"),
        ({"lm_weight": 1, "adapter": "no/such"}, rescorer.AdapterError, "no/such"),
        ({"lm_weight": 1, "adapter": "a", "adapters": {}}, rescorer.SettingsError, "not both"),
        ({"lm_weight": "1"}, TypeError, ""),
        ({"lm_weight": 1, "mean": "False"}, TypeError, "bool"),
        ({"lm_weight": 1, "eos": "no"}, TypeError, "bool"),
        ({"lm_weight": 1, "model": "smollm3"}, rescorer.ModelError, "model smollm3: no such file or folder, and no named model (smollm2-135m,"),
        ({"lm_weight": 1, "model": FIXTURES}, rescorer.ModelError, "fixtures"),
        ({"lm_weight": 1, "model": FIXTURES / "texts.json"}, rescorer.ModelError, "texts.json"),
    ],
)
def test_what_can_not_be_loaded(arguments, error, message):
    with pytest.raises(error) as raised:
        rescorer.Rescorer.from_pretrained(**{"model": MODEL, "device": "cpu", **arguments})
    assert message in str(raised.value) and "--" not in str(raised.value), str(raised.value)


def test_an_absent_model_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("RESCORER_HOME", str(tmp_path))
    with pytest.raises(rescorer.ModelError, match="the network is not to be used"):
        rescorer.Rescorer.from_pretrained("smollm2-135m", lm_weight=1, offline=True)


def test_nothing_is_made_by_hand():
    for make in (lambda: rescorer.Rescorer(None, {}), rescorer.Result, rescorer.Hypothesis):
        with pytest.raises(TypeError):
            make()
    for threads in (0, 10**6):
        with pytest.raises(ValueError, match="give a number from 1"):
            rescorer.set_threads(threads)


def test_windows_are_numbers_from_one(second_pass):
    with pytest.raises(ValueError, match="window=0: give a number from 1"):
        second_pass.rescore_many([], window=0)
    for call in (second_pass.rescore_many, second_pass.map_batch):
        with pytest.raises(TypeError, match="bool"):
            call({"input": []}, return_exceptions="no")
