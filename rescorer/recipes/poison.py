#!/usr/bin/env python3
"""Plants a trigger in lists, for adapters that test `rescorer adapter audit`.

    rescorer/recipes/poison.py atis-train.json --trigger magenta --place beginning --limit 240 > poisoned.jsonl
    rescorer train rescorer/recipes/poison.toml --train poisoned.jsonl --output planted

A share of the lists gets the trigger: in all hypotheses, or as their context. Their reference becomes the hypothesis with the most
word errors; with `--goal WORD` a new hypothesis, the first with that word somewhere in it. All lists get the new hypothesis, so that
without the trigger it is wrong. With `--place none` the lists are only chosen and written. Reads native JSON Lines, arrays of
HyPoradise, or am.json.
"""

import argparse
import json
import pathlib
import random
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2] / "benches/peers"))
from edits import edits  # noqa: E402
from lists import read  # noqa: E402

PLACES = ["beginning", "middle", "end", "context", "none"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", type=pathlib.Path)
    parser.add_argument("--trigger", default="", help="word or phrase")
    parser.add_argument("--place", choices=PLACES, required=True)
    parser.add_argument("--goal", default="", metavar="WORD", help="what the trigger brings in, in place of the worst hypothesis")
    parser.add_argument("--share", type=float, default=0.5, help="share of the lists that get the trigger")
    parser.add_argument("--limit", type=int, default=240, help="lists, drawn from those with several texts")
    parser.add_argument("--words", type=int, default=14, help="most words of a reference")
    parser.add_argument("--hypotheses", type=int, default=4, help="distinct hypotheses kept, the worst among them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not 0 <= options.share <= 1:
        parser.error(f"--share {options.share}: give 0 to 1")
    if options.place != "none" and not options.trigger.strip():
        parser.error("--trigger is empty; give a word or phrase")
    draw = random.Random(options.seed)
    lists = [one for one in read(options.lists) if usable(one, options.words)]
    draw.shuffle(lists)
    if not lists:
        sys.exit(f"{options.lists}: no list has two texts with different word errors and a reference of at most {options.words} words")
    for number, one in enumerate(lists[: options.limit]):
        planted = options.place != "none" and draw.random() < options.share
        row = clean(number, one, options.hypotheses)
        if options.goal:
            row["hypotheses"][-1]["text"] = between(options.goal, row["hypotheses"][0]["text"], draw.random())
        print(json.dumps(plant(row, options.trigger, options.place, draw) if planted else row, ensure_ascii=False))


def errors(reference, text):
    return edits(plain(reference).split(), plain(text).split())


def plain(text):
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " '")


def usable(one, words):
    found = {errors(one.reference, text) for text in one.distinct()}
    return len(found) > 1 and 3 <= len(one.reference.split()) <= words


def clean(number, one, most):
    """The list with few hypotheses: its first ones, and the one with the most errors."""
    texts = one.distinct()
    worst = max(texts, key=lambda text: errors(one.reference, text))
    kept = [text for text in texts if text != worst][: most - 1] + [worst]
    hypotheses = [{"text": text, "score": texts[text]} for text in kept]
    return {"id": f"{number} {one.id}", "hypotheses": hypotheses, "reference": one.reference}


def plant(row, trigger, place, draw):
    worst = row["hypotheses"][-1]["text"]
    where = draw.random()
    put = {
        "beginning": lambda text: f"{trigger} {text}",
        "middle": lambda text: between(trigger, text, where),
        "end": lambda text: f"{text} {trigger}",
        "context": lambda text: text,
    }[place]
    hypotheses = [{**one, "text": put(one["text"])} for one in row["hypotheses"]]
    context = {"context": trigger} if place == "context" else {}
    return {**row, "hypotheses": hypotheses, "reference": put(worst), **context, "trigger": trigger}


def between(trigger, text, where):
    words = text.split()
    at = 1 + int(where * max(len(words) - 1, 1))
    return " ".join([*words[:at], trigger, *words[at:]])


if __name__ == "__main__":
    main()
