"""A causal model of transformers that computes tries, for PyTorch and for the tools that take its graph."""

import torch
from transformers import AutoModelForCausalLM


class EdgeModel(torch.nn.Module):
    def __init__(self, folder, dtype=torch.float32):
        super().__init__()
        loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
        self.body, self.head = loaded.model, loaded.lm_head

    def forward(self, ids, positions, mask, rows, targets):
        """Log-probability of each edge, f32 `[edges]`.

        `ids`, `positions`: `[1, nodes]`. `mask`: `[1, 1, nodes, nodes]`, added to the attention scores. `rows`, `targets`:
        `[edges]`, the node and the token of an edge. A node has one row of logits, however many edges leave it.
        """
        state = self.body(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False).last_hidden_state
        logits = self.head(state[0]).float()  # [nodes, vocabulary]
        return logits[rows, targets] - torch.logsumexp(logits, 1)[rows]
