"""A second pass behind vosk-server: python vosk_stream.py AUDIO.wav [ws://localhost:2700] [ws://127.0.0.1:8741/v1/stream]

Sends a recording to vosk-server piece by piece and what that says to `rescorer serve`; prints partial results and answers.
"""

import asyncio
import json
import sys
import wave

from websockets.asyncio.client import connect


async def speak(path, recogniser):
    with wave.open(path) as audio:
        rate = audio.getframerate()
        await recogniser.send(json.dumps({"config": {"sample_rate": rate, "max_alternatives": 10}}))
        while samples := audio.readframes(rate // 5):
            await recogniser.send(samples)
    await recogniser.send('{"eof": 1}')


async def pass_on(recogniser, second_pass):
    # vosk-server ends the connection after its last result.
    async for result in recogniser:
        await second_pass.send(result)
    await second_pass.send('{"eof": 1}')


async def show(second_pass):
    async for message in second_pass:
        said = json.loads(message)
        if "error" in said:
            print(f"message {said['line']}: {said['error']['message']}", file=sys.stderr)
        elif "partial" in said:
            print(f"({said['partial']})")
        else:
            print(said["text"])


async def main(path, recogniser_at="ws://localhost:2700", second_pass_at="ws://127.0.0.1:8741/v1/stream"):
    async with connect(recogniser_at) as recogniser, connect(second_pass_at) as second_pass:
        await asyncio.gather(speak(path, recogniser), pass_on(recogniser, second_pass), show(second_pass))


asyncio.run(main(*sys.argv[1:]))
