"""A replacement for a layer that this machine cannot load: the same locked packages, built for this machine.

The deployed layer is uploaded and checked too: `check_binaries` reads the architecture of each library.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import LocalError

if TYPE_CHECKING:
    import zipfile

PROJECT = Path(__file__).resolve().parents[2]
LOCK = PROJECT / "requirements" / "layer.txt"
BUILD = PROJECT / ".build"
UNZIPPED_BYTES_MAX = 250 * 1024 * 1024
"""Maximum unzipped size of function and layers together (Lambda quotas, "Deployment package")."""
_ELF_MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}


def host_layer(lock: Path = LOCK) -> Path:
    """Return the folder with the locked packages for this machine; install them first if necessary.

    Raises:
        LocalError: pip cannot install them.
    """
    version = f"{sys.implementation.cache_tag}-{sys.platform}-{platform.machine()}"
    digest = hashlib.sha256(lock.read_bytes() + version.encode()).hexdigest()[:16]
    folder = BUILD / f"host-layer-{digest}"
    if folder.exists():
        return folder
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "host-layer.lock").open("w") as mutex:  # several test workers may install at the same time
        fcntl.flock(mutex, fcntl.LOCK_EX)
        if not folder.exists():
            unfinished = folder.with_suffix(".part")
            _install(lock, unfinished / "python")
            unfinished.rename(folder)
    return folder


def check_binaries(archive: zipfile.ZipFile, architecture: str) -> None:
    """Check the size of a layer and the architecture of its libraries.

    Raises:
        LocalError: The layer is too large, or a library is for another architecture.
    """
    size = sum(member.file_size for member in archive.infolist())
    if size > UNZIPPED_BYTES_MAX:
        raise LocalError(f"the layer has {size:,} bytes unzipped; the maximum is {UNZIPPED_BYTES_MAX:,}")
    for member in archive.infolist():
        if not member.filename.endswith(".so") and ".so." not in member.filename:
            continue
        with archive.open(member) as library:
            header = library.read(20)
        machine = (
            _ELF_MACHINES.get(int.from_bytes(header[18:20], "little")) if header[:4] == b"\x7fELF" else None
        )
        if machine != architecture:
            raise LocalError(
                f"the layer's {member.filename} is for {machine or 'no known machine'}, not {architecture}"
            )


def _install(lock: Path, target: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
    ]
    command += ["--only-binary", ":all:", "--upgrade", "--target", str(target), "--requirement", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise LocalError(f"cannot install {lock.name} for this machine: {' '.join(reason)}")
