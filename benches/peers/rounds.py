"""Rounds: in each, every engine does the same slice of every set, one engine right after the other.

The order of sets and engines turns round from one round to the next. What drifts with the machine then hits all
engines alike, and a ratio compares only what ran in the same round. A complete round is kept on disk; an interrupted
one starts again.
"""

import json
import sys

import machine
from engines import Unavailable
from engines.ours import Ours
from engines.ours_answer import OursAnswer
from engines.peer import Peer
from store import Store

PEERS = ("torch-f32", "torch-bf16", "torch-tree-f32", "torch-tree-bf16", "llama-single", "llama-batch", "llama-tree")
ON_CPU = ("llama-tree-q4_0", "llama-tree-q8_0", "ct2-f32", "ct2-int8", "openvino-int8", "ort-int4", "ort-int8")
ANSWERS = ("ours-int8-answer", "ours-int8-answer-risk")
ENGINES = {"cpu": (*PEERS, *ON_CPU, "ours-f32", "ours-int8", *ANSWERS), "cuda": (*PEERS, "ours-f32", "ours-f16")}
ALL_ENGINES = (*ENGINES["cpu"], "ours-f16")
PACKAGES = {"torch": "torch", "llama": "llama-cpp-python", "ct2": "ctranslate2", "openvino": "openvino", "ort": "onnxruntime"}


def make(name, settings):
    if name in ANSWERS:
        return OursAnswer(name, settings)
    return (Ours if name.startswith("ours-") else Peer)(name, settings)


def modes(name):
    """Rows of an engine: PyTorch also does every listed hypothesis, as most rescoring scripts do."""
    return (False, True) if name in ("torch-f32", "torch-bf16") else (False,)


def label(name, listed):
    return f"{name}-listed" if listed else name


def store_of(name, settings, about):
    """The engine's scores; another version, model or build has other ones."""
    if name.startswith("ours-"):
        made_by = about["rescorer"]["sha256"]
    else:
        made_by = about["packages"][PACKAGES[name.split("-")[0]]]
    return Store(settings.work / "scores" / about["model"]["sha256"] / f"{name}-{made_by}-{settings.device}.jsonl")


def say(text):
    print(text, file=sys.stderr, flush=True)


class Round:
    """One round: engines are started once, then take turns on each set."""

    def __init__(self, number, settings, stores):
        self.number, self.settings, self.stores = number, settings, stores
        self.rows, self.processes = [], []

    def run(self, slices):
        """`slices`: set name -> utterances. Returns the round as it is written to disk."""
        started, load, busy = machine.now(), machine.load(), machine.busy()
        step = -1 if self.number % 2 else 1
        engines = [make(name, self.settings) for name in self.settings.engines[::step]]
        try:
            running = [engine for engine in engines if self.start(engine)]
            for set_name, utterances in list(slices.items())[::step]:
                for engine in running:
                    for listed in modes(engine.name):
                        self.measure(engine, set_name, utterances, listed)
        finally:
            for engine in engines:
                engine.close()
        for process, engine in zip(self.processes, engines):
            process["peak_mb"] = engine.peak_mb
        return {
            "round": self.number,
            "started": started,
            "ended": machine.now(),
            "load": [load, machine.load()],
            "busy_before": round(busy, 3),
            "processes": self.processes,
            "rows": self.rows,
        }

    def start(self, engine):
        process = {"engine": engine.name}
        self.processes.append(process)
        try:
            process["start_up_seconds"] = engine.start()
        except Unavailable as error:
            process["error"] = str(error)
            say(f"round {self.number + 1}  {engine.name}: not available: {error}")
            return False
        return True

    def measure(self, engine, set_name, utterances, listed):
        row = {"engine": label(engine.name, listed), "set": set_name}
        self.rows.append(row)
        repeats = any(len(u.texts) != len(u.distinct()) for u in utterances)
        if listed and not repeats:
            row["same_as"] = engine.name  # nothing repeats: the same work once more
            return
        try:
            done = engine.measure(utterances, listed, self.settings.slot_seconds)
        except Unavailable as error:
            row["error"] = str(error)
            say(f"round {self.number + 1}  {set_name}  {row['engine']}: failed: {error}")
            return
        self.stores[engine.name].add(done.results)
        distinct = sum(len(u.distinct()) for u in done.utterances)
        listed_count = sum(len(u.texts) for u in done.utterances)
        row.update(lists=len(done.utterances), of_lists=len(utterances), distinct=distinct, listed=listed_count)
        row.update(seconds=done.seconds, distinct_per_second=distinct / done.seconds)
        row.update(listed_per_second=listed_count / done.seconds, **done.about)
        say(f"round {self.number + 1}  {set_name:12} {row['engine']:18} {row['distinct_per_second']:8.1f} hyps/s")


def run_all(settings, sets, stores, key):
    """All rounds, those on disk included."""
    slices = {s.name: s.slices(settings.hypotheses, settings.rounds) for s in sets}
    done = []
    for number in range(settings.rounds):
        path = settings.work / "rounds" / f"{key}-{number}.json"
        if path.exists() and not settings.fresh:
            say(f"round {number + 1}: done before, from {path}")
            done.append(json.loads(path.read_text(encoding="utf-8")))
            continue
        result = Round(number, settings, stores).run({name: parts[number] for name, parts in slices.items()})
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(result), encoding="utf-8")
        partial.replace(path)
        done.append(result)
    return done


def complete(settings, sets, stores):
    """Scores whatever the rounds left unscored, untimed, so that WER is on whole sets."""
    for name in settings.engines:
        if name in ANSWERS:
            continue  # they give no scores
        missing = [u for s in sets for u in s.utterances if not stores[name].has(u)]
        if not missing:
            continue
        say(f"{name}: {len(missing)} lists are left to score for WER")
        engine = make(name, settings)
        try:
            engine.start()
            for results in engine.complete(missing):
                stores[name].add(results)
        except Unavailable as error:
            say(f"{name}: not available: {error}")
        finally:
            engine.close()
