"""What is no error in lists but worth a look."""

import warnings

import numpy as np
import pytest
import rescorer

UNUSED = [{"text": "a cat", "rank_value": 1.5}, {"text": "a hat", "rank_value": 0.5}]
COSTS = [{"text": "a cat", "score": 1.0}, {"text": "a hat", "score": 2.0}, {"text": "the hat", "score": 3.0}, {"text": "a mat", "score": 4.0}]
PLAIN = [{"text": "a cat", "score": -1.0}, {"text": "a hat", "score": -2.0}]


def told(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert all(one.category is rescorer.ListWarning and one.filename == __file__ for one in caught), caught
    return [str(one.message) for one in caught]


@pytest.fixture
def fresh(second_pass):
    """A rescorer that has said nothing yet."""
    return rescorer.Rescorer.from_pretrained(**second_pass.__reduce__()[1][0])


def test_a_number_that_is_not_used_is_told_once_a_call(fresh):
    for _ in range(2):
        said = told(lambda: [*fresh.rescore_many([PLAIN, UNUSED, UNUSED], window=1)])
        assert len(said) == 1
        assert said[0].startswith('utterance "list:1" has no scores, but `rank_value` is a number beside every text and is not used; if')
    assert told(lambda: [*fresh.rescore_many([PLAIN, ["a", "b"]])]) == []


def test_calls_for_one_list_tell_once_together(fresh):
    assert len(told(lambda: [fresh.rescore(UNUSED) for _ in range(3)])) == 1
    assert told(lambda: fresh.map_batch({"hypotheses": [UNUSED]})) == []


def test_scores_that_look_like_costs_are_told(fresh):
    (said,) = told(lambda: [*fresh.rescore_many([COSTS] * 20)])
    assert said.startswith("rescore_many: in 3 of 3 lists the scores rise") and said.endswith("negate them, or give them as `cost`")
    # At the end of all lists few are enough; a call for one list is no end.
    assert len(told(lambda: [*fresh.rescore_many([COSTS])])) == 1
    assert told(lambda: fresh.rescore(COSTS)) == []
    assert len(told(lambda: [fresh.rescore(COSTS) for _ in range(20)])) == 1
    named = [{"text": one["text"], "cost": one["score"]} for one in COSTS]
    assert told(lambda: [*fresh.rescore_many([named] * 20)]) == []


def test_a_batch_tells_the_caller(fresh):
    (said,) = told(lambda: fresh.map_batch({"hypotheses": [UNUSED, UNUSED]}))
    assert 'utterance "row:0"' in said


def test_a_warning_may_be_an_error(fresh):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(rescorer.ListWarning, match="rank_value"):
            fresh.rescore(UNUSED)
        with pytest.raises(rescorer.ListWarning, match="rank_value"):
            list(fresh.rescore_many([UNUSED]))


def test_a_field_that_nobody_reads_may_hold_anything_of_numbers(second_pass):
    noise = {"snr": float("nan"), "peak": np.float32("inf"), "frames": [1.0, float("-inf")]}
    plain = second_pass.rescore(PLAIN)
    for given in (
        [{**one, **noise} for one in PLAIN],
        {"hypotheses": PLAIN, **noise},
        {"segments": [{"text": "a cat", "avg_logprob": -1.0, "compression_ratio": float("nan"), "no_speech_prob": np.nan}]},
    ):
        result = second_pass.rescore(given)
        assert result.first_pass[0] == -1.0 and "NaN" not in str(result.to_dict())
    assert second_pass.rescore([{**one, **noise} for one in PLAIN]).totals.tolist() == plain.totals.tolist()


def test_whole_numbers_are_ids(second_pass):
    ids = [7, np.int64(8), "u9", 10.0]
    results = second_pass.rescore_many([{"id": id, "hypotheses": PLAIN} for id in ids])
    assert [result.utterance for result in results] == ["7", "8", "u9", "10"]
    with pytest.raises(rescorer.InvalidList, match='utterance "7" holds '):
        second_pass.rescore({"id": 7, "hypotheses": [{"text": object}]})
