#!/usr/bin/env python3
"""Makes the recorded N-best lists: prompts.jsonl.gz and readings.jsonl.gz.

PocketSphinx recognises every recording through `rescorer transcribe`, and the lists get
their references. The sound stays where it is.

    apt install libpocketsphinx-dev pocketsphinx-en-us
    cargo build --release -p rescorer-cli --features pocketsphinx
    apt download asterisk-core-sounds-en asterisk-core-sounds-en-g722      # 1.6.1
    for package in asterisk-core-sounds-en*.deb; do dpkg -x "$package" SOUNDS; done
    python3 -m venv VENV && VENV/bin/pip install av numpy                  # decodes G.722
    VENV/bin/python examples/recorded/make_lists.py --rescorer target/release/rescorer \
        --sounds SOUNDS --readings READINGS --work WORK

READINGS holds the WAV files that readings.jsonl.gz names and `manifest.jsonl` in NeMo's
keys: `audio_filepath` and `text`. They come from OpenSLR: LibriSpeech train-clean-100
(12) and speechocean762 (101).
"""

import argparse
import gzip
import json
import re
import subprocess
import wave
from collections import defaultdict
from pathlib import Path

import av
import numpy as np

HERE = Path(__file__).resolve().parent
RATE = 16_000
NBEST = 50
# PocketSphinx adapts to what it heard before, so the order counts: every second prompt was recognised by another process.
PROCESSES = {"prompts": 2, "readings": 1}
WORDS = 4  # a shorter prompt leaves a language model nothing to judge


def said(transcript: str) -> str:
    """A transcript without notes of sounds, as `[beep]`, and without ellipses."""
    spoken = re.sub(r"\[[^]]*\]|\([^)]*\)|<[^>]*>", " ", transcript).replace("...", " ")
    return " ".join(spoken.split())


def word_count(text: str) -> int:
    return sum(1 for word in text.split() if re.search(r"\w", word))


def unpack(source: Path, target: Path) -> None:
    """G.722 to a WAV file."""
    container = av.open(str(source), format="g722")
    assert container.streams.audio[0].rate == RATE, source
    frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.concatenate(frames).astype(np.int16).tobytes())


def prompts(sounds: Path, work: Path) -> dict[Path, str]:
    """The WAV files of all prompts with enough words, and what is said there."""
    transcripts = sounds / "usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz"
    voice = sounds / "usr/share/asterisk/sounds/en_US_f_Allison"
    found = {}
    for line in gzip.open(transcripts, "rt", encoding="utf-8"):
        parts = re.match(r"(\S+?):\s+(.*)$", line.strip())
        if line.startswith(";") or not parts:
            continue
        name, text = parts[1], said(parts[2])
        sound = voice / f"{name}.g722"
        if word_count(text) < WORDS:
            continue
        if not sound.exists():
            print(f"{name}: has a transcript and no sound")
            continue
        target = work / f"ast-{name.replace('/', '_')}.wav"
        unpack(sound, target)
        found[target] = text
    return found


def readings(folder: Path) -> dict[Path, str]:
    """The WAV files of a manifest, and what is said there."""
    rows = map(json.loads, (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return {folder / row["audio_filepath"]: row["text"].lower() for row in rows}


def recognise(rescorer: Path, recordings: list[Path], raw: Path) -> None:
    """N-best lists of recordings; with weight 0 the model is not asked."""
    options = f"--first-pass pocketsphinx --nbest-size {NBEST} --lm-weight 0 --device cpu --quiet --json"
    command = [rescorer.resolve(), "transcribe", *recordings, *options.split(), "--nbest-output", raw]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def write(recordings: dict[Path, str], raws: list[Path], target: Path) -> None:
    """The lists with their references. A recording that was cut has no reference for its pieces and is left out."""
    pieces = defaultdict(list)
    for row in (json.loads(line) for raw in raws for line in raw.read_text(encoding="utf-8").splitlines()):
        pieces[row["id"].rsplit(":", 1)[0]].append(row)
    with gzip.GzipFile(target, "wb", mtime=0) as out:
        for path, text in sorted(recordings.items()):
            rows = pieces[path.stem]
            if len(rows) > 1:
                print(f"{path.stem}: longer than 30 s, left out")
                continue
            listed = [{"text": h["text"], "score": round(h["score"], 3)} for h in rows[0]["hypotheses"]]
            row = {"id": path.stem, "reference": text, "hypotheses": listed}
            out.write((json.dumps(row, ensure_ascii=False) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rescorer", "sounds", "readings", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=HERE)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    args.output.mkdir(parents=True, exist_ok=True)
    sets = {"prompts": prompts(args.sounds, args.work), "readings": readings(args.readings)}
    for name, recordings in sets.items():
        raws = []
        for part in range(PROCESSES[name]):
            raws.append(args.work / f"{name}-{part}.jsonl")
            if not raws[-1].exists():
                recognise(args.rescorer, sorted(recordings)[part :: PROCESSES[name]], raws[-1])
        write(recordings, raws, args.output / f"{name}.jsonl.gz")


if __name__ == "__main__":
    main()
