"""A second pass behind faster-whisper: python faster_whisper_nbest.py AUDIO POLICY [WHISPER-MODEL]"""

import sys

from faster_whisper import WhisperModel
from rescorer import Rescorer

audio, policy, *size = sys.argv[1:]
recogniser = WhisperModel(*size or ["tiny.en"])
second_pass = Rescorer.from_pretrained("smollm2-135m", policy=policy)

# faster-whisper answers with one text; other beams and temperatures make a list of them.
ways = [{"beam_size": 5}, {"beam_size": 1}, {"temperature": 0.4}, {"temperature": 0.6}, {"temperature": 0.8}]
heard = [{"segments": list(recogniser.transcribe(audio, **way)[0])} for way in ways]

print(second_pass.rescore(heard).text)
