#!/usr/bin/env python3
"""Says what `rescorer serve` takes: memory by the number of loaded adapters, and processor time of a list.

    benches/serve/sizing.py examples/demo/test.jsonl --rescorer RESCORER --from rescorer/engine/adapters/speech

Starts a server of its own with one thread at the model, and copies of the adapter in a folder of its own. Memory is what is resident once
each adapter has answered a list. Processor time is that of the whole process, so other work on the machine does not count; lists come
one at a time or sixteen together, each with another adapter.
"""

import argparse
import concurrent.futures
import http.client
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

TOGETHER = 16


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lists", type=Path)
    parser.add_argument("--rescorer", required=True)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder of the adapter to copy")
    parser.add_argument("--adapters", type=int, nargs="+", default=[0, 10, 50, 100], help="how many are loaded")
    parser.add_argument("--nbest", type=int, default=5, help="hypotheses of a list at most")
    parser.add_argument("--sent", type=int, default=200, help="lists of each measurement")
    return parser.parse_args()


class Server:
    def __init__(self, args, folder):
        command = [args.rescorer, "serve", "--listen", "127.0.0.1:0", "--model", args.model, "--adapters", folder]
        command += ["--adapter-memory", "8192", "--threads", "1", "--device", "cpu", "--quiet", "--offline"]
        self.process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
        found = (re.search(r"listening on \S+:(\d+)", line) for line in self.process.stderr)
        self.port = next(int(one.group(1)) for one in found if one)

    def ask(self, body, name=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/v1/rescore" + (f"?adapter={name}" if name else ""), body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = response.read()
        assert response.status == 200, answer
        connection.close()

    def memory(self):
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def processor(self):
        """Seconds of all threads so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cost(self, bodies, names, together):
        """Milliseconds of processor time for a list."""
        begun = self.processor()
        with concurrent.futures.ThreadPoolExecutor(together) as pool:
            list(pool.map(self.ask, bodies, itertools.cycle(names or [None])))
        return 1e3 * (self.processor() - begun) / len(bodies)


def main():
    args = arguments()
    records = [json.loads(line) for line in args.lists.read_text().splitlines() if line.strip()]
    records = itertools.islice(itertools.cycle(records), args.sent)
    bodies = [json.dumps({"hypotheses": record["hypotheses"][: args.nbest]}).encode() for record in records]
    print("| adapters | MB | ms of a list, alone | sixteen together | lists a second of a core |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        names = []
        server = Server(args, folder)
        for count in args.adapters:
            while len(names) < count:
                names.append(f"copy-{len(names):03}")
                shutil.copytree(args.source, Path(folder) / names[-1])
                connection = http.client.HTTPConnection("127.0.0.1", server.port)
                connection.request("PUT", f"/v1/adapters/{names[-1]}")
                assert connection.getresponse().status == 200
            server.cost(bodies[: max(count, 20)], names, TOGETHER)
            for name in names:
                server.ask(bodies[0], name)
            memory = server.memory()
            alone, together = server.cost(bodies, names, 1), server.cost(bodies, names, TOGETHER)
            print(f"| {count} | {memory:.0f} | {alone:.1f} | {together:.1f} | {1e3 / together:.0f} |", flush=True)
        server.process.terminate()
        assert server.process.wait(timeout=60) == 0


if __name__ == "__main__":
    main()
