#!/usr/bin/env python3
"""The text of the adapter `speech`: 150,000 words of books, 65 of 100 sentences in lower case without punctuation.

    rescorer/recipes/speech_text.py books.txt.gz > speech.txt
    rescorer train rescorer/recipes/speech.toml --text speech.txt --output speech
    rescorer adapter convert speech --half --output rescorer/engine/adapters/speech

The books are novels and travel books of Project Gutenberg, a sentence a line.
"""

import gzip
import random
import re
import sys

WORDS, PLAIN, SHORTEST, LONGEST = 150_000, 0.65, 3, 40


def plain(text):
    text = re.sub(r"[^\w\s']|_", " ", text.replace("’", "'").lower())
    return " ".join(re.sub(r"(?<!\w)'|'(?!\w)", " ", text).split())


def main():
    with gzip.open(sys.argv[1], "rt") as file:
        lines = [line.strip() for line in file]
    draw = random.Random(1)
    draw.shuffle(lines)
    words = 0
    for line in lines:
        count = len(line.split())
        if SHORTEST <= count <= LONGEST and words <= WORDS:
            print(plain(line) if draw.random() < PLAIN else line)
            words += count


if __name__ == "__main__":
    main()
