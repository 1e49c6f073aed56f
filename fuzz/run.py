#!/usr/bin/env python3
"""Builds the fuzz targets, makes their first inputs and runs each for some minutes; prints what each did as a table.

    fuzz/run.py --minutes 20                 # all of them, one after the other: what a night is for
    fuzz/run.py --minutes 1 gguf adapter     # these

Needs cargo-fuzz (`cargo install cargo-fuzz`). A stable toolchain takes the flags too. Inputs that fail stay in artifacts/; the exit
code is then 1.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MEMORY = pathlib.Path("/dev/shm")
# A file that says it is large is refused, not read: no input takes more than this.
LIMITS = ["-rss_limit_mb=2048", "-malloc_limit_mb=512", "-timeout=20"]
LONGEST = {"gguf": 200_000, "folder": 260_000, "adapter": 20_000, "nbest": 16_384, "columns": 16_384}
PROGRESS = re.compile(r"#(\d+)\s.*cov: (\d+) ft: (\d+) corp: (\d+)")


def environment():
    env = {**os.environ, "RUSTC_BOOTSTRAP": "1", "RAYON_NUM_THREADS": "1"}
    if MEMORY.is_dir():
        env["TMPDIR"] = str(MEMORY)
    return env


def targets():
    return sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))


def run(target, minutes):
    """The last progress of a run, and whether it ended well."""
    options = [f"-max_total_time={round(minutes * 60)}", f"-max_len={LONGEST.get(target, 4096)}", *LIMITS]
    dictionary = HERE / "dictionaries" / f"{target}.dict"
    if dictionary.exists():
        options.append(f"-dict={dictionary}")
    (HERE / "corpus" / target).mkdir(parents=True, exist_ok=True)
    command = ["cargo", "fuzz", "run", target, "--", *options]
    done = subprocess.run(command, cwd=HERE, env=environment(), stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    lines = [match for match in map(PROGRESS.search, done.stderr.splitlines()) if match]
    if done.returncode != 0:
        print(f"{target}:\n" + "\n".join(done.stderr.splitlines()[-40:]), file=sys.stderr)
    return target, lines[-1].groups() if lines else ("0", "0", "0", "0"), done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", help="which; all if none is named")
    parser.add_argument("--minutes", type=float, default=1, help="for each target")
    parser.add_argument("--together", type=int, default=1, help="targets that run at the same time")
    args = parser.parse_args()
    unknown = set(args.targets) - set(targets())
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}; there are {', '.join(targets())}")
    subprocess.run([sys.executable, HERE / "seeds.py"], check=True)
    subprocess.run(["cargo", "fuzz", "build"], cwd=HERE, env=environment(), check=True)
    print("| target | inputs tried | edges covered | features | corpus | |")
    print("|---|---|---|---|---|---|")
    good = True
    with concurrent.futures.ThreadPoolExecutor(args.together) as pool:
        for target, numbers, well in pool.map(lambda target: run(target, args.minutes), args.targets or targets()):
            print(f"| `{target}` | {' | '.join(numbers)} | {'' if well else 'failed'} |", flush=True)
            good &= well
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
