"""Models, policies, adapters; other processes."""

import multiprocessing
import pickle
import subprocess
import sys

import numpy as np
import pytest
import rescorer

from conftest import FIXTURES, MODEL

LIST = [{"text": "the cat sat on the hat", "score": -1.0}, {"text": "the cat sat on the mat", "score": -1.1}]


def write_policy(folder, second_pass, adapter="", lm_weight=0.5):
    policy = folder / "policy.toml"
    policy.write_text(
        f"""
version = 1
normalize = "none"
[fusion]
lm_weight = {lm_weight}
[decision]
rule = "mbr"
scale = 1.0
mbr_margin = 0.0
merge_margin = 0.0
[convention]
[model]
name = "tiny"
fingerprint = "{second_pass.fingerprint}"
[tuned_on]
first_pass_wer = 1.0
rescored_wer = 1.0
hashes = []
{adapter}
"""
    )
    return policy


def test_a_policy_says_how_to_decide(second_pass, tmp_path):
    policy = write_policy(tmp_path, second_pass)
    tuned = rescorer.Rescorer.from_pretrained(MODEL, policy=policy, device="cpu", precision="f32")
    np.testing.assert_allclose(tuned.rescore(LIST).totals, second_pass.rescore(LIST).totals)
    for decision in ("maximum", "merge"):
        other = rescorer.Rescorer.from_pretrained(MODEL, policy=policy, decision=decision, device="cpu")
        assert other.rescore(LIST).words
    with pytest.raises(rescorer.PolicyError, match="the policy was tuned with model tiny .* load that model, or tune again"):
        rescorer.Rescorer.from_pretrained(FIXTURES / "tiny-gpt2", policy=policy, device="cpu")
    with pytest.raises(rescorer.PolicyError, match='adapter "tiny-lora" has no policy'):
        rescorer.Rescorer.from_pretrained(MODEL, policy=policy, adapter=FIXTURES / "tiny-lora", device="cpu")


SPREAD = ["a hat", "the cat sat on that", "the cat sat on mats", "the cats sat on that", "the cat sit on that mat"]


@pytest.mark.parametrize("lm_weight", [1e-6, 0.0])
def test_the_answer_is_that_of_the_rule(second_pass, tmp_path, lm_weight):
    policy = write_policy(tmp_path, second_pass, lm_weight=lm_weight)
    scores = [-1.0, -1.1, -1.1, -1.2, -1.2]
    rows = [{"hypotheses": [{"text": text, "score": score} for text, score in zip(SPREAD, scores)]}] * 3
    for decision, expected in ((None, SPREAD[1]), ("mbr", SPREAD[1]), ("merge", SPREAD[1]), ("maximum", SPREAD[0])):
        tuned = rescorer.Rescorer.from_pretrained(MODEL, policy=policy, decision=decision, device="cpu")
        answers = [tuned.rescore(SPREAD, scores), *tuned.rescore_many(rows), *tuned.rescore_many(rows, window=1)]
        assert {answer.text for answer in answers} == {expected}
        assert tuned.map_batch({"hypotheses": [row["hypotheses"] for row in rows]})["rescored_text"] == [expected] * 3


def test_units_of_error(second_pass, tmp_path):
    lists = [{"text": "a bb", "score": -1.0}, {"text": "ccccc", "score": -1.0}]

    def answer(**options):
        return rescorer.Rescorer.from_pretrained(MODEL, lm_weight=0.0, length_bonus=10.0, **options).rescore(lists)

    assert answer().text == "a bb"
    characters = answer(unit="character")
    assert characters.text == "ccccc"
    assert [word for word, _ in characters.words] == ["c"] * 5
    policy = write_policy(tmp_path, second_pass)
    policy.write_text(policy.read_text().replace("version = 1", 'version = 1\nunit = "character"'))
    tuned = rescorer.Rescorer.from_pretrained(MODEL, policy=policy)
    assert [word for word, _ in tuned.rescore(["窗户"]).words] == ["窗", "户"]
    with pytest.raises(rescorer.SettingsError, match="unit can't be combined with a policy"):
        rescorer.Rescorer.from_pretrained(MODEL, policy=policy, unit="word")
    with pytest.raises(ValueError, match="use word, character or mixed"):
        answer(unit="letter")


def test_a_cascade_asks_an_encoder_first(second_pass, tmp_path):
    encoder = rescorer.Rescorer.from_pretrained(FIXTURES / "tiny-bert", lm_weight=0.25, device="cpu", precision="f32")
    first = f"""
[earlier]
share = 0.5
[earlier.fusion]
lm_weight = 0.25
[earlier.convention]
[earlier.model]
name = "{FIXTURES / "tiny-bert"}"
fingerprint = "{encoder.fingerprint}"
"""
    policy = write_policy(tmp_path, second_pass, first)
    both = rescorer.Rescorer.from_pretrained(MODEL, policy=policy, device="cpu", precision="f32")
    by_encoder, by_both = encoder.rescore(LIST), both.rescore(LIST)
    scores = np.array([one["score"] for one in LIST])
    expected = scores + 0.5 * (by_encoder.totals - scores) + 0.5 * second_pass.rescore(LIST).lm_scores
    np.testing.assert_allclose(by_both.totals, expected, atol=1e-4)
    again = pickle.loads(pickle.dumps(both))
    np.testing.assert_array_equal(again.rescore(LIST).totals, by_both.totals)
    with pytest.raises(rescorer.PolicyError, match="the policy was tuned with model"):
        rescorer.Rescorer.from_pretrained(MODEL, policy=policy, cascade_model=FIXTURES / "tiny-roberta", device="cpu")
    with pytest.warns(DeprecationWarning, match="earlier_model is called cascade_model now"):
        old = rescorer.Rescorer.from_pretrained(MODEL, policy=policy, device="cpu", precision="f32", earlier_model=FIXTURES / "tiny-bert")
    np.testing.assert_array_equal(old.rescore(LIST).totals, by_both.totals)
    assert "earlier_model" not in old.__reduce__()[1][0]
    with pytest.raises(rescorer.SettingsError, match="cascade_model: no policy asks another rescorer first; leave it out"):
        rescorer.Rescorer.from_pretrained(MODEL, lm_weight=0.5, cascade_model=FIXTURES / "tiny-bert", device="cpu")
    policy.write_text(policy.read_text() + '[earlier.adapter]\nname = "heard"\nfingerprint = "f"\n')
    with pytest.raises(rescorer.SettingsError, match="asks the adapter heard first; give its folder as cascade_adapter"):
        rescorer.Rescorer.from_pretrained(MODEL, policy=policy, device="cpu")


def test_ways_of_an_encoder_to_score():
    def scored(kind):
        made = rescorer.Rescorer.from_pretrained(FIXTURES / "tiny-bert", lm_weight=1, encoder_score=kind, device="cpu", precision="f32")
        return made.score(["the cat sat"])[0]

    assert scored(None) == scored("pll") != scored("pll-unmasked")
    with pytest.raises(rescorer.SettingsError, match='expected pll, pll-unmasked or head'):
        scored("mean")


def test_adapters_by_name(second_pass):
    folder = FIXTURES / "tiny-lora"
    one = rescorer.Rescorer.from_pretrained(MODEL, lm_weight=0.5, adapter=folder, device="cpu", precision="f32")
    named = rescorer.Rescorer.from_pretrained(MODEL, lm_weight=0.5, adapters={"medical": folder}, device="cpu", precision="f32")
    plain = second_pass.rescore(LIST).lm_scores
    adapted = one.rescore(LIST).lm_scores
    assert not np.allclose(plain, adapted)
    results = named.rescore_many([LIST, {"hypotheses": LIST, "adapter": "medical"}, {"hypotheses": LIST, "adapter": None}])
    for result, expected in zip(results, (adapted, adapted, plain)):
        np.testing.assert_allclose(result.lm_scores, expected, rtol=1e-5)
    unknown = {"id": "u1", "hypotheses": LIST, "adapter": "legal"}
    with pytest.raises(rescorer.AdapterError, match=r'"u1" asks for adapter "legal"; the adapters are medical: .*adapters=\{NAME: DIR\}') as raised:
        named.rescore(unknown)
    assert (raised.value.kind, raised.value.remedy) == ("adapter", "adapter")
    found = list(named.rescore_many([LIST, unknown, LIST], return_exceptions=True))
    assert [type(one).__name__ for one in found] == ["Result", "AdapterError", "Result"]


def test_int8_and_conventions(second_pass):
    int8 = rescorer.Rescorer.from_pretrained(FIXTURES / "tiny-llama.gguf", lm_weight=0.5, precision="int8")
    assert "int8" in int8.device and "CPU" in int8.device.upper()
    assert repr(int8).startswith("<Rescorer ")
    mean = rescorer.Rescorer.from_pretrained(MODEL, lm_weight=0.5, mean=True, eos=False, bos=0, lm_text="lower", device="cpu", precision="f32")
    assert (mean.score(["The Cat"]) > second_pass.score(["the cat"])).all()


def test_a_pickled_rescorer_loads_anew(second_pass):
    copy = pickle.loads(pickle.dumps(second_pass))
    assert copy.rescore(LIST).totals.tolist() == second_pass.rescore(LIST).totals.tolist()


def test_a_forked_process_is_told_so(second_pass):
    second_pass.rescore(LIST)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        told = pool.apply_async(forked).get(60)
    assert "forked" in told and 'get_context("spawn")' in told


def forked():
    try:
        rescorer.Rescorer.from_pretrained(MODEL, lm_weight=0.5, device="cpu")
    except rescorer.RescorerError as error:
        return str(error)
    return "no error"


def test_threads_are_set_once_and_first():
    program = f"""
import rescorer
rescorer.set_threads(1)
second_pass = rescorer.Rescorer.from_pretrained({str(MODEL)!r}, lm_weight=0.5, device="cpu")
second_pass.rescore(["a cat", "a hat"])
try:
    rescorer.set_threads(2)
except rescorer.RescorerError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert told.startswith("the threads are there already")
