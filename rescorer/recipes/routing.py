#!/usr/bin/env python3
"""Measures `--adapter auto` on a shuffled mix of domains, beside lists that name their adapter.

    rescorer/recipes/routing.py --domain atis=atis-test.json=ATIS --domain librispeech=test-other.am.json=LIBRISPEECH \
        --domain wsj=wsj-test.json --lists 150 --conversations 1 10 30

A domain is NAME=FILE=ADAPTER, or NAME=FILE where no adapter fits. Each adapter needs a policy.toml with gains, from `rescorer
tune --adapter ADAPTER --output ADAPTER/policy.toml`. Files are native JSON Lines, arrays of HyPoradise, or am.json. WER without
normalisation.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[2] / "benches/peers"))
from edits import edits  # noqa: E402
from lists import read  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--domain", action="append", required=True, metavar="NAME=FILE[=ADAPTER]")
    parser.add_argument("--lists", type=int, default=150, help="lists of each domain, the first ones with several texts")
    parser.add_argument("--conversations", type=int, nargs="+", default=[1, 10, 30])
    parser.add_argument("--rescorer", default="rescorer")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    domains = {name: (file, adapter) for name, file, adapter, *_ in (f"{one}==".split("=") for one in options.domain)}
    adapters = [word for name, (_, folder) in domains.items() if folder for word in ("--adapter", f"{name}={folder}")]
    chosen = {}
    for name, (file, _) in domains.items():
        several = [json.loads(one.line()) for one in read(pathlib.Path(file)) if len(one.distinct()) > 1]
        chosen[name] = [{**one, "id": f"{name} {one['id']}", "domain": name} for one in several[: options.lists]]

    def answers(lists, *words):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(one) + "\n" for one in lists)
            file.flush()
            command = [options.rescorer, "rescore", file.name, "--json", *words]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        print(next((line for line in done.stderr.splitlines() if line.startswith("routed")), ""), flush=True)
        return {answer["utterance"]: answer for answer in map(json.loads, done.stdout.splitlines())}

    def row(name, found):
        cells, wrong, total = [], 0, 0
        for lists in chosen.values():
            mistakes = sum(edits(one["reference"].split(), found[one["id"]]["text"].split()) for one in lists)
            words = sum(len(one["reference"].split()) for one in lists)
            wrong, total = wrong + mistakes, total + words
            cells.append(f"{100 * mistakes / words:.2f}")
        print(f"| {name} | {' | '.join(cells)} | {100 * wrong / total:.2f} |", flush=True)

    def fitting(name):
        return name if domains[name][1] else "speech"

    print(f"| | {' | '.join(domains)} | all |\n|---|{'---|' * (len(domains) + 1)}")
    everything = [one for lists in chosen.values() for one in lists]
    row("first pass", {one["id"]: one["hypotheses"][0] for one in everything})
    row("`speech` for all", answers(everything))
    named = {}
    for name, lists in chosen.items():
        folder = domains[name][1]
        named |= answers(lists, *(["--adapter", folder] if folder else []))
    row("each list names its adapter", named)
    for length in options.conversations:
        talks = [
            [{**one, "conversation": f"{name} {start}"} if length > 1 else one for one in lists[start : start + length]]
            for name, lists in chosen.items()
            for start in range(0, len(lists), length)
        ]
        random.Random(options.seed).shuffle(talks)
        found = answers([one for talk in talks for one in talk], *adapters, "--adapter", "auto")
        row("each list by itself" if length == 1 else f"conversations of {length}", found)
        shares = [
            f"{name} {100 * sum(found[one['id']].get('adapter') == fitting(name) for one in lists) / len(lists):.0f}%"
            for name, lists in chosen.items()
        ]
        print(f"routed right: {', '.join(shares)}", flush=True)


if __name__ == "__main__":
    main()
