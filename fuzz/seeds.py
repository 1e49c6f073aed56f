"""Writes the first inputs of the fuzz targets to corpus/: the WAV files of perturb/tests/fixtures/wav.jsonl.

    python3 seeds.py
"""

import json
import pathlib

HERE = pathlib.Path(__file__).parent


def write(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


for line in (HERE / "../perturb/tests/fixtures/wav.jsonl").read_text().splitlines():
    case = json.loads(line)
    write("wav", case["name"], bytes.fromhex(case["wav"]))
