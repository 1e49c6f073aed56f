"""What the numbers were measured on: processor, versions, commit, files."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

PACKAGES = (
    *("torch", "transformers", "tokenizers", "gguf", "numpy", "llama-cpp-python"),
    *("ctranslate2", "openvino", "nncf", "onnxruntime", "onnx", "onnxscript"),
)
FLAGS = ("avx2", "fma", "f16c", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8", "asimddp", "i8mm", "bf16")


def now():
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def load():
    """Load average: what else ran."""
    return [round(value, 2) for value in os.getloadavg()]


def busy(seconds=1.0):
    """Share of the processor's time that others use, 0 to 1; call it while no engine works."""

    def ticks():
        with open("/proc/stat", encoding="ascii") as file:
            values = [int(value) for value in file.readline().split()[1:9]]
        return sum(values), values[3] + values[4]  # all, idle

    before = ticks()
    time.sleep(seconds)
    after = ticks()
    return 1.0 - (after[1] - before[1]) / max(1, after[0] - before[0])


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def said(*command):
    """What a command prints, or None where it can't run."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def processor():
    fields = {}
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    present = set((fields.get("flags") or fields.get("Features") or "").split())
    model = fields.get("model name") or platform.machine()
    return {"model": model, "cores": os.cpu_count(), "flags": [flag for flag in FLAGS if flag in present]}


def memory_gb():
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def gpus():
    listed = said("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    return listed.splitlines() if listed else []


def packages():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def describe(settings):
    here = Path(__file__).resolve().parent
    return {
        "processor": processor(),
        "memory_gb": memory_gb(),
        "gpus": gpus(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": packages(),
        "rescorer": {"version": said(settings.rescorer, "--version"), "sha256": digest(settings.rescorer)},
        "model": {"file": Path(settings.model).name, "sha256": digest(settings.model)},
        "commit": said("git", "-C", here, "rev-parse", "--short", "HEAD"),
        "commit_is_clean": said("git", "-C", here, "status", "--porcelain") == "",
    }
