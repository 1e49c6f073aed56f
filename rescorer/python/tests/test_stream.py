"""The example of a stream, between a vosk-server that is played and a server of the command."""

import asyncio
import json
import os
import re
import subprocess
import sys
import wave
from pathlib import Path

import pytest
from websockets.asyncio.server import serve

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "tests" / "fixtures" / "tiny-llama"
HEARD = {"alternatives": [{"text": "write it down", "confidence": 270.5}, {"text": "right it down", "confidence": 270.4}]}
NOTHING = {"alternatives": [{"text": "", "confidence": 1.0}]}


@pytest.fixture
def address():
    command = [os.environ.get("RESCORER_BIN", "rescorer"), "serve", "--listen", "127.0.0.1:0", "--quiet", "--model", str(MODEL)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        found = next(found.group(1) for line in server.stderr if (found := re.search(r"listening on http://(\S+)", line)))
        yield found
        server.terminate()
        assert server.wait(timeout=60) == 0


async def vosk(connection):
    """Says a partial result for every piece of sound but the third, after which a sentence is over."""
    heard = []
    async for message in connection:
        if isinstance(message, bytes):
            heard.append(message)
            await connection.send(json.dumps(HEARD if len(heard) % 3 == 0 else {"partial": f"write {len(heard)}"}))
        elif "eof" in message:
            await connection.send(json.dumps(NOTHING))
            return
        else:
            assert json.loads(message)["config"] == {"sample_rate": 8000, "max_alternatives": 10}


async def run(recording, address):
    async with serve(vosk, "127.0.0.1", 0) as recogniser:
        port = recogniser.sockets[0].getsockname()[1]
        program = ROOT / "examples" / "python" / "vosk_stream.py"
        words = [str(program), str(recording), f"ws://127.0.0.1:{port}", f"ws://{address}/v1/stream"]
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode().splitlines()


def test_partial_results_and_answers_are_shown_in_order(tmp_path, address):
    with wave.open(str(tmp_path / "talk.wav"), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(8000)
        audio.writeframes(bytes(2 * 8000))
    lines = asyncio.run(run(tmp_path / "talk.wav", address))
    assert lines[:2] == ["(write 1)", "(write 2)"]
    assert lines[2] in ("write it down", "right it down")
    assert lines[3:] == ["(write 4)", "(write 5)", ""]
