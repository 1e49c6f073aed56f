"""Whisper through CTranslate2, fed by `rescorer transcribe`: sound in on stdin, N-best lists out on stdout.

    python3 -c SCRIPT MODEL NBEST THREADS LANGUAGE OFFLINE

MODEL is a folder with a converted model or a name that faster-whisper knows, THREADS 0 for all cores, LANGUAGE a code
or `auto`, OFFLINE 0 or 1. Every answer is a line of JSON with one key. First, once:

    {"ready": {"model": NAME}}    or    {"missing": PACKAGE, "reason": TEXT}    or    {"fatal": TEXT}

Then a request is the line {"number": N, "samples": COUNT} and COUNT little-endian 32-bit floats, 16 kHz; its answer is

    {"heard": {"number": N, "hypotheses": [{"text": TEXT, "score": S}, ...], "extra": {...}}}
    or    {"refused": {"number": N, "reason": TEXT}}

A score is the mean log-probability of a token. It ends when stdin does.
"""

import json
import os
import sys

# Whatever libraries print goes to stderr.
ANSWERS = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)

MAX_TOKENS = 224  # half of Whisper's context, as in its own decoder
# Whisper's own rule for a stretch without speech.
NO_SPEECH = 0.6
UNLIKELY = -1.0


def answer(**message):
    ANSWERS.write(json.dumps(message, allow_nan=False).encode() + b"\n")
    ANSWERS.flush()


def end(**message):
    answer(**message)
    sys.exit(3)


try:
    import ctranslate2
    import numpy
    import tokenizers
    from faster_whisper.feature_extractor import FeatureExtractor
    from faster_whisper.utils import download_model
except ImportError as error:
    end(missing={"package": error.name or "", "reason": str(error)})


class Recogniser:
    def __init__(self, model, nbest, threads, language, offline):
        folder = model
        if not os.path.isdir(model):
            if model.startswith((os.sep, ".", "~")):
                raise FileNotFoundError(f"there is no folder {model}")
            folder = download_model(model, local_files_only=offline)
        self.tokenizer = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.model = ctranslate2.models.Whisper(
            folder, device="cpu", compute_type="int8_float32", intra_threads=threads
        )
        self.extract = FeatureExtractor(feature_size=self.model.n_mels)
        self.nbest = nbest
        self.language = language
        if not self.model.is_multilingual and language not in ("auto", "en"):
            raise ValueError(f"{model} knows English only, not {language!r}")
        if self.model.is_multilingual and language != "auto":
            self.token(f"<|{language}|>")

    def token(self, name):
        number = self.tokenizer.token_to_id(name)
        if number is None:
            raise ValueError(f"the model has no token {name}")
        return number

    def prompt(self, features):
        names = ["<|startoftranscript|>"]
        if self.model.is_multilingual:
            name = f"<|{self.language}|>"
            if self.language == "auto":
                name = self.model.detect_language(features)[0][0][0]
            names += [name, "<|transcribe|>"]
        return names + ["<|notimestamps|>"]

    def heard(self, samples):
        frames = self.extract.nb_max_frames
        features = self.extract(samples, padding=self.extract.n_samples)[:, :frames]
        features = ctranslate2.StorageView.from_array(numpy.ascontiguousarray(features[None]))
        names = self.prompt(features)
        result = self.model.generate(
            features,
            [[self.token(name) for name in names]],
            beam_size=self.nbest,
            num_hypotheses=self.nbest,
            max_length=MAX_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        texts = self.tokenizer.decode_batch(result.sequences_ids, skip_special_tokens=True)
        pairs = sorted(zip(texts, result.scores), key=lambda pair: -pair[1])  # stable
        extra = {"no_speech_prob": round(result.no_speech_prob, 6)}
        if self.model.is_multilingual:
            extra["language"] = names[1].strip("<|>")
        if result.no_speech_prob > NO_SPEECH and pairs[0][1] < UNLIKELY:
            pairs = []
        hypotheses = [{"text": text.strip(), "score": round(score, 6)} for text, score in pairs]
        return {"hypotheses": hypotheses, "extra": extra}


def main():
    model, nbest, threads, language, offline = sys.argv[1:]
    try:
        recogniser = Recogniser(model, int(nbest), int(threads), language, offline == "1")
    except Exception as error:  # whatever a library raises is said in its words
        end(fatal=f"{type(error).__name__}: {error}")
    answer(ready={"model": os.path.basename(os.path.normpath(model))})
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        sound = sys.stdin.buffer.read(4 * request["samples"])
        if len(sound) < 4 * request["samples"]:
            return
        samples = numpy.frombuffer(sound, "<f4")
        try:
            answer(heard={"number": request["number"], **recogniser.heard(samples)})
        except Exception as error:
            answer(refused={"number": request["number"], "reason": f"{type(error).__name__}: {error}"})


main()
