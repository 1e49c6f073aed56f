"""CTranslate2: `Generator.score_batch`, which sorts the texts by length and gathers batches of `BATCH_TOKENS` itself."""

import ctranslate2

from . import BOS, EOS
from .texts import TextEncoder, flat

BATCH_TOKENS = 2048
TYPES = {"f32": "float32", "int8": "int8"}


class Ct2Engine:
    batch, padding = 32, None  # how much it pads is not known

    def __init__(self, converted, name, threads, device):
        kind = TYPES[name.removeprefix("ct2-")]
        self.encode = TextEncoder(converted)
        self.bos, self.eos = self.encode.token(BOS), self.encode.token(EOS)
        self.generator = ctranslate2.Generator(
            str(converted / name), device=device, compute_type=kind, inter_threads=1, intra_threads=threads
        )

    def score(self, lists):
        """For each text its ids, EOS included, and their log-probabilities."""
        encoded = self.encode(flat(lists))
        sequences = [[self.bos, *map(self.encode.token, ids), self.eos] for ids in encoded]
        scored = self.generator.score_batch(sequences, max_batch_size=BATCH_TOKENS, batch_type="tokens")
        return [(ids + [EOS], list(result.log_probs)) for ids, result in zip(encoded, scored)]


def make(args):
    return Ct2Engine(args.converted, args.engine, args.threads, args.device)
