"""The door of the library: what is asked for is what answers; policies of adapters; tuning; kinds of error."""

import json
import math
import os
import pickle
import re
import signal
import sys
import threading

import pytest
import rescorer

from conftest import FIXTURES, MODEL, ROOT, lists, load

LIST = [{"text": "the cat sat", "score": -1.0}, {"text": "the hat sat", "score": -1.5}, {"text": "the cat sad", "score": -2.0}]


def weight(result):
    best = result.hypotheses[0]
    return (best.total - best.first_pass) / best.lm_score


def test_the_text_alone(second_pass, make_lists):
    rows = make_lists(40)
    whole = list(second_pass.rescore_many(rows))
    for found in (list(second_pass.rescore_many(rows, text_only=True)), [second_pass.rescore(row, text_only=True) for row in rows]):
        assert [r.text for r in found] == [r.text for r in whole]
        assert [r.position for r in found] == [r.position for r in whole]
    text = found[0]
    assert math.isnan(text.confidence) and text.words == [] and text.hypotheses == []
    assert all(math.isnan(number) for array in (text.lm_scores, text.totals, text.first_pass) for number in array)
    assert len(text.totals) == 5 and text.total == pytest.approx(whole[0].totals[text.position], abs=1e-4)
    assert text.completeness.complete and not text.merged
    assert text.to_dict()["text"] == text.text


def test_deadlines(second_pass, make_lists):
    rows = make_lists(3, hypotheses=8)
    for row in rows:
        enough = second_pass.rescore(row, deadline=60)
        assert enough.completeness.complete and enough.text == second_pass.rescore(row).text
        assert math.isnan(enough.confidence) and enough.hypotheses == []
        none = second_pass.rescore(row, deadline=0)
        assert none.text == row["hypotheses"][0]["text"] and not none.changed
        assert not none.completeness.complete and none.completeness.decided < none.completeness.unique
    assert repr(none.completeness) == f"Completeness(decided={none.completeness.decided}, unique={none.completeness.unique})"
    assert all(r.completeness.complete for r in second_pass.rescore_many(rows, deadline=60.0))
    for wrong in (-1, float("nan"), float("inf"), 1e300):
        for call in (second_pass.rescore, second_pass.rescore_many):
            with pytest.raises(rescorer.SettingsError, match="deadline=.*: give seconds"):
                call(LIST, deadline=wrong)


def test_adapters_with_policies_of_their_own(tuned_policies):
    folder = tuned_policies
    adapters = {name: folder / "adapters" / name for name in ("medical", "legal")}
    with_policy = load(policy=folder / "policy.toml", adapters=adapters)
    rows = [{"hypotheses": LIST}, {"hypotheses": LIST, "adapter": "medical"}, {"hypotheses": LIST, "adapter": "legal"}]
    found = list(with_policy.rescore_many(rows))
    assert [r.adapter for r in found] == [None, "medical", "legal"]
    assert [weight(r) for r in found] == pytest.approx([0.25, 0.5, 0.75])
    assert found[0].policy == str(folder / "policy.toml") and found[2].policy == str(adapters["legal"] / "policy.toml")
    without = load(adapters=adapters, threads=1)
    found = [without.rescore(row) for row in rows]
    assert [r.adapter for r in found] == ["medical", "medical", "legal"]
    assert [weight(r) for r in found] == pytest.approx([0.5, 0.5, 0.75])
    copy = pickle.loads(pickle.dumps(without))
    assert copy.rescore(rows[2]).policy == found[2].policy
    with pytest.raises(rescorer.PolicyError, match="has no policy"):
        load(adapters={**adapters, "bare": FIXTURES / "tiny-lora"})


def test_lists_that_name_no_adapter_are_routed(tuned_policies):
    folder = tuned_policies
    adapters = {name: folder / "adapters" / name for name in ("medical", "legal")}
    routing = load(adapters=adapters, route_adapters=True)
    rows = [{"hypotheses": LIST, "conversation": "a"}, {"hypotheses": LIST, "adapter": "legal"}]
    routed, named = routing.rescore_many(rows)
    assert 1 / 3 <= routed.routed <= 1 and named.routed is None
    assert named.adapter == "legal"
    again = routing.rescore({"hypotheses": LIST, "adapter": routed.adapter})
    assert (again.text, again.policy, again.total) == (routed.text, routed.policy, routed.total)
    with pytest.raises(rescorer.SettingsError, match="no adapters to route"):
        load(route_adapters=True)
    with pytest.raises(rescorer.SettingsError, match="exclude each other"):
        load(policy=folder / "policy.toml", adapters=adapters, route_adapters=True)


def test_names_of_a_vocabulary(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("Haydn\tHH AY D AH N\tweight=40\n")
    answer = load(vocabulary=names).rescore(["play hiding now", "play riding now"])
    assert answer.text == "play Haydn now"
    (term,) = answer.terms
    assert (term["term"], term["start"], term["end"], term["replaced"]) == ("Haydn", 1, 2, "hiding")
    assert 0 < term["distance"] < 0.25
    own = {"hypotheses": [{"text": "play hiding now"}, {"text": "play riding now"}], "vocabulary": ["Haydn\tHH AY D AH N\tweight=40"]}
    assert load().rescore(own).text == answer.text
    assert not load().rescore(["play hiding now", "play riding now"]).terms
    with pytest.raises(rescorer.SettingsError, match="a term a line"):
        load(vocabulary=tmp_path / "none.txt")


def test_tuning(tmp_path):
    rows = [{**row, "reference": row["hypotheses"][2]["text"]} for row in lists(20)]
    bare = load()
    text = bare.tune(iter(rows), save=tmp_path / "policy.toml")
    assert (tmp_path / "policy.toml").read_text() == text
    tuned = load(policy=tmp_path / "policy.toml")
    assert tuned.rescore(LIST).policy == str(tmp_path / "policy.toml")
    by_characters = bare.tune(rows, unit="character", normalize="lower", rule="mbr")
    assert 'unit = "character"' in by_characters and 'normalize = "lower"' in by_characters and 'rule = "mbr"' in by_characters
    assert f'name = "{MODEL}"' in text
    assert "[features]" in text and "[features]" in by_characters
    classic = bare.tune(rows, fusion="classic")
    assert "[fusion]" in classic and "lm_weight = " in classic and "[features]" not in classic
    means = load(mean=True, lm_weight=1)
    with pytest.raises(rescorer.SettingsError, match="means over the tokens"):
        means.tune(rows)
    assert "mean = true" in means.tune(rows, fusion="classic")
    for arguments, message in (({"fusion": "best"}, "features or classic"), ({"unit": "letter"}, "unit: "), ({"rule": "best"}, "maximum, mbr or merge"), ({"normalize": "x"}, "normalize: ")):
        with pytest.raises(rescorer.SettingsError, match=message):
            bare.tune(rows, **arguments)
    with pytest.raises(rescorer.JobError, match="no lists are left"):
        bare.tune([])
    with pytest.raises(rescorer.InvalidList, match='utterance "u0" has no reference'):
        bare.tune(lists(3))
    with pytest.raises(rescorer.InvalidList, match='utterance "list:0" has no hypotheses'):
        bare.tune([[]])


def test_an_interrupt_ends_tuning():
    # A process that was started in the background ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    rows = [{**row, "reference": row["hypotheses"][2]["text"]} for row in lists(2000, hypotheses=40)]
    bare = load()
    alarm = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))

    def reading():
        yield from rows
        alarm.start()

    try:
        with pytest.raises(KeyboardInterrupt):
            bare.tune(reading())
    finally:
        signal.signal(signal.SIGINT, before)
    assert bare.rescore(LIST).text, "the rescorer is as it was"


def provoked(kind, bare, by_mbr):
    """Does what errors.c does in C."""
    empty = [{"id": "u1", "reference": "", "hypotheses": LIST}]
    {
        "list": lambda: by_mbr.rescore(["so " * 666, "so"]),
        "model": lambda: rescorer.Rescorer.from_pretrained("nowhere.gguf", lm_weight=1),
        "adapter": lambda: load(adapter="no/such/adapter"),
        "policy": lambda: load(policy="nowhere.toml"),
        "settings": lambda: by_mbr.rescore(["so"], deadline=1),
        "job": lambda: bare.tune(empty),
    }[kind]()


@pytest.mark.parametrize("row", json.loads((FIXTURES / "error-kinds.json").read_text()), ids=lambda row: row["kind"])
def test_an_error_of_a_kind_has_its_class(row, tuned_policies):
    by_mbr = load(policy=tuned_policies / "policy.toml", decision="mbr")
    with pytest.raises(rescorer.RescorerError, match=re.escape(row["message"])) as raised:
        provoked(row["kind"], load(), by_mbr)
    assert type(raised.value) is getattr(rescorer, row["class"])
    assert raised.value.kind == row["kind"]
    assert isinstance(raised.value, ValueError) == (row["kind"] not in ("model", "job"))
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (copy.kind, copy.remedy, str(copy)) == (raised.value.kind, raised.value.remedy, str(raised.value))
    page = (ROOT / "docs" / "python.md").read_text()
    assert f"| {row['kind']} | `{row['class']}` |" in page


def test_a_search_risk_is_one_that_the_policy_knows(tmp_path):
    rows = [{**row, "reference": row["hypotheses"][1]["text"]} for row in lists(40)]
    policy = tmp_path / "policy.toml"
    load().tune(rows, save=policy)
    exact, risky = load(policy=policy), load(policy=policy, search_risk=0.1)
    answers = [[one.rescore(row, text_only=True).text for row in rows] for one in (exact, risky)]
    assert sum(a != b for a, b in zip(*answers)) <= 8
    for wrong, message in ((0.2, "0 to 0.1"), (0.001, "has no slack for a search risk of 0.001")):
        with pytest.raises(rescorer.RescorerError, match=message):
            load(policy=policy, search_risk=wrong)


def test_remedies_are_named(second_pass, tuned_policies):
    for given, remedy in ((["so " * 500, "so"], "skip_invalid"), ([], "skip_invalid")):
        with pytest.raises(rescorer.InvalidList) as raised:
            second_pass.rescore(given)
        assert raised.value.remedy == remedy
    with pytest.raises(rescorer.PolicyError) as raised:
        load(mean=True).rescore(LIST)
    assert raised.value.remedy == "policy"
    assert rescorer.RescorerError.kind is None and rescorer.RescorerError("x").remedy is None


def test_the_first_steps_of_the_page(tuned_policies, monkeypatch, capsys):
    """The program of docs/python.md, with a tiny model."""
    page = (ROOT / "docs" / "python.md").read_text()
    program = re.search(r"```python\n(.*?)```", page, re.DOTALL).group(1)
    assert program == (ROOT / "examples" / "python" / "first_steps.py").read_text().split("\n\n", 1)[1]
    real = rescorer.Rescorer.from_pretrained
    monkeypatch.setattr(rescorer.Rescorer, "from_pretrained", lambda name, **rest: real({"smollm2-135m": MODEL}[name], **rest))
    monkeypatch.chdir(tuned_policies)
    rows = [{**row, "reference": row["hypotheses"][1]["text"]} for row in lists(6)]
    (tuned_policies / "dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    exec(compile(program, "docs/python.md", "exec"), {"__name__": "__main__"})
    told = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"please (right|write) it down \(\d+%\)", told[0]), told
    assert len(told) == 1 + 6 and (tuned_policies / "tuned.toml").exists()
    assert "rescorer" in sys.modules
