"""Writes the first inputs of the fuzz targets to corpus/: the WAV files of perturb/tests/fixtures/wav.jsonl, and every string in the
tests of rescorer/nbest that looks like a list.

    python3 seeds.py
"""

import hashlib
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
RAW = re.compile(r'r(#*)"(.*?)"\1', re.DOTALL)
PLAIN = re.compile(r'(?<![r#])"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "0": "\0"}


def write(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def plain(text):
    """A string literal without its escapes; a backslash at the end of a line takes the line break and the indentation away."""
    text = re.sub(r"\\\n\s*", "", text)
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), text)


def literals(source):
    for match in RAW.finditer(source):
        yield match[2]
    for match in PLAIN.finditer(RAW.sub("", source)):
        yield plain(match[1])


for line in (HERE / "../perturb/tests/fixtures/wav.jsonl").read_text().splitlines():
    case = json.loads(line)
    write("wav", case["name"], bytes.fromhex(case["wav"]))

for path in sorted((HERE / "../rescorer/nbest").rglob("*")):
    if path.suffix == ".rs":
        samples = [text.encode() for text in literals(path.read_text()) if len(text) >= 12 and re.search(r"[{\[\n\t,]", text)]
    elif path.suffix in (".json", ".jsonl", ".csv", ".tsv", ".txt") and path.stat().st_size < 8192:
        samples = [path.read_bytes()]
    else:
        continue
    for sample in samples:
        # The first byte 0 detects the format.
        write("nbest", hashlib.sha1(sample).hexdigest()[:16], b"\0" + sample)
