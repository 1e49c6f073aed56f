#!/usr/bin/env python3
"""Three processes of `rescorer serve` behind nginx, one of which is killed: are lists lost, and where do adapters go?

    benches/serve/balanced.py --rescorer RESCORER --model tests/fixtures/tiny-llama --adapters ADAPTERS --requests 100000

Starts the three and nginx with `packaging/nginx.conf`, on ports of its own. After a third of the requests one process is killed with
SIGKILL, after two thirds it is started again. Prints for each third how many lists were answered by which process, how many had no
answer, and how many adapters were answered by more than one process; at the end, whether the adapters of the two that lived
stayed with them, and those of the killed one came back. Exits with 1 if a list had no answer that was not with the killed process, or an adapter of the others moved.
"""

import asyncio
import collections
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults import WORDS, parser

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 16


def arguments():
    options = parser(__doc__)
    options.add_argument("--nginx", default="nginx")
    options.add_argument("--port", type=int, default=18740, help="of nginx; the processes have the three after it")
    return options.parse_args()


def serve(args, port):
    """A process that listens."""
    command = [args.rescorer, "serve", "--listen", f"127.0.0.1:{port}", "--model", args.model, "--adapters", args.adapters]
    command += ["--quiet", "--threads", "1"]
    process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
    if not any("listening on" in line for line in process.stderr):
        sys.exit(f"the server on port {port} did not start")
    return process


def balance(args, folder):
    """nginx with the configuration that the docs show, its ports changed, which says who answered."""
    shown = (ROOT / "packaging/nginx.conf").read_text()
    for place in range(4):
        shown = shown.replace(f"127.0.0.1:{8740 + place}", f"127.0.0.1:{args.port + place}")
    last = "proxy_next_upstream_tries 3;"
    assert last in shown
    shown = shown.replace(last, f"{last} add_header X-Rescorer $upstream_addr always;")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = f"daemon off;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\nerror_log {folder}/errors;\n{paths}{shown}}}\n"
    config = folder / "nginx.conf"
    config.write_text(text)
    return subprocess.Popen([args.nginx, "-e", str(folder / "errors"), "-p", str(folder), "-c", str(config)])


class Third:
    """What became of the lists of a third."""

    def __init__(self):
        self.by_process, self.lost = collections.Counter(), []
        self.places, self.last = collections.defaultdict(collections.Counter), {}

    def show(self, name):
        shared = sum(len(ports) > 1 for ports in self.places.values())
        counts = ", ".join(f"{port}: {count}" for port, count in sorted(self.by_process.items()))
        print(f"{name}: {counts}; {len(self.lost)} without an answer; {shared} of {len(self.places)} adapters with several", flush=True)


class Load:
    def __init__(self, args):
        self.args, self.draw, self.left = args, random.Random(args.seed), 0
        self.names = sorted(path.parent.name for path in args.adapters.glob("*/adapter_config.json"))

    async def worker(self, third):
        reader = writer = None
        while self.left > 0:
            self.left -= 1
            texts = [" ".join(self.draw.choices(WORDS, k=self.draw.randint(1, 8))) for _ in range(self.draw.randint(2, 6))]
            body = json.dumps({"hypotheses": texts}).encode()
            name = self.draw.choice(self.names)
            head = f"POST /v1/rescore?adapter={name} HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.args.port)
                writer.write(head.encode() + body)
                await writer.drain()
                fields = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                answer = await reader.readexactly(int(re.search(r"content-length: (\d+)", fields).group(1)))
                status = int(fields.split()[1])
                # nginx names all that it tried; the last one answered.
                ports = re.findall(r":(\d+)", re.search(r"x-rescorer: (.*)", fields).group(1))
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                third.lost.append((name, [], repr(error)))
                writer = None
                continue
            if status != 200 or b'"text"' not in answer:
                third.lost.append((name, ports, f"{status} {answer[:100]!r}"))
            else:
                third.by_process[ports[-1]] += 1
                third.places[name][ports[-1]] += 1
                third.last[name] = ports[-1]
            if "connection: close" in fields:
                writer.close()
                writer = None
        if writer:
            writer.close()

    async def run(self, third, count, meanwhile=None):
        """Sends so many lists; `meanwhile` happens once a few of them are under way."""
        self.left = count
        workers = [asyncio.create_task(self.worker(third)) for _ in range(CLIENTS)]
        if meanwhile:
            await asyncio.sleep(0.2)
            meanwhile()
        await asyncio.gather(*workers)


def main():
    args = arguments()
    ports = [args.port + place for place in (1, 2, 3)]
    killed = str(ports[1])
    with tempfile.TemporaryDirectory() as folder:
        processes = {port: serve(args, port) for port in ports}
        nginx = balance(args, Path(folder))
        time.sleep(1)
        load, thirds = Load(args), [Third() for _ in range(3)]
        begun = time.monotonic()
        asyncio.run(load.run(thirds[0], args.requests // 3))
        thirds[0].show("three processes")
        asyncio.run(load.run(thirds[1], args.requests // 3, lambda: processes[ports[1]].send_signal(signal.SIGKILL)))
        thirds[1].show(f"{killed} killed meanwhile")
        processes[ports[1]].wait()
        processes[ports[1]] = serve(args, ports[1])
        # nginx asks it again after `fail_timeout`.
        time.sleep(6)
        asyncio.run(load.run(thirds[2], args.requests - 2 * (args.requests // 3)))
        thirds[2].show(f"{killed} started again")
        took = time.monotonic() - begun
        nginx.terminate()
        for process in processes.values():
            process.terminate()
        codes = [process.wait(timeout=60) for process in processes.values()] + [nginx.wait(timeout=60)]
    home = {name: places.most_common(1)[0][0] for name, places in thirds[0].places.items()}
    moved = [name for name, port in home.items() if port != killed and any(set(third.places[name]) - {port} for third in thirds)]
    # The first few lists after its return go elsewhere still: nginx first sees one answered.
    back = sum(thirds[2].last.get(name) == killed for name, port in home.items() if port == killed)
    of_killed = sum(port == killed for port in home.values())
    lost = [one for third in thirds for one in third.lost]
    living = [one for one in lost if killed not in one[1]]
    print(f"{args.requests} lists in {took:.0f} s; {len(lost)} without an answer, {len(living)} of them not with the killed process")
    print(f"adapters: {len(home) - of_killed} of the living, {len(moved)} moved; {of_killed} of the killed, {back} came back")
    print(f"exit codes {codes}")
    for one in lost[:5]:
        print(one)
    sys.exit(bool(living or moved or back < of_killed or any(codes)))


if __name__ == "__main__":
    main()
