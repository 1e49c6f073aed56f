"""From loading to tuning: python first_steps.py beside policy.toml, adapters/medical and dev.jsonl, lists with references"""

import json
from rescorer import Rescorer

rescorer = Rescorer.from_pretrained(
    "smollm2-135m",                              # named model, .gguf file, or Hugging Face folder
    policy="policy.toml",
    adapters={"medical": "adapters/medical"},    # the policy.toml in its folder decides for its lists
)
pair = [{"text": "please right it down", "score": -4.1}, {"text": "please write it down", "score": -4.3}]
answer = rescorer.rescore({"hypotheses": pair, "context": "have you got a pencil"})
print(f"{answer.text} ({answer.confidence:.0%})")
lists = [json.loads(line) for line in open("dev.jsonl", encoding="utf-8")]
for answer in rescorer.rescore_many(lists, text_only=True):    # any iterable; bounded memory; in order
    print(answer.text)
rescorer.tune(lists, save="tuned.toml")
