"""transformers + PyTorch, as a good rescoring script uses it: batches of texts sorted by length.

Kind to the peer: right padding needs no attention mask under causal attention, no cache is kept, EOS is not fed,
and `logsumexp` of the chosen logits is cheaper than a whole `log_softmax`.
"""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from . import BOS, EOS
from .texts import flat

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class TorchEngine:
    def __init__(self, model, precision, threads, device, batch):
        torch.set_num_threads(threads)
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("PyTorch sees no CUDA device")
        path = Path(model)
        self.device, self.batch, self.padding = device, batch, 1.0
        self.tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=TYPES[precision])
        self.model = loaded.to(device).eval()

    def score(self, lists):
        """For each text its ids, EOS included, and their log-probabilities."""
        texts = flat(lists)
        encoded = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
        results, fed = [None] * len(texts), 0
        for start in range(0, len(order), self.batch):
            chosen = order[start : start + self.batch]
            ids = [encoded[index] for index in chosen]
            for index, log_probs in zip(chosen, self.forward(ids)):
                results[index] = (encoded[index] + [EOS], log_probs)
            fed += len(ids) * (1 + len(ids[-1]))
        self.padding = fed / max(1, sum(1 + len(ids) for ids in encoded))
        return results

    @torch.inference_mode()
    def forward(self, sequences):
        longest = 1 + max(map(len, sequences))
        inputs = torch.full((len(sequences), longest), EOS)
        targets = torch.full((len(sequences), longest), EOS)
        for row, ids in enumerate(sequences):
            inputs[row, : len(ids) + 1] = torch.tensor([BOS, *ids])
            targets[row, : len(ids)] = torch.tensor(ids, dtype=torch.long)
        logits = self.model(input_ids=inputs.to(self.device), use_cache=False).logits.float()  # [batch, longest, vocab]
        chosen = logits.gather(2, targets.to(self.device)[:, :, None]).squeeze(2)
        log_probs = (chosen - torch.logsumexp(logits, 2)).tolist()
        return [row[: len(ids) + 1] for row, ids in zip(log_probs, sequences)]


def make(args):
    kind = args.engine.removeprefix("torch-")
    if kind.startswith("tree-"):
        from .torch_tree import TorchTree

        return TorchTree(args.converted, kind.removeprefix("tree-"), args.threads, args.device)
    return TorchEngine(args.model, kind, args.threads, args.device, args.batch)
