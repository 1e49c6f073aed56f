#!/usr/bin/env python3
"""Stands in for the interpreter that runs whisper.py: `fake_whisper.py -c SCRIPT MODEL ...`; MODEL says how it behaves.

It hears the same in every stretch, unless that is shorter than an eighth of a second: there it hears nothing.
"""

import json
import os
import sys
import time

behaviour = sys.argv[3]
WORDS = [{"word": word, "start": 0.1 * n, "end": 0.1 * n + 0.1} for n, word in enumerate("the cat sat".split())]
HEARD = [
    {"text": "the cat sat", "score": -1.0, "words": WORDS},
    {"text": "the cat sat on", "score": -2.0, "words": WORDS + [{"word": "on", "start": 0.3, "end": 0.4}]},
]


def answer(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if behaviour == "fatal":
    answer(json.dumps({"fatal": "no such model"}))
    sys.exit(3)
if behaviour == "dies-at-start":
    sys.exit("it hurts")
if behaviour == "prints":
    answer("Python 3.14")
if behaviour == "hangs-at-start":
    time.sleep(60)
answer(json.dumps({"ready": {"model": behaviour}}))
if behaviour == "deaf":
    time.sleep(60)
while line := sys.stdin.buffer.readline():
    request = json.loads(line)
    sys.stdin.buffer.read(4 * request["samples"])
    number = request["number"]
    heard = {"number": number, "hypotheses": HEARD, "extra": {"no_speech_prob": 0.25}}
    if request["samples"] < 2000:
        heard["hypotheses"] = []
    if behaviour == "dies":
        print("first words\nlast words", file=sys.stderr)
        os._exit(7)
    elif behaviour == "closes":
        os.close(1)
        time.sleep(60)
    elif behaviour == "hangs":
        time.sleep(60)
    elif behaviour == "nonsense":
        answer("Segmentation \x00 fault")
    elif behaviour == "half-a-line":
        sys.stdout.write('{"heard": {"number"')
        sys.stdout.flush()
        os._exit(0)
    elif behaviour == "endless":
        while True:
            sys.stdout.write("x" * 65536)
    elif behaviour == "other-number":
        answer(json.dumps({"heard": {**heard, "number": number + 1}}))
    elif behaviour == "nan":
        answer('{"heard": {"number": %d, "hypotheses": [{"text": "a", "score": NaN}]}}' % number)
    elif behaviour == "ready-again":
        answer(json.dumps({"ready": {"model": "again"}}))
    elif behaviour == "refuses" and number == 2:
        answer(json.dumps({"refused": {"number": number, "reason": "too loud"}}))
    else:
        answer(json.dumps({"heard": heard}))
