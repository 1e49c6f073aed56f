"""The examples, with recognisers that are played: their answers are shaped as those of faster-whisper and Vosk."""

import dataclasses
import json
import runpy
import sys
import types
import wave

import pytest
import rescorer

from conftest import ROOT


@dataclasses.dataclass
class Segment:
    id: int
    text: str
    avg_logprob: float
    tokens: list
    words: object = None


class WhisperModel:
    def __init__(self, size):
        assert size == "tiny.en"

    def transcribe(self, audio, beam_size=5, temperature=0.0):
        text = " the cat sat on the mat" if beam_size == 1 else " the cat sat on the hat"
        return (Segment(n, text, -0.3 - temperature, [1, 2, 3]) for n in range(2)), object()


class KaldiRecognizer:
    def __init__(self, model, rate):
        self.heard = 0

    def SetMaxAlternatives(self, count):
        self.alternatives = [{"text": "the other hat", "confidence": 270.5}, {"text": "the other cat", "confidence": 270.4}][:count]

    def AcceptWaveform(self, samples):
        self.heard += 1
        return self.heard % 2 == 0

    def Result(self):
        return json.dumps({"alternatives": self.alternatives})

    def FinalResult(self):
        return json.dumps({"alternatives": [{"text": "", "confidence": 0.0}]})


@pytest.fixture
def run(monkeypatch, second_pass, capsys):
    monkeypatch.setattr(rescorer.Rescorer, "from_pretrained", lambda *_, **__: second_pass)
    modules = {"faster_whisper": {"WhisperModel": WhisperModel}, "vosk": {"KaldiRecognizer": KaldiRecognizer, "Model": lambda **_: None}}
    for name, content in modules.items():
        module = types.ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(ROOT / "examples" / "python" / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    return run


def test_faster_whisper(run, second_pass):
    (text,) = run("faster_whisper_nbest.py", "audio.wav", "policy.toml")
    twice = ["the cat sat on the hat the cat sat on the hat", "the cat sat on the mat the cat sat on the mat"]
    assert text == second_pass.rescore(twice, scores=[-0.3, -0.3]).text


def test_vosk(run, second_pass, tmp_path):
    with wave.open(str(tmp_path / "audio.wav"), "wb") as audio:
        audio.setparams((1, 2, 16000, 0, "NONE", None))
        audio.writeframes(bytes(2 * 4 * 4000))
    lines = run("vosk_alternatives.py", tmp_path / "audio.wav", "policy.toml")
    expected = second_pass.rescore(["the other hat", "the other cat"], scores=[270.5, 270.4]).text
    assert lines == [expected, expected, ""]
