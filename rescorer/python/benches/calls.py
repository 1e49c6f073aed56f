"""What a call costs through Python: the same lists, one call each, in turns with a Rust program of the same build.

    cargo build -p rescorer-python --examples
    python rescorer/python/benches/calls.py --rust target/debug/examples/rust_calls --model MODEL.gguf --precision int8

Both sides compute on one thread. The measure is CPU time of the process, all threads, since others may be using the machine.
Lists come from examples/demo, the first hypotheses of each.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "1"
import rescorer  # noqa: E402

DEMO = Path(__file__).resolve().parents[3] / "examples" / "demo" / "test.jsonl"


def cpu_seconds(process):
    """CPU time of all threads of a process."""
    tasks = Path(f"/proc/{process}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rust", required=True, help="the example rust_calls")
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--lists", type=int, default=20)
    parser.add_argument("--hypotheses", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    rows = []
    with open(DEMO, encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            row["hypotheses"] = row["hypotheses"][: args.hypotheses]
            if len(row["hypotheses"]) == args.hypotheses and len(rows) < args.lists:
                rows.append(row)
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
        file.flush()
        rust = subprocess.Popen(
            [args.rust, args.model, args.precision, file.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        rust.stdout.readline()
    second_pass = rescorer.Rescorer.from_pretrained(args.model, lm_weight=0.5, precision=args.precision, device="cpu")

    def in_rust():
        before = cpu_seconds(rust.pid)
        rust.stdin.write("go\n")
        rust.stdin.flush()
        total = float(rust.stdout.readline())
        return cpu_seconds(rust.pid) - before, total

    def in_python():
        before = cpu_seconds("self")
        total = 0.0
        for row in rows:
            result = second_pass.rescore(row)
            # What a program would look at.
            total += result.totals[result.position] + 0 * len(result.text)
        return cpu_seconds("self") - before, total

    in_rust(), in_python()
    pairs = []
    for number in range(args.rounds):
        first, second = (in_rust, in_python) if number % 2 else (in_python, in_rust)
        a, b = first(), second()
        (rust_seconds, expected), (seconds, found) = (a, b) if first is in_rust else (b, a)
        assert abs(expected - found) < 1e-3 * len(rows), (expected, found)
        pairs.append((rust_seconds, seconds))
    rust.stdin.close()
    each = [1e3 * statistics.median(side) / len(rows) for side in zip(*pairs)]
    ratios = sorted(python / rust for rust, python in pairs)
    print(
        f"{len(rows)} lists of {args.hypotheses}, {args.rounds} rounds, {args.precision}: Rust {each[0]:.3f} ms a list, Python "
        f"{each[1]:.3f} ms (medians); ratio {each[1] / each[0]:.3f}, of single rounds {ratios[0]:.3f} to {ratios[-1]:.3f}, "
        f"median {statistics.median(ratios):.3f}"
    )


if __name__ == "__main__":
    main()
