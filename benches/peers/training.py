"""Steps of training: PyTorch + PEFT and ours on the same lists, in turns.

    benches/peers/run --no-install --help        # once without --no-install makes the environment
    PYTHON=~/.cache/rescorer/peers-venv/bin/python
    $PYTHON -m pip install -r benches/peers/requirements-training.txt
    $PYTHON benches/peers/training.py --lists LISTS --model GGUF --rescorer BINARY

LoRA of rank 8 on queries and values, or on all linear layers, AdamW, batches of 16 lists. Ours in `--precision`, theirs in f32 or,
with `--bf16`, under autocast. `nll`: the references.
`mwer`: all distinct hypotheses of the lists that have better and worse ones. `text`: the references as lines of a text,
with as many tokens a step as 16 of them have on average. Each round takes the next lists; both do one epoch over them, the
order turns round. The clock is that of the steps: loading and reading are not in it. Tokens are those of the references or
hypotheses with EOS, without padding, repeats and shared beginnings counted in full, for both alike.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from edits import edits
from engines import BOS, EOS
from lists import read

RATE, CLIP = 1e-3, 1.0
LINEAR = ["q_proj", "v_proj", "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Peer:
    """Pads a batch to its longest text; labels of the padding are ignored."""

    def __init__(self, model, threads, targets, bf16):
        torch.set_num_threads(threads)
        self.bf16 = bf16
        path = Path(model)
        self.tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        base = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
        config = LoraConfig(r=8, lora_alpha=16, target_modules=targets, task_type="CAUSAL_LM")
        self.model = get_peft_model(base, config).train()
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=RATE, weight_decay=0.0)

    def batch(self, texts):
        rows = [[BOS, *ids, EOS] for ids in self.tokenizer(texts, add_special_tokens=False)["input_ids"]]
        width = max(map(len, rows))
        ids = torch.tensor([row + [EOS] * (width - len(row)) for row in rows])
        labels = torch.tensor([row + [-100] * (width - len(row)) for row in rows])
        return ids, labels, int((labels[:, 1:] >= 0).sum())

    def nll(self, lists):
        ids, labels, tokens = self.batch([utterance.reference for utterance in lists])
        return self.model(input_ids=ids, labels=labels, use_cache=False).loss, tokens

    text = nll

    def mwer(self, lists):
        texts, firsts, errors, bounds = [], [], [], [0]
        for utterance in lists:
            for text, score in utterance.distinct().items():
                texts.append(text)
                firsts.append(score)
                errors.append(float(edits(utterance.reference.split(), text.split())))
            bounds.append(len(texts))
        ids, labels, tokens = self.batch(texts)
        logits = self.model(input_ids=ids[:, :-1], use_cache=False).logits.float()
        targets = labels[:, 1:]
        picked = logits.gather(2, targets.clamp(min=0)[..., None])[..., 0] - torch.logsumexp(logits, 2)
        totals = (picked * (targets >= 0)).sum(1) + torch.tensor(firsts)
        errors = torch.tensor(errors)
        losses = [
            (torch.softmax(totals[a:b], 0) * (errors[a:b] - errors[a:b].mean())).sum()
            for a, b in zip(bounds, bounds[1:])
        ]
        return torch.stack(losses).mean(), tokens

    def epoch(self, lists, objective, batch):
        tokens, started, losses = 0, time.perf_counter(), []
        for start in range(0, len(lists), batch):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.bf16):
                loss, count = getattr(self, objective)(lists[start : start + batch])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
            self.optimizer.step()
            self.optimizer.zero_grad()
            tokens += count
            losses.append(loss.item())
        return tokens, time.perf_counter() - started, losses


def ours(args, lists, objective, tokens_a_step):
    """Tokens, seconds, losses and peak memory of one epoch."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lists.jsonl"
        command = [args.rescorer, "train", "--output", Path(folder) / "out", "--model", args.model]
        command += ["--precision", args.precision, "--threads", args.threads, "--learning-rate", RATE, "--clip", CLIP]
        command += ["--schedule", "constant", "--warmup", 0, "--json", "--quiet", "--checkpoint-every", 1_000_000]
        command += ["--set", f"adapter.targets={json.dumps(args.targets)}"]
        if objective == "text":
            path.write_text("".join(utterance.reference + "\n" for utterance in lists))
            command += ["--text", path, "--text-casing", "keep", "--set", f"training.text_batch={tokens_a_step}"]
        else:
            path.write_text("".join(utterance.line() + "\n" for utterance in lists))
            command += ["--train", path, "--batch", args.batch, f"--{objective}", 1]
        timed = ["/usr/bin/env", "python3", "-c", MEASURE, *map(str, command)]
        done = subprocess.run(timed, check=True, capture_output=True, text=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    steps = [event for event in events if event["event"] == "step"]
    memory = int(done.stderr.strip().splitlines()[-1])
    return sum(s["tokens"] for s in steps), sum(s["seconds"] for s in steps), [s["loss"] for s in steps], memory


# Runs a command and says its peak memory, in KiB, as the last line on stderr.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def usable(utterance):
    errors = {edits(utterance.reference.split(), text.split()) for text in utterance.distinct()}
    return len(errors) > 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lists", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rescorer", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--objectives", nargs="+", default=["nll", "mwer"], choices=("nll", "mwer", "text"))
    parser.add_argument("--all-layers", action="store_true", help="adapters on all linear layers")
    parser.add_argument("--precision", default="auto", help="ours: auto, int8 or f32")
    parser.add_argument("--bf16", action="store_true", help="PyTorch under bf16 autocast")
    args = parser.parse_args()
    args.targets = LINEAR if args.all_layers else LINEAR[:2]
    lists = read(args.lists)
    random.Random(0).shuffle(lists)
    peer = Peer(args.model, args.threads, args.targets, args.bf16)
    for objective in args.objectives:
        chosen = [utterance for utterance in lists if usable(utterance)] if objective == "mwer" else lists
        rows = []
        for number in range(args.rounds):
            size = args.steps * args.batch
            piece = chosen[number * size : (number + 1) * size]
            tokens_a_step = peer.batch([utterance.reference for utterance in piece])[2] // args.steps
            if number % 2:
                own, other = ours(args, piece, objective, tokens_a_step), peer.epoch(piece, objective, args.batch)
            else:
                other, own = peer.epoch(piece, objective, args.batch), ours(args, piece, objective, tokens_a_step)
            # The last step on a text is filled with its first lines once more.
            if own[0] != other[0] and objective != "text":
                sys.exit(f"{objective}: {own[0]} tokens against {other[0]}: the texts differ")
            rows.append((own[0] / own[1], other[0] / other[1], own[3]))
            print(
                f"{objective} round {number + 1}: {rows[-1][0]:.0f} tokens/s, PyTorch + PEFT {rows[-1][1]:.0f}, "
                f"ratio {rows[-1][0] / rows[-1][1]:.2f}; losses {own[2][0]:.3f} to {own[2][-1]:.3f}, "
                f"{other[2][0]:.3f} to {other[2][-1]:.3f}",
                flush=True,
            )
        ratio = statistics.median(own / other for own, other, _ in rows)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{objective}: median ratio {ratio:.2f}, peak {max(r[2] for r in rows) // 1024} MiB, PyTorch {peak} MiB")


if __name__ == "__main__":
    main()
