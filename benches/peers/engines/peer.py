"""A peer in its own process: start-up time, speed and peak memory are that process's."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import Unavailable

HERE = Path(__file__).resolve().parents[1]
CHUNK = 64  # lists in an untimed request, so that what is done is kept


@dataclass
class Measurement:
    """What one timed run gave: the utterances that were scored, seconds, scores by text."""

    utterances: list
    seconds: float
    results: dict
    about: dict


def converted_part(name):
    """The folder of convert.py that an engine reads besides or in place of the GGUF."""
    tool, _, kind = name.partition("-")
    if tool == "torch":
        return "hf" if kind.startswith("tree-") else None
    if tool == "llama":
        return f"llama-{kind.removeprefix('tree-')}" if kind.startswith("tree-") else None
    return name


class Peer:
    def __init__(self, name, settings):
        self.name, self.settings = name, settings
        self.process, self.peak_mb = None, 0.0

    def convert(self):
        """Makes the model that the tool reads, where it is not made yet; no part of the start-up."""
        s, part = self.settings, converted_part(self.name)
        if part is None or (s.converted / part).exists():
            return
        options = ["--model", s.model, "--output", s.converted, "--make", part]
        with open(s.work / f"convert-{part}.log", "w", encoding="utf-8") as log:
            command = [str(each) for each in (sys.executable, HERE / "convert.py", *options)]
            done = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"})
        if done.returncode != 0:
            raise Unavailable(f"its model can't be made from the GGUF; see {log.name}")

    def start(self):
        """Seconds from the start of the process to its first score."""
        s = self.settings
        self.convert()
        options = ["--engine", self.name, "--model", s.model, "--threads", s.threads, "--device", s.device]
        options += ["--batch", s.batch, "--converted", s.converted]
        command = [sys.executable, HERE / "worker.py", *options]
        threads = {name: str(s.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
        self.log = open(s.work / f"{self.name}.log", "w", encoding="utf-8")
        start = time.perf_counter()
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, **threads, "HF_HUB_OFFLINE": "1"},
        )
        self.receive()
        return time.perf_counter() - start

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise Unavailable(f"its process ended ({self.process.wait()}); see {self.log.name}")
        message = json.loads(line)
        self.peak_mb = message["peak_mb"]
        if "error" in message:
            raise Unavailable(message["error"])
        return message

    def ask(self, lists, limit):
        try:
            self.process.stdin.write(json.dumps({"lists": lists, "limit": limit}) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it died; reading says so
        return self.receive()

    def measure(self, utterances, listed, limit):
        """Scores distinct or all listed hypotheses, as many lists as `limit` seconds promise to hold."""
        lists = [list(u.texts) if listed else list(u.distinct()) for u in utterances]
        reply = self.ask(lists, limit)
        results = dict(zip(reply["texts"], reply["results"]))
        about = {"fed_per_needed_token": reply["padding"]}
        return Measurement(utterances[: reply["lists"]], reply["seconds"], results, about)

    def complete(self, utterances):
        """Scores of all distinct hypotheses, untimed, a part at a time."""
        for at in range(0, len(utterances), CHUNK):
            reply = self.ask([list(u.distinct()) for u in utterances[at : at + CHUNK]], None)
            yield dict(zip(reply["texts"], reply["results"]))

    def close(self):
        if self.process is not None:
            try:
                self.process.stdin.close()
            except OSError:
                pass  # what was left unsent goes nowhere
            self.process.wait()
            self.log.close()
            self.process = None
