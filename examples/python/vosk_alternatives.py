"""A second pass behind Vosk, sentence by sentence: python vosk_alternatives.py AUDIO.wav POLICY"""

import json
import sys
import wave

from rescorer import Rescorer
from vosk import KaldiRecognizer, Model

audio = wave.open(sys.argv[1])
recogniser = KaldiRecognizer(Model(lang="en-us"), audio.getframerate())
recogniser.SetMaxAlternatives(10)
second_pass = Rescorer.from_pretrained("smollm2-135m", policy=sys.argv[2])


def answers():
    while samples := audio.readframes(4000):
        if recogniser.AcceptWaveform(samples):
            yield json.loads(recogniser.Result())
    yield json.loads(recogniser.FinalResult())


for result in second_pass.rescore_many(answers(), window=1):
    print(result.text)
