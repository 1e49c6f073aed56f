#!/usr/bin/env python3
"""Loads `rescorer serve` with lists that come by chance, and says how soon they were answered.

    rescorer serve --adapters ADAPTERS &
    benches/serve/load.py lists.jsonl --adapters ADAPTERS --rates 5 10 20 --deadline-ms 200

The arrivals are a Poisson process: lists come whether or not earlier ones are answered. Which adapter a list names is drawn by Zipf's
law (`--zipf 1`), so few adapters are popular and most are not loaded. `--make N` first makes N adapters in the folder out of the
one that lies in `--from`, of ranks 4 to 64 in turn, by repeating its ranks with less strength.

Prints a row for each rate: what was asked and answered a second, the times of answers, the share answered in time, and the share
answered in time and whole, which is neither cut short nor the recogniser's own choice.
"""

import argparse
import asyncio
import json
import random
import shutil
import struct
import time
from pathlib import Path

RANKS = (4, 8, 16, 32, 64)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lists", type=Path)
    parser.add_argument("--address", default="127.0.0.1:8741")
    parser.add_argument("--adapters", type=Path, help="the server's folder of adapters; left out: lists name none")
    parser.add_argument("--make", type=int, default=0, help="adapters to make before anything is sent")
    parser.add_argument("--from", dest="source", type=Path, help="folder of the adapter to make them of")
    parser.add_argument("--rates", type=float, nargs="+", default=[5.0], help="lists a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--deadline-ms", type=int, default=200)
    parser.add_argument("--late", action="store_true", help="do not tell the server of the deadline")
    parser.add_argument("--zipf", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def make(count, source, folder):
    """Adapters of several ranks that compute nearly the same, with policies and without."""
    weights = (source / "adapter_model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", weights[:8])
    head = json.loads(weights[8 : 8 + size])
    config = json.loads((source / "adapter_config.json").read_text())
    for number in range(count):
        rank = RANKS[number % len(RANKS)]
        name = folder / f"made-{number:03}"
        if name.exists():
            continue
        times = max(rank // config["r"], 1)
        new, body, at = {}, [], 0
        for key, tensor in head.items():
            if key == "__metadata__":
                new[key] = tensor
                continue
            begin, end = tensor["data_offsets"]
            data = weights[8 + size + begin : 8 + size + end]
            rows, columns = tensor["shape"]
            if "lora_A" in key:
                data, shape = data * times, [rows * times, columns]
            else:
                width = len(data) // rows
                data = b"".join(data[row * width : (row + 1) * width] * times for row in range(rows))
                shape = [rows, columns * times]
            new[key] = {**tensor, "shape": shape, "data_offsets": [at, at + len(data)]}
            body.append(data)
            at += len(data)
        text = json.dumps(new).encode()
        name.mkdir(parents=True)
        # The mean of the copies is the adapter itself: alpha / r falls as the ranks grow.
        (name / "adapter_config.json").write_text(json.dumps({**config, "r": config["r"] * times}))
        (name / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + b"".join(body))
        if number % 2 == 0 and (source / "policy.toml").exists() and times == 1:
            shutil.copy(source / "policy.toml", name)


async def ask(pool, host, port, path, body):
    """Sends a request over a connection that is free; status and answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    while True:
        reader, writer = pool.pop() if pool else await asyncio.open_connection(host, port)
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            break
        except (asyncio.IncompleteReadError, ConnectionError):
            # The server had closed a connection that was free for long.
            writer.close()
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    answer = await reader.readexactly(int(fields["content-length"]))
    pool.append((reader, writer))
    return int(lines[0].split()[1]), json.loads(answer)


def percentile(times, share):
    return sorted(times)[min(int(share * len(times)), len(times) - 1)] if times else float("nan")


async def load(args, lists, names, rate):
    draw = random.Random(args.seed)
    host, port = args.address.rsplit(":", 1)
    path = "/v1/rescore" + ("" if args.late else f"?deadline_ms={args.deadline_ms}")
    weights = [1 / (place + 1) ** args.zipf for place in range(len(names))]
    pool, done, tasks = [], [], []

    async def one(body):
        begun = time.perf_counter()
        status, answer = await ask(pool, host, port, path, body)
        done.append((1e3 * (time.perf_counter() - begun), status, answer.get("served", "whole")))

    begun = time.perf_counter()
    due = 0.0
    while due < args.seconds:
        record = dict(draw.choice(lists))
        if names:
            record["adapter"] = draw.choices(names, weights)[0]
        await asyncio.sleep(max(0.0, begun + due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(json.dumps(record).encode())))
        due += draw.expovariate(rate)
    await asyncio.gather(*tasks)
    took = time.perf_counter() - begun
    good = [row for row in done if row[1] == 200]
    in_time = [row for row in good if row[0] <= args.deadline_ms]
    whole = [row for row in in_time if row[2] == "whole"]
    times = [row[0] for row in good]
    print(
        f"| {rate:g} | {len(done)} | {len(good) / took:.1f} | {percentile(times, 0.5):.0f} | {percentile(times, 0.99):.0f} "
        f"| {100 * len(in_time) / len(done):.1f} | {100 * len(whole) / len(done):.1f} | {len(done) - len(good)} |",
        flush=True,
    )


def main():
    args = arguments()
    if args.make:
        make(args.make, args.source, args.adapters)
    lists = [json.loads(line) for line in args.lists.read_text().splitlines() if line.strip()]
    lists = [{key: record[key] for key in ("id", "hypotheses") if key in record} for record in lists]
    names = sorted(path.parent.name for path in args.adapters.glob("*/adapter_config.json")) if args.adapters else []
    print(f"{len(names)} adapters, {args.seconds:g} s of each rate, {args.deadline_ms} ms")
    print("| lists/s | sent | answered/s | p50 ms | p99 ms | in time % | whole and in time % | failed |")
    print("|---|---|---|---|---|---|---|---|")
    for rate in args.rates:
        asyncio.run(load(args, lists, names, rate))


if __name__ == "__main__":
    main()
