"""The tools that are compared, each behind `start`, `measure` and `close`."""

BOS, EOS = 1, 2  # of SmolLM2: <|im_start|> and <|im_end|>


class Unavailable(Exception):
    """An engine that can't run here; the message says why."""
