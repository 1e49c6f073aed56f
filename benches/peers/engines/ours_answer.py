"""`rescorer rescore`: the winner of each list alone, as its users ask for it, with the default policy and adapter.

It skips what can't win, or with a search risk is unlikely to, so it gives answers and not all scores.
"""

import json
import re

from . import Unavailable
from .ours import Ours
from .peer import Measurement

RISK = ("--search-risk", "0.005")
RATE = re.compile(r"([0-9.]+) distinct hypotheses/s, ([0-9]+)% of the nodes computed")


class OursAnswer(Ours):
    def __init__(self, name, settings):
        super().__init__(name, settings)
        self.precision = name.split("-")[1]
        self.risk = RISK if name.endswith("-risk") else ()

    def measure(self, utterances, listed, limit):
        """Speed as `rescore` states it, by the clock of `evaluate`: tokenising and computing."""
        self.write(utterances)
        rows = map(json.loads, self.execute(self.command("rescore", self.lists, *self.risk)))
        answers = {row["utterance"]: row["text"] for row in rows}
        stated = RATE.search(self.log.read_text(encoding="utf-8"))
        if stated is None:
            raise Unavailable("`rescore` did not state its speed")
        seconds = sum(len(utterance.distinct()) for utterance in utterances) / float(stated[1])
        about = {"nodes_computed_percent": int(stated[2]), "answers": answers}
        return Measurement(utterances, seconds, {}, about)
