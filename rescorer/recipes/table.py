#!/usr/bin/env python3
"""Trains recipes over seeds and evaluates each adapter once on a test file: the tables of docs/adapters-results.md.

    rescorer/recipes/table.py --rescorer target/debug/rescorer --train atis-train.json --test atis-test.json \
        --output runs --recipes lora-nll rank-allocated-nll --seeds 1 2 3 -- --dev-share 0.15

What follows `--` goes to `rescorer train`. The test file is excluded from training by id, and the fusion is tuned on lists that
training held out. A run that is broken off goes on; a finished one is not done again, so `--output` alone prints what is there:

    rescorer/recipes/table.py --output rescorer/recipes/results/atis --recipes lora-nll rank-allocated-nll --seeds 1 2 3

Without --test only the held-out lists are looked at: that is how settings are chosen. Prints a Markdown table, the bounds of the
interval as means over the seeds; `runs/NAME-SEED/result.json` has everything.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def arguments():
    own, rest = sys.argv[1:], []
    if "--" in own:
        at = own.index("--")
        own, rest = own[:at], own[at + 1 :]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rescorer", default="rescorer", help="the binary")
    parser.add_argument("--model", help="the model that adapters are for; left out: the default one")
    parser.add_argument("--train", nargs="+")
    parser.add_argument("--test")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--recipes", nargs="+", required=True, help="names of this folder, or paths")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    return parser.parse_args(own), rest


def run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}")
    return done.stdout


def of_model(args):
    return ["--model", args.model] if args.model else []


def train(args, rest, recipe, seed, folder):
    command = [args.rescorer, "train", recipe, "--output", folder, "--seed", seed, "--train", ",".join(args.train)]
    if args.test:
        command += ["--exclude", args.test]
    run([*command, *of_model(args), *rest])
    events = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    steps = [event for event in events if event["event"] == "step"]
    # A stage ends with the matrices of its best look.
    looks = [event for event in events if event["event"] == "dev" and event["is_best"]]
    weights = folder / "adapter_model.safetensors"
    return {
        "parameters": max(event["parameters"] for event in events if event["event"] == "stage"),
        "steps": len(steps),
        "seconds_per_step": statistics.mean(step["seconds"] for step in steps),
        "tokens_per_second": sum(step["tokens"] for step in steps) / sum(step["seconds"] for step in steps),
        "dev_first_pass_wer": looks[-1]["first_pass_wer"] if looks else None,
        "dev_wer": looks[-1]["rescored_wer"] if looks else None,
        "file_bytes": weights.stat().st_size if weights.exists() else None,
    }


def evaluate(args, folder):
    whole = (folder / "model").exists()
    model = ["--model", folder / "model"] if whole else ["--adapter", folder, *of_model(args)]
    command = [args.rescorer, "evaluate", args.test, "--policy", folder / "policy.toml", "--json", "--quiet"]
    return json.loads(run([*command, "--rows", folder / "rows.jsonl", *model]))


def main():
    args, rest = arguments()
    rows = {}
    for name in args.recipes:
        recipe = Path(name) if Path(name).exists() else HERE / f"{name}.toml"
        for seed in args.seeds:
            folder = args.output / f"{recipe.stem}-{seed}"
            result = folder / "result.json"
            if not result.exists():
                if not args.train:
                    sys.exit(f"{folder} holds no finished run; give --train FILE")
                found = train(args, rest, recipe, seed, folder)
                if args.test:
                    found["test"] = evaluate(args, folder)
                result.write_text(json.dumps(found, indent=1) + "\n")
            rows.setdefault(recipe.stem, []).append(json.loads(result.read_text()))
            print(f"{recipe.stem}, seed {seed}: dev {rows[recipe.stem][-1]['dev_wer']}", file=sys.stderr, flush=True)
    print("| recipe | seeds | parameters | file | s/step | dev WER | test WER | 95% | first pass |\n|---|---|---|---|---|---|---|---|---|")
    for name, found in rows.items():
        mean = lambda key: statistics.mean(row[key] for row in found)  # noqa: E731
        size = f"{mean('file_bytes') / 1e6:.1f} MB" if found[0]["file_bytes"] else "-"
        test, first = "- | -", "-"
        if "test" in found[0]:
            wers = [row["test"]["rescored_wer"] for row in found]
            low, high = (statistics.mean(row["test"]["ci95"][end] for row in found) for end in (0, 1))
            test = f"{statistics.mean(wers):.2f} ({', '.join(f'{wer:.2f}' for wer in wers)}) | {low:.2f}–{high:.2f}"
            first = f"{found[0]['test']['first_pass_wer']:.2f}"
        print(
            f"| {name} | {len(found)} | {mean('parameters'):.0f} | {size} | {mean('seconds_per_step'):.2f} | "
            f"{mean('dev_wer'):.2f} | {test} | {first} |"
        )


if __name__ == "__main__":
    main()
