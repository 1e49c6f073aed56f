"""The client against a server of the command."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import rescorer
from rescorer import AdapterError, Client, InvalidList, RescorerError, SettingsError

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = ROOT / "tests" / "fixtures"
TEXTS = ["please right it down", "please write it down"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A server on a port of its own, with one adapter and a token."""
    folder = tmp_path_factory.mktemp("serve")
    shutil.copytree(FIXTURES / "door" / "medical", folder / "adapters" / "medical")
    (folder / "tokens").write_text("secret\n")
    command = [os.environ.get("RESCORER_BIN", "rescorer"), "serve", "--listen", "127.0.0.1:0", "--quiet"]
    command += ["--model", FIXTURES / "tiny-llama", "--adapters", folder / "adapters", "--token-file", folder / "tokens"]
    server = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    try:
        for line in server.stderr:
            if found := re.search(r"listening on (\S+)", line):
                yield found.group(1)
                break
        else:
            pytest.fail("the server ended")
    finally:
        server.terminate()
        assert server.wait(timeout=60) == 0
        server.stderr.close()


@pytest.fixture
def client(address):
    with Client(address, token="secret") as client:
        yield client


def test_answers_are_those_of_the_library(client):
    second_pass = rescorer.Rescorer.from_pretrained(str(FIXTURES / "tiny-llama"))
    for scores in (None, [-1.0, -1.1]):
        answer = client.rescore(TEXTS, scores)
        expected = second_pass.rescore(TEXTS, scores, text_only=True)
        assert (answer.text, answer.changed, answer.served) == (expected.text, expected.changed, "whole")
    assert len(client.rescore(TEXTS, nbest=True).record["hypotheses"]) == 2
    assert client.rescore({"id": "u", "hypotheses": TEXTS}).record["utterance"] == "u"
    assert client.rescore(TEXTS, context="have you got a pencil?").text in TEXTS


def test_many_lists_come_in_their_order(client):
    lists = [{"id": f"u{number}", "hypotheses": TEXTS} for number in range(7)]
    found = [answer.record["utterance"] for answer in client.rescore_many(lists, window=3)]
    assert found == [f"u{number}" for number in range(7)]
    mixed = list(client.rescore_many([TEXTS, {"hypotheses": []}, TEXTS], return_exceptions=True))
    assert [type(answer) for answer in mixed] == [rescorer.ServerAnswer, InvalidList, rescorer.ServerAnswer]
    with pytest.raises(InvalidList):
        list(client.rescore_many([{"hypotheses": []}]))


def test_adapters(client):
    assert [adapter["name"] for adapter in client.adapters()] == ["medical"]
    assert client.rescore(TEXTS, adapter="medical").record["adapter"] == "medical"
    client.forget("medical")
    with pytest.raises(AdapterError, match="medical"):
        client.rescore(TEXTS, adapter="medical")
    assert client.register("medical")["name"] == "medical"
    with pytest.raises(RescorerError):
        client.register("../medical")


def test_a_deadline_that_has_passed(client):
    assert client.rescore(TEXTS, deadline=0).served == "first-pass"


def test_what_can_not_be_asked(client, address):
    for hypotheses, scores in [([], None), ("one text", None), (TEXTS, [1.0])]:
        with pytest.raises(InvalidList):
            client.rescore(hypotheses, scores)
    with pytest.raises(SettingsError):
        client.rescore({"hypotheses": TEXTS}, [1.0, 2.0])
    with pytest.raises(RescorerError, match="token"), Client(address) as other:
        other.rescore(TEXTS)
    with pytest.raises(RescorerError, match="is `rescorer serve` running"):
        Client("http://127.0.0.1:9").rescore(TEXTS)
    with pytest.raises(SettingsError):
        Client("127.0.0.1:8741")
    # After all this it still answers.
    assert client.rescore(TEXTS).text in TEXTS
