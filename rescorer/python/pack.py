"""Packs a wheel around an extension that cargo has built already: python pack.py LIBRARY FOLDER

`maturin build` would compile the library's dependencies once more, with the features that this crate alone asks for; CI has them all
from its tests. The wheel is for this machine, to be tested; those for others come from maturin.
"""

import base64
import hashlib
import re
import sys
import sysconfig
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def version():
    cargo = (HERE.parents[1] / "Cargo.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "(.+)"$', cargo, re.M).group(1)


def platform(library):
    """Name of the platform as a package index takes it: on Linux that of the oldest glibc that has all symbols."""
    known = re.sub("[-.]", "_", sysconfig.get_platform())
    versions = [tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", library.read_bytes())]
    if not known.startswith("linux_") or not versions:
        return known
    major, minor = max(versions)
    return f"manylinux_{major}_{minor}_{known.removeprefix('linux_')}"


def main():
    library, folder = Path(sys.argv[1]), Path(sys.argv[2])
    tag = f"cp39-abi3-{platform(library)}"
    info = f"rescorer-{version()}.dist-info"
    files = {f"rescorer/{path.name}": path.read_bytes() for path in (HERE / "python" / "rescorer").iterdir() if path.is_file()}
    files["rescorer/_rescorer.abi3.so"] = library.read_bytes()
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: rescorer\nVersion: {version()}\nRequires-Dist: numpy>=1.21\n".encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: pack.py\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in files.items()
    )
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"rescorer-{version()}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    print(wheel)


if __name__ == "__main__":
    main()
