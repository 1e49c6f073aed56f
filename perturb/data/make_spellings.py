#!/usr/bin/env python3
"""Writes spellings.txt.gz: the British spellings that openai-whisper's EnglishTextNormalizer makes American.

    pip install --no-deps openai-whisper==20250625     # PyTorch is not needed
    perturb/data/make_spellings.py

A line is a British spelling, a space, how many letters at its beginning the American one keeps, a space, and the letters that
follow those: `colour 4 r`. Everything is as it is in english.json of that package, the slip `archeology</span>` too; only
"flyer / flier" is left out, which is no word and which no word is ever equal to.
"""

import argparse
import gzip
import json
import os
import sysconfig
from importlib.metadata import version
from pathlib import Path


def main():
    folder = Path(sysconfig.get_path("purelib")) / "whisper/normalizers"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, default=folder / "english.json", help="the package's table")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "spellings.txt.gz")
    args = parser.parse_args()
    pairs = json.loads(args.table.read_text(encoding="utf-8"))
    lines = [f"# english.json of PyPI openai-whisper {version('openai-whisper')}"]
    for british, american in sorted(pairs.items()):
        if len(british.split()) == 1:
            kept = len(os.path.commonprefix([british, american]))
            lines.append(f"{british} {kept} {american[kept:]}".rstrip())
    # The time of writing stays out, so that the same words give the same file.
    with open(args.output, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(("\n".join(lines) + "\n").encode())
    print(f"{args.output}: {len(lines) - 1} spellings, {args.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
