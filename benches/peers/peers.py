"""Compares rescorer with PyTorch, llama.cpp, CTranslate2, OpenVINO and ONNX Runtime: speed, agreement, WER, memory, start-up, in one run.

Started by `run`, which makes the environment. The table goes to stdout, everything to a JSON file, progress to
stderr. Exit code 0: complete; 1: an engine was not available or the scores disagree; 2: nothing to run.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import lists
import machine
import report
import rounds
import table

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Settings:
    rescorer: str
    model: str
    work: Path
    converted: Path
    device: str
    threads: int
    batch: int
    engines: list
    rounds: int
    hypotheses: int
    slot_seconds: float
    seed: int
    wer: bool
    fresh: bool

    def public(self):
        """What changes the result; no paths of this machine."""
        kept = asdict(self)
        for name in ("rescorer", "model", "work", "converted", "fresh"):
            del kept[name]
        return kept


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=Path, help="folder with hyporadise/ and librispeech-espnet/")
    add("--sets", nargs="+", help="of demo, atis-test, test-other, wide; default: the last three that are there, else demo")
    add("--work", type=Path, required=True, help="folder for scores, rounds and lists")
    add("--output", type=Path, help="the JSON file; default: peers.json in the work folder")
    add("--rescorer", type=Path, help="the binary; default: the newest in cargo's target folder, then PATH")
    add("--model", type=Path, help="GGUF file; default: what `rescorer models pull` prints")
    add("--engines", nargs="+", choices=rounds.ALL_ENGINES, help="default: all that the device has")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    add("--threads", type=int, default=2)
    add("--batch", type=int, help="texts in a PyTorch batch; default 32, on CUDA 256")
    add("--rounds", type=int, default=3)
    add("--hypotheses", type=int, default=384, help="distinct hypotheses of a set in a round, about")
    add("--slot-seconds", type=float, default=40.0, help="limit for one engine on one slice")
    add("--limit", type=int, help="lists of a set at most, for a quick try")
    add("--wer", action="store_true", help="score whole sets, so that every engine has a WER")
    add("--fresh", action="store_true", help="measure again what the work folder has")
    add("--seed", type=int, default=0)
    return parser.parse_args()


def fail(message):
    print(f"peers: {message}", file=sys.stderr)
    sys.exit(2)


def find_rescorer(given):
    target = Path(os.environ.get("CARGO_TARGET_DIR") or CHECKOUT / "target")
    candidates = [given] if given else [target / profile / "rescorer" for profile in ("release", "debug")]
    built = [path.resolve() for path in candidates if path.is_file()]
    newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
    found = str(newest) if newest else None if given else shutil.which("rescorer")
    return found or fail(f"no rescorer at {given or target} or on PATH; build it, or give --rescorer PATH")


def find_model(rescorer, given):
    if given:
        return str(given.resolve()) if given.is_file() else fail(f"--model {given}: no such file")
    try:
        done = subprocess.run([rescorer, "models", "pull"], stdout=subprocess.PIPE, text=True, check=True)
    except subprocess.CalledProcessError:
        fail("`rescorer models pull` failed; give --model FILE.gguf")
    return done.stdout.strip()


def choose_sets(args):
    known = lists.named_sets(args.data, args.work)
    names = args.sets or [name for name in ("atis-test", "test-other", "wide") if name in known] or ["demo"]
    chosen = []
    for name in names:
        if name not in known:
            hint = "run with --wide" if name == "wide" else "give --data DIR" if name in ("atis-test", "test-other") else "no such set"
            fail(f"set {name} is not there: {hint}")
        path, normalize, limit = known[name]
        if not path.is_file():
            fail(f"{path}: no such file; check --data")
        limit = min(filter(None, (limit, args.limit)), default=None)
        chosen.append(lists.load(name, path, normalize, limit, args.seed))
    return chosen


def settings_of(args):
    rescorer = find_rescorer(args.rescorer)
    batch = args.batch or (256 if args.device == "cuda" else 32)
    model = find_model(rescorer, args.model)
    args.work.mkdir(parents=True, exist_ok=True)
    work = args.work.resolve()
    return Settings(
        rescorer=rescorer,
        model=model,
        work=work,
        converted=work / "models" / machine.digest(model),
        device=args.device,
        threads=args.threads,
        batch=batch,
        engines=args.engines or list(rounds.ENGINES[args.device]),
        rounds=args.rounds,
        hypotheses=args.hypotheses,
        slot_seconds=args.slot_seconds,
        seed=args.seed,
        wer=args.wer,
        fresh=args.fresh,
    )


def key_of(settings, sets, about):
    """Rounds on disk are used again only for the same settings, machine, versions and lists."""
    kept = {name: value for name, value in settings.public().items() if name not in ("rounds", "wer")}
    files = {s.name: (machine.digest(s.path), len(s.utterances)) for s in sets}
    about = {name: about[name] for name in ("processor", "gpus", "packages", "rescorer", "model")}
    return hashlib.sha256(json.dumps([kept, files, about], sort_keys=True).encode()).hexdigest()[:12]


def main():
    args = arguments()
    settings = settings_of(args)
    sets = choose_sets(args)
    output = args.output or settings.work / "peers.json"
    about = {**machine.describe(settings), "started": machine.now()}
    stores = {name: rounds.store_of(name, settings, about) for name in settings.engines}
    done = rounds.run_all(settings, sets, stores, key_of(settings, sets, about))
    if settings.wer:
        rounds.complete(settings, sets, stores)
    result = report.summary(sets, done, stores, settings, {**about, "ended": machine.now()})
    result["warnings"] = report.warnings(result)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print("\n".join(table.lines(result, result["warnings"])))
    print(f"all of it: {output}", file=sys.stderr)
    sys.exit(1 if result["warnings"] else 0)


if __name__ == "__main__":
    main()
