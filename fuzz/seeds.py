#!/usr/bin/env python3
"""Writes the first inputs of the fuzz targets to corpus/: fixtures of the tests, recipes and policies of the repository, and every
string in the tests of rescorer/nbest that looks like a list.

    python3 seeds.py
"""

import hashlib
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
FIXTURES = ROOT / "tests/fixtures"
BORDER = b"\n--8<--\n"  # of src/lib.rs
RAW = re.compile(r'r(#*)"(.*?)"\1', re.DOTALL)
PLAIN = re.compile(r'(?<![r#])"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "0": "\0"}


def write(target, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def plain(text):
    """A string literal without its escapes; a backslash at the end of a line takes the line break and the indentation away."""
    text = re.sub(r"\\\n\s*", "", text)
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), text)


def literals(source):
    for match in RAW.finditer(source):
        yield match[2]
    for match in PLAIN.finditer(RAW.sub("", source)):
        yield plain(match[1])


def files(folder, *names):
    """The files of a folder in one input, the missing ones empty."""
    return BORDER.join((folder / name).read_bytes() if (folder / name).exists() else b"" for name in names)


def lists():
    for path in sorted((ROOT / "rescorer/nbest").rglob("*")):
        if path.suffix == ".rs":
            for text in literals(path.read_text()):
                if len(text) >= 12 and re.search(r"[{\[\n\t,]", text):
                    yield text.encode()
        elif path.suffix in (".json", ".jsonl", ".csv", ".tsv", ".txt") and path.stat().st_size < 8192:
            yield path.read_bytes()


for line in (ROOT / "perturb/tests/fixtures/wav.jsonl").read_text().splitlines():
    write("wav", bytes.fromhex(json.loads(line)["wav"]))

for sample in lists():
    write("nbest", b"\0" + sample)  # a first byte of 0 detects the format
    for names in (b"text=text", b"text=hyp,score=-cost,id=utt,reference=ref", b"hypotheses=nbest,text=sentence,score=ln:p"):
        write("columns", b"\0" + names + b"\n" + sample)

for path in sorted(FIXTURES.glob("*.gguf")):
    write("gguf", path.read_bytes())
for path in sorted(FIXTURES.glob("*/config.json")):
    write("folder", files(path.parent, "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"))
for path in sorted(FIXTURES.glob("**/adapter_config.json")):
    write("adapter", files(path.parent, "adapter_config.json", "adapter_model.safetensors"))

for path in [*ROOT.glob("rescorer/recipes/results/**/policy.toml"), ROOT / "rescorer/engine/src/fusion/default.toml"]:
    write("settings", b"\0" + path.read_bytes())
for path in ROOT.glob("rescorer/recipes/*.toml"):
    write("settings", b"\1" + path.read_bytes())
for path in ROOT.glob("docs/robustness/**/*.toml"):
    write("settings", b"\2" + path.read_bytes())
write("settings", b"\3# said\theard\tcount\toccurrences\nthe\ta\t714\t27229\n\tand\t4\t90\nwrite\tright\t3\t10\n")

NAMES = "Haydn\nGwendolyn\tclass=contacts\nJosefin\tsounds-like=jo sef een\nNguyen\tW IH N\nmetoprolol\tweight=2\nAT&T 5G\nU.S.A.\n"
for text in ("play the hiding symphony", "call jo seffin and gwen do lin's mother", "win a tea and tea five gee", ""):
    write("terms", f"{NAMES}\n\n{text}".encode())
