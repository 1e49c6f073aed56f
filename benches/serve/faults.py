#!/usr/bin/env python3
"""Sends `rescorer serve` requests of which many go wrong, and looks whether it loses any, or memory, or descriptors.

    benches/serve/faults.py --rescorer RESCORER --model tests/fixtures/tiny-llama --adapters ADAPTERS --requests 100000

Starts a server of its own. Of 100 requests some 75 are lists, with one of the adapters or none; the others are clients that hang up in
the middle of a body or before the answer, bodies that are no lists, adapters that are not there, and JSON Lines that break off.
Every good list must be answered. Prints the requests by kind, and memory and descriptors after a tenth of the requests and at the
end; exits with 1 where a good list had no answer, the server ended, or memory grew by more than 5%.
"""

import argparse
import asyncio
import collections
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

WORKERS = 16
WORDS = "the cat hat sat write right it down here hear their there".split()


def parser(about):
    """The options of a script that sends many requests to servers of its own; `about` is its help."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--rescorer", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapters", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    return parser


def memory(pid):
    """Resident memory in MB, and open descriptors."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir()))


class Load:
    def __init__(self, args, port):
        self.args, self.port = args, port
        self.draw = random.Random(args.seed)
        self.names = [path.parent.name for path in args.adapters.glob("*/adapter_config.json")]
        self.kinds, self.lost, self.left = collections.Counter(), [], args.requests

    def list(self):
        texts = [" ".join(self.draw.choices(WORDS, k=self.draw.randint(1, 8))) for _ in range(self.draw.randint(1, 6))]
        record = {"hypotheses": texts}
        if self.draw.random() < 0.5:
            record["adapter"] = self.draw.choice(self.names)
        return json.dumps(record).encode()

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, stream, body, kind="application/json", length=None):
        reader, writer = stream
        head = f"POST /v1/rescore HTTP/1.1\r\nHost: t\r\nContent-Type: {kind}\r\nContent-Length: {length or len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    async def answer(self, stream):
        head = (await stream[0].readuntil(b"\r\n\r\n")).decode().lower()
        body = await stream[0].readexactly(int(re.search(r"content-length: (\d+)", head).group(1)))
        return int(head.split()[1]), body

    async def worker(self):
        stream = await self.open()
        while self.left > 0:
            self.left -= 1
            number = self.draw.random()
            if number < 0.75:
                self.kinds["list"] += 1
                await self.ask(stream, self.list())
                status, body = await self.answer(stream)
                if status != 200 or b'"text"' not in body:
                    self.lost.append((status, body[:200]))
            elif number < 0.80:
                self.kinds["hangs up in the body"] += 1
                other = await self.open()
                await self.ask(other, b'{"hypotheses": ["a', length=500)
                other[1].close()
            elif number < 0.85:
                self.kinds["hangs up before the answer"] += 1
                other = await self.open()
                await self.ask(other, self.list())
                other[1].transport.abort()
            elif number < 0.90:
                self.kinds["lines that break off"] += 1
                other = await self.open()
                await self.ask(other, self.list() + b"\n" + self.list() + b"\n{", "application/x-ndjson", 5000)
                other[1].close()
            else:
                self.kinds["no list"] += 1
                bodies = [b"", b"hello", b"{", b'{"hypotheses": []}', b'{"hypotheses": ["a"], "adapter": "nobody"}', b"[" * 500]
                await self.ask(stream, self.draw.choice(bodies))
                status, _ = await self.answer(stream)
                if status not in (400, 404, 422):
                    self.lost.append((status, b"a wrong list"))
        stream[1].close()

    async def run(self, part):
        self.left = part
        await asyncio.gather(*(self.worker() for _ in range(WORKERS)))


def main():
    args = parser(__doc__).parse_args()
    command = [args.rescorer, "serve", "--listen", "127.0.0.1:0", "--model", args.model, "--adapters", args.adapters, "--quiet"]
    server = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    port = next(int(found.group(1)) for line in server.stderr if (found := re.search(r"listening on \S+:(\d+)", line)))
    load = Load(args, port)
    begun = time.monotonic()
    asyncio.run(load.run(args.requests // 10))
    time.sleep(1)
    warm = memory(server.pid)
    asyncio.run(load.run(args.requests - args.requests // 10))
    took = time.monotonic() - begun
    time.sleep(1)
    end = memory(server.pid) if server.poll() is None else (float("inf"), 0)
    for kind, count in sorted(load.kinds.items()):
        print(f"{count:7} {kind}")
    print(f"{took:.0f} s; {warm[0]:.1f} MB and {warm[1]} descriptors after a tenth, {end[0]:.1f} MB and {end[1]} at the end")
    server.terminate()
    code = server.wait(timeout=60)
    print(f"{len(load.lost)} good lists without an answer, exit code {code}")
    sys.exit(bool(load.lost) or code != 0 or end[0] > 1.05 * warm[0] or end[1] > warm[1])


if __name__ == "__main__":
    main()
