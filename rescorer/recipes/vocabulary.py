#!/usr/bin/env python3
"""Measures what a vocabulary gains and what it costs: WER of lists with one of its terms and of all others.

    rescorer/recipes/vocabulary.py examples/demo/test.jsonl --terms examples/demo/names.txt
    rescorer/recipes/vocabulary.py test.jsonl --rare

Further terms that nobody says are drawn from the CMU dictionary: words that none of SCOWL's word lists has. --rare takes
the rare words of the references as terms: those that SCOWL has in none of its lists up to size 60. Texts are compared in
lower case and without punctuation. Native JSON Lines with references.
"""

import argparse
import collections
import gzip
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[2] / "benches/peers"))
from edits import edits  # noqa: E402

PRONUNCIATIONS = pathlib.Path(__file__).parents[2] / "perturb/data/pronunciations.txt.gz"


def plain(text):
    return re.sub(r"[^\w\s']", " ", text.lower().replace("’", "'")).split()


def count(term, words):
    """How often a term is said, with 's or without."""
    ends = [term, term[:-1] + [term[-1] + "'s"]]
    return sum(words[place : place + len(term)] in ends for place in range(len(words)))


def dictionary():
    """Words of the CMU dictionary with the size of the smallest of SCOWL's lists that has them."""
    with gzip.open(PRONUNCIATIONS, "rt") as lines:
        for line in lines:
            if not line.startswith("#"):
                for word in line.rstrip("\n").split("\t")[1].split():
                    word, _, size = word.partition(":")
                    yield word, int(size) if size else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", type=pathlib.Path)
    parser.add_argument("--terms", type=pathlib.Path)
    parser.add_argument("--rare", action="store_true")
    parser.add_argument("--policy", default="default")
    parser.add_argument("--others", type=int, nargs="+", default=[0, 100, 1000, 10000])
    parser.add_argument("--rescorer", default="rescorer")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lists = [json.loads(line) for line in options.lists.read_text().splitlines()]
    references = {one["id"]: plain(one["reference"]) for one in lists}
    sizes = dict(dictionary())
    if options.rare:
        said = collections.Counter(word.removesuffix("'s") for words in references.values() for word in words)
        terms = sorted(word for word in said if word.isalpha() and len(word) > 3 and (sizes.get(word) or 99) > 60)
    elif options.terms:
        terms = [line for line in options.terms.read_text().splitlines() if line and not line.startswith("#")]
    else:
        sys.exit("give --terms FILE or --rare")
    spoken = {term: plain(term.split("\t")[0]) for term in terms}
    wanted = {id: {term: n for term in terms if (n := count(spoken[term], words))} for id, words in references.items()}
    known = {word for words in references.values() for word in words} | {word for term in spoken.values() for word in term}
    others = sorted(word for word, size in sizes.items() if size is None and len(word) > 3 and word not in known)
    random.Random(options.seed).shuffle(others)

    def row(name, answers, terms_of=lambda id: []):
        wrong, total, right = collections.Counter(), collections.Counter(), 0
        for id, reference in references.items():
            answer, has_term = plain(answers[id]), bool(wanted[id])
            wrong[has_term] += edits(reference, answer)
            total[has_term] += len(reference)
            right += sum(min(n, count(spoken[term], answer)) for term, n in wanted[id].items())
        false = sum(bool(terms_of(id)) for id in references if not wanted[id])
        wer = [f"{100 * wrong[key] / total[key]:.2f}" if total[key] else "-" for key in (True, False)]
        print(f"| {name} | {wer[0]} | {right} | {wer[1]} | {false} |", flush=True)

    with_term = sum(map(bool, wanted.values()))
    print(f"{len(terms)} terms, {sum(sum(found.values()) for found in wanted.values())} times in {with_term} lists;")
    print(f"{len(lists) - with_term} lists without\n")
    print("| vocabulary | WER, lists with a term | terms right | WER, other lists | other lists that got a term |")
    print("|---|---|---|---|---|")
    row("recogniser", {one["id"]: one["hypotheses"][0]["text"] for one in lists})
    row("oracle", {one["id"]: min((each["text"] for each in one["hypotheses"]),
                                 key=lambda text: edits(references[one["id"]], plain(text))) for one in lists})
    for number in [None, *options.others]:
        with tempfile.TemporaryDirectory() as folder:
            command = [options.rescorer, "rescore", str(options.lists), "--policy", options.policy, "--json", "--quiet"]
            if number is not None:
                vocabulary = pathlib.Path(folder) / "terms.txt"
                vocabulary.write_text("\n".join(terms + others[:number]) + "\n")
                command += ["--vocabulary", str(vocabulary)]
            started = time.monotonic()
            lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
            seconds = time.monotonic() - started
        answers = {answer["utterance"]: answer for answer in map(json.loads, lines)}
        name = "none" if number is None else f"{len(terms)} terms" if number == 0 else f"and {number:,} others"
        row(name, {id: answer["text"] for id, answer in answers.items()}, lambda id: answers[id].get("terms", []))
        print(f"{name}: {1000 * seconds / len(lists):.0f} ms a list, start included", file=sys.stderr)


if __name__ == "__main__":
    main()
