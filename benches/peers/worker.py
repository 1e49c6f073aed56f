"""A process that scores texts with one peer: requests on stdin, answers on stdout, a JSON object a line.

It scores one sentence first and says `ready`, so that the time from its start to that line is the start-up time.
A request is `{"lists": [[text, ...], ...], "limit": seconds or null}`. With a limit, as many of the lists are scored
as the rate of a warm-up promises to fit: whole lists from the front, never the short hypotheses only.
"""

import argparse
import importlib
import json
import os
import sys
import time
from pathlib import Path

WARM_UP = "turn left at the next light"
PROBE = 16  # texts of the warm-up that shows the rate


def make_engine(args):
    """`engines/TOOL_engine.py` makes the engine TOOL-…"""
    return importlib.import_module(f"engines.{args.engine.split('-')[0]}_engine").make(args)


def peak_mb():
    """Peak resident memory of this process."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def timed(engine, lists):
    start = time.perf_counter()
    engine.score(lists)
    return time.perf_counter() - start


def fitting(engine, lists, limit):
    """How many of the lists fit in `limit` seconds, at least one."""
    probe, texts = [], 0
    for each in lists:
        if texts < PROBE:
            probe.append(each)
            texts += len(each)
    seconds = timed(engine, probe)  # first run: allocations, page faults
    if seconds < limit / 2:  # else it is slow enough to be seen without a second run
        seconds = timed(engine, probe)
    room = limit * texts / seconds
    if sum(map(len, lists)) <= room:
        return len(lists)
    count = 0
    while count < len(lists) and sum(map(len, lists[: count + 1])) <= room:
        count += 1
    return max(1, count)


def answer(engine, request):
    lists = request["lists"]
    count = fitting(engine, lists, request["limit"]) if request["limit"] else len(lists)
    texts = [text for texts in lists[:count] for text in texts]
    start = time.perf_counter()
    results = engine.score(lists[:count])
    seconds = time.perf_counter() - start
    results = [(ids, [round(float(p), 6) for p in log_probs]) for ids, log_probs in results]
    return {"lists": count, "seconds": seconds, "padding": engine.padding, "texts": texts, "results": results}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--converted", type=Path, required=True, help="the folder of convert.py")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--batch", type=int, required=True)
    args = parser.parse_args()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not mix with the answers

    def send(message):
        out.write(json.dumps({**message, "peak_mb": peak_mb()}) + "\n")
        out.flush()

    try:
        engine = make_engine(args)
        engine.score([[WARM_UP]])
    except Exception as error:  # whatever a library raises, the row says it
        send({"error": f"{type(error).__name__}: {error}"})
        sys.exit(1)
    send({"ready": True})
    for line in sys.stdin:
        try:
            send(answer(engine, json.loads(line)))
        except Exception as error:
            send({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
