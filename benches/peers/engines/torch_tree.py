"""PyTorch in its strong form: the prefixes of several lists packed into one row, with a 4-D mask and position ids.

A prefix is computed once, and there are no padding tokens.
"""

import torch

from .edge_model import EdgeModel
from .edge_model_inputs import inputs
from .texts import TextEncoder
from .trie import TrieEngine

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class TorchTree(TrieEngine):
    def __init__(self, converted, precision, threads, device):
        torch.set_num_threads(threads)
        if device == "cuda" and not torch.cuda.is_available():
            raise RuntimeError("PyTorch sees no CUDA device")
        self.device, self.dtype = device, TYPES[precision]
        self.encode = TextEncoder(converted)
        self.model = EdgeModel(converted / "hf", self.dtype).to(device)

    @torch.inference_mode()
    def edge_log_probs(self, trie):
        ids, positions, mask, rows, targets = (torch.from_numpy(each).to(self.device) for each in inputs(trie))
        mask = mask.clamp(min=torch.finfo(self.dtype).min).to(self.dtype)
        return self.model(ids, positions, mask, rows, targets).cpu().numpy()
