"""Loads an adapter of ours in Hugging Face PEFT and compares its scores with ours.

    python3 -m venv ref && ref/bin/pip install torch==2.15.0 transformers==5.24.0 tokenizers==0.23.3 gguf==0.19.0 peft==0.21.2
    ref/bin/python tests/peft/check_export.py ADAPTER --model MODEL --rescorer BINARY --text FILE

MODEL is a Hugging Face folder or a GGUF file, TEXT a file of sentences. Exit code 0 where all totals agree.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer


def load(path):
    path = Path(path)
    options = {"gguf_file": path.name} if path.is_file() else {}
    folder = path.parent if path.is_file() else path
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    return tokenizer, AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **options)


@torch.no_grad()
def total(model, tokenizer, text):
    ids = [tokenizer.bos_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    logprobs = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0, :-1].double(), -1)
    return logprobs.gather(1, torch.tensor(ids[1:])[:, None]).sum().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adapter")
    parser.add_argument("--model", required=True)
    parser.add_argument("--rescorer", required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--tolerance", type=float, default=1e-2)
    args = parser.parse_args()
    tokenizer, base = load(args.model)
    model = PeftModel.from_pretrained(base, args.adapter).eval()
    command = [args.rescorer, "score", "--text", args.text, "--json", "--quiet", "--device", "cpu"]
    command += ["--model", args.model, "--adapter", args.adapter]
    ours = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    largest = 0.0
    for line in ours.splitlines():
        row = json.loads(line)
        expected = total(model, tokenizer, row["text"])
        largest = max(largest, abs(expected - row["lm_score"]))
        if abs(expected - row["lm_score"]) > args.tolerance:
            print(f"{row['text']!r}: {row['lm_score']:.5f}, PEFT {expected:.5f}")
    print(f"{len(ours.splitlines())} sentences, largest difference {largest:.2e}, tolerance {args.tolerance:.0e}")
    sys.exit(largest > args.tolerance)


if __name__ == "__main__":
    main()
