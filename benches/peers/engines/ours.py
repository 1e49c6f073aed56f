"""The tool under test, as its users run it: `rescorer score` and `rescorer evaluate` on files of lists."""

import json
import os
import subprocess
import time

from . import Unavailable
from .peer import Measurement

SENTENCE = "turn left at the next light\n"
DEVICES = {"cpu": "cpu", "cuda": "gpu"}


class Ours:
    def __init__(self, name, settings):
        self.name, self.settings = name, settings
        self.precision = name.removeprefix("ours-")
        self.peak_mb = 0.0
        self.lists = settings.work / f"{name}.lists.jsonl"
        self.out = settings.work / f"{name}.out"
        self.log = settings.work / f"{name}.log"

    def command(self, subcommand, *arguments):
        s = self.settings
        options = ["--model", s.model, "--device", DEVICES[s.device], "--precision", self.precision]
        options += ["--threads", s.threads, "--offline", "--json"]
        if s.device == "cuda" and subcommand == "evaluate":
            options.append("--warm-up")  # outside the clock, as PyTorch's first batch is
        return [str(part) for part in (s.rescorer, subcommand, *arguments, *options)]

    def environment(self):
        # The GPU stack complains about its absence on a machine without a session.
        return {"XDG_RUNTIME_DIR": str(self.settings.work), **os.environ}

    def start(self):
        """Seconds from the start of the process to its first score."""
        with open(self.log, "w", encoding="utf-8") as log:
            start = time.perf_counter()
            process = subprocess.Popen(
                self.command("score", "--text", "-"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.environment(),
            )
            try:
                process.stdin.write(SENTENCE)
                process.stdin.flush()
            except BrokenPipeError:
                pass  # it refused its options; the log says why
            line = process.stdout.readline()
            seconds = time.perf_counter() - start
            process.communicate()
        if not line or process.returncode != 0:
            raise Unavailable(self.reason())
        return seconds

    def reason(self):
        """The first paragraph of what the tool said."""
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        return " ".join(text.split("\n\n")[0].split()) or "it ended without a message"

    def execute(self, command):
        """Runs to the end; keeps the peak memory of the process."""
        with open(self.out, "w", encoding="utf-8") as out, open(self.log, "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdout=out, stderr=log, env=self.environment())
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.peak_mb = max(self.peak_mb, usage.ru_maxrss / 1024)
        if process.returncode != 0:
            raise Unavailable(self.reason())
        return self.out.read_text(encoding="utf-8").splitlines()

    def write(self, utterances):
        text = "".join(f"{utterance.line()}\n" for utterance in utterances)
        self.lists.write_text(text, encoding="utf-8")

    def measure(self, utterances, listed, limit):
        """Speed as `evaluate` states it: tokenising and computing; reading and loading are not in it."""
        self.write(utterances)
        report = json.loads(self.execute(self.command("evaluate", self.lists, "--lm-weight", "0.3"))[0])
        about = {key: report[key] for key in ("nodes_per_second", "device", "precision")}
        return Measurement(utterances, report["seconds"], self.scores(), about)

    def scores(self):
        """Scores with tokens of the lists last written: (ids, log-probabilities) by text."""
        rows = map(json.loads, self.execute(self.command("score", self.lists, "--tokens")))
        return {
            row["text"]: ([token["id"] for token in row["tokens"]], [token["logprob"] for token in row["tokens"]])
            for row in rows
        }

    def complete(self, utterances):
        self.write(utterances)
        yield self.scores()

    def close(self):
        self.lists.unlink(missing_ok=True)
        self.out.unlink(missing_ok=True)
