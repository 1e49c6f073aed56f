#!/usr/bin/env python3
"""Simulates users who correct answers, and measures what an adapter learns from them.

    rescorer/recipes/corrections.py --rescorer RESCORER --lists train.json --held-out dev.json --output runs \
        --test atis=atis-test.json --test librispeech=dev-clean.am.json --steps 20 50 100 200

The first lists of --lists are corrected in their order: after 20, 50, 100 and 200 of them `rescorer learn` makes a step, and
the error rate of every test file is measured with the default policy. Files of native JSON Lines, or arrays of lists.
"""

import argparse
import json
import pathlib
import subprocess
import sys


def lists(path: pathlib.Path) -> list:
    text = path.read_text()
    return json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines() if line]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rescorer", default="rescorer")
    parser.add_argument("--lists", type=pathlib.Path, required=True)
    parser.add_argument("--held-out", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--test", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 50, 100, 200])
    parser.add_argument("--limit", type=int, help="lists of each test file")
    parser.add_argument("--normalize", default="none")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    adapter = options.output / "adapter"

    def run(*words: str, codes: tuple = (0,)) -> dict:
        done = subprocess.run([options.rescorer, *words, "--json", "--quiet"], capture_output=True, text=True)
        if done.returncode not in codes:
            sys.exit(f"{' '.join(words)}: {done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def measured() -> dict:
        found = {}
        for test in options.test:
            name, path = test.split("=", 1)
            words = ["evaluate", path, "--policy", "default", "--normalize", options.normalize]
            words += ["--limit", str(options.limit)] if options.limit else []
            words += ["--adapter", str(adapter)] if (adapter / "adapter_config.json").exists() else []
            found[name] = run(*words)["rescored_wer"]
        return found

    all_lists = lists(options.lists)
    print(json.dumps({"corrections": 0, **measured()}), flush=True)
    before = 0
    for count in options.steps:
        path = options.output / f"corrections-{count}.json"
        path.write_text(json.dumps(all_lists[before:count]))
        words = ["learn", str(path), "--adapter", str(adapter), "--held-out", str(options.held_out)]
        lesson = run(*words, "--normalize", options.normalize, codes=(0, 1))
        row = {"corrections": count, "kept": lesson["step"] is not None, "held_out": [lesson["before"], lesson["after"]]}
        print(json.dumps({**row, **measured()}), flush=True)
        before = count


if __name__ == "__main__":
    main()
