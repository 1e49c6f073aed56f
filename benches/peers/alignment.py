"""Word alignment with substitutions, deletions and insertions: jiwer and ours on the same pairs, one thread each, in turns.

    pip install jiwer==4.0.0
    cargo build -p rescorer-perturb --example align_lists
    python benches/peers/alignment.py --lists test-other.am.json --ours target/debug/examples/align_lists

jiwer gets all pairs in one call, its fastest way; ours splits the texts into words inside the clock, as jiwer does. Both must
count the same errors. jiwer's S, D and I are of one unit-cost alignment, ours of sclite's costs, so these may differ.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import jiwer

sys.path.insert(0, str(Path(__file__).resolve().parent))
from lists import read  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--ours", required=True, help="the example align_lists")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    references, hypotheses = [], []
    for utterance in read(args.lists):
        for text in utterance.texts:
            references.append(utterance.reference)
            hypotheses.append(text)
    for number in range(args.rounds):
        started = time.perf_counter()
        found = jiwer.process_words(references, hypotheses)
        theirs = time.perf_counter() - started
        ours = json.loads(subprocess.run([args.ours, args.lists, "1"], stdout=subprocess.PIPE, check=True).stdout)
        errors = found.substitutions + found.deletions + found.insertions
        if (ours["pairs"], ours["errors"]) != (len(references), errors):
            sys.exit(f"{ours} against {len(references)} pairs with {errors} errors")
        print(
            f"round {number + 1}: {len(references)} pairs, WER {100 * found.wer:.4f}; jiwer {theirs:.3f} s, ours "
            f"{ours['seconds']:.3f} s, ratio {theirs / ours['seconds']:.2f}; S/D/I {found.substitutions}/{found.deletions}/"
            f"{found.insertions}, ours {ours['substitutions']}/{ours['deletions']}/{ours['insertions']}"
        )


if __name__ == "__main__":
    main()
