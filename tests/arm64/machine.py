"""An arm64 Python of the function's version: this machine's own, or Debian's under an emulator.

The packages are downloaded and unpacked in `.build/arm64`; none is installed.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / ".build" / "arm64"
EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
"""The program's name in Debian 12, and its name in later releases."""

APT_CONFIGURATION = """\
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "{folder}/state";
Dir::State::status "{folder}/state/status";
Dir::Cache "{folder}/cache";
"""
"""Gives apt its own lists and cache. With an empty status, it downloads all dependencies of a package."""


class UnavailableError(Exception):
    """This machine cannot run an arm64 Python; the message says what it lacks."""


def interpreter(version: str) -> tuple[str, ...]:
    """Return the command that runs an arm64 Python.

    Args:
        version: The version, such as 3.11.

    Raises:
        UnavailableError: This machine cannot run an arm64 Python.
    """
    if sys.platform == "linux" and platform.machine() in {"aarch64", "arm64"}:
        return (_native(version),)
    for program in ("apt-get", "dpkg-deb", "dpkg"):
        if shutil.which(program) is None:
            raise UnavailableError(f"it needs an arm64 machine, or Debian's {program} to get an emulator")
    root = _unpacked(BUILD / f"python{version}", "arm64", f"python{version}", "libstdc++6")
    return (_emulator(), "-L", str(root), str(root / "usr" / "bin" / f"python{version}"))


def _native(version: str) -> str:
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    if found := shutil.which(f"python{version}"):
        return found
    raise UnavailableError(f"this arm64 machine has no python{version}")


def _emulator() -> str:
    for name in EMULATORS:
        if found := shutil.which(name):
            return found
    architecture = subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()
    root = _unpacked(BUILD / "qemu", architecture, "qemu-user-static")
    for name in EMULATORS:
        if (path := root / "usr" / "bin" / name).exists():
            return str(path)
    raise UnavailableError(f"the package qemu-user-static has none of {', '.join(EMULATORS)}")


def _unpacked(folder: Path, architecture: str, *packages: str) -> Path:
    """Download and unpack packages with their dependencies, and return the folder."""
    root = folder / "root"
    if root.exists():
        return root
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / "state" / "status").touch()
    configuration = folder / "apt.conf"
    configuration.write_text(APT_CONFIGURATION.format(architecture=architecture, folder=folder))
    apt = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"}
    _run(["apt-get", "--quiet", "update"], apt)
    _run(["apt-get", "--quiet", "--yes", "--download-only", "install", *packages], apt)
    unfinished = folder / "unfinished"
    for archive in sorted((folder / "cache" / "archives").glob("*.deb")):
        _run(["dpkg-deb", "--extract", str(archive), str(unfinished)], apt)
    for used in ("state", "cache"):
        shutil.rmtree(folder / used)
    unfinished.rename(root)
    return root


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise UnavailableError(f"`{' '.join(command)}` failed: {reason}")
