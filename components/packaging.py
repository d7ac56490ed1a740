"""What is shipped to Lambda: the handler's sources, and the layer with the packages they import.

Both are zip archives whose bytes depend on their sources alone, kept in .build under a name that tells which:
one that is there already is used as it is, without a look at the network.
"""

import argparse
import base64
import dataclasses
import hashlib
import modulefinder
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
from packaging.requirements import Requirement

from components import archive, configuration
from components.contracts.compiled import FILE_NAME, compile_contracts
from components.runtimes import RUNTIMES, Runtime

PROJECT_DIRECTORY = Path(__file__).resolve().parent.parent
BUILD_DIRECTORY = PROJECT_DIRECTORY / ".build"
HANDLER_DIRECTORY = PROJECT_DIRECTORY / "handler"
LAYER_REQUIREMENTS = PROJECT_DIRECTORY / "requirements" / "layer.txt"

ARCHITECTURE = "arm64"
MACHINE = "aarch64"
DEFAULT_RUNTIME = RUNTIMES[configuration.defaults()["pythonRuntime"]]

OLDEST_GLIBC = 17

NO_DATASETS = compile_contracts([])

LAYER_FORMAT = 1
"""To be raised when the layer is built differently from the same wheels."""

DIRECT_UPLOAD_BYTES = 50 * 1024 * 1024
UNZIPPED_BYTES = 250 * 1024 * 1024
"""Lambda developer guide, "Lambda quotas": a zipped upload, and the function with its layers unzipped."""


class PackagingError(pulumi.RunError):
    """An archive cannot be built; the message says what is missing."""


def handler_archive(datasets: bytes) -> pulumi.FileArchive:
    """Return the function's code, with the contracts of its datasets as they were compiled."""
    return _archive(build_handler(datasets=datasets))


def layer_archive(runtime: Runtime) -> pulumi.FileArchive:
    """Return the layer that the function's code imports from."""
    return _archive(build_layer(runtime))


def code_sha256(archive: pulumi.FileArchive) -> str:
    """Return an archive's SHA-256 as Lambda reports it of a function's code."""
    return base64.b64encode(hashlib.sha256(Path(archive.path).read_bytes()).digest()).decode()


def program_version() -> str:
    """Return the project's version, which every output names as what made it."""
    return tomllib.loads((PROJECT_DIRECTORY / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]


def build_handler(
    source: Path = HANDLER_DIRECTORY, build: Path = BUILD_DIRECTORY, datasets: bytes = NO_DATASETS
) -> Path:
    """Return the archive of modules, contracts and the program's version, building it if they changed.

    Raises:
        PackagingError: A module that cannot be packed.
    """
    version = archive.stored("VERSION", f"{program_version()}\n".encode())
    content = archive.pack(
        [
            version,
            archive.stored(FILE_NAME, datasets),
            *(
                archive.stored(path.relative_to(source).as_posix(), path.read_bytes())
                for path in handler_modules(source)
            ),
        ]
    )
    path = build / f"handler-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    if not path.exists():
        _write(path, content)
    return path


def handler_modules(source: Path) -> list[Path]:
    """Return index.py and each module of the folder that it imports, directly or not: what is shipped.

    Raises:
        PackagingError: There is no index.py, or a module beside it is imported and cannot be read.
    """
    entry = source / "index.py"
    if not entry.is_file():
        raise PackagingError(f"{entry}: must be a file with the function's handler, got none")
    finder = _ModuleFinder(path=[str(source)])
    try:
        finder.run_script(str(entry))
    except SyntaxError as error:
        raise PackagingError(f"{entry}: must be Python, got line {error.lineno}: {error.msg}") from error
    for name in finder.badmodules:
        path = source.joinpath(*name.split("."))
        if path.is_dir() or path.with_suffix(".py").exists():
            raise PackagingError(
                f"{path}: is imported by the handler, and must be a Python module or a package with"
                " __init__.py, got one that cannot be read"
            )
    files = (getattr(module, "__file__", None) for module in finder.modules.values())
    return sorted(Path(file) for file in files if file)


class _ModuleFinder(modulefinder.ModuleFinder):
    def find_module(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the base class has no types
        """Take a folder without __init__.py for an unreadable module: the base class crashes on it."""
        try:
            return super().find_module(*args, **kwargs)
        except AttributeError as error:
            raise ImportError("a package needs __init__.py") from error


def build_layer(
    runtime: Runtime = DEFAULT_RUNTIME,
    requirements: Path = LAYER_REQUIREMENTS,
    build: Path = BUILD_DIRECTORY,
) -> Path:
    """Return the layer of the locked requirements for a runtime, building it if they changed.

    Raises:
        PackagingError: The wheels cannot be downloaded, do not run there, or are too large for Lambda.
    """
    path = layer_path(runtime, requirements, build)
    if path.exists():
        return path
    with tempfile.TemporaryDirectory() as directory:
        wheels = Path(directory)
        _download(requirements, runtime, wheels)
        files = [file for wheel in sorted(wheels.iterdir()) for file in _installed(wheel)]
    unzipped = sum(file.size for file in files)
    content = archive.pack(files)
    for size, limit, what in (
        (len(content), DIRECT_UPLOAD_BYTES, "zipped"),
        (unzipped, UNZIPPED_BYTES, "unzipped"),
    ):
        if size > limit:
            raise PackagingError(
                f"{requirements}: the layer must be up to {limit:,} bytes {what}, got {size:,}"
            )
    _write(path, content)
    return path


def layer_path(
    runtime: Runtime = DEFAULT_RUNTIME,
    requirements: Path = LAYER_REQUIREMENTS,
    build: Path = BUILD_DIRECTORY,
) -> Path:
    """Return where the layer of the locked requirements is, once it is built."""
    recipe = f"{LAYER_FORMAT} {runtime.name} {platforms(runtime)}\n".encode() + requirements.read_bytes()
    return build / f"layer-{hashlib.sha256(recipe).hexdigest()[:16]}.zip"


def platforms(runtime: Runtime) -> tuple[str, ...]:
    """Return the platform tags of the wheels that run on the runtime's Amazon Linux, the newest first.

    A wheel's tag names the oldest glibc that it runs with (PEP 600), 2.17 at the oldest for this machine.
    """
    glibc = range(runtime.glibc, OLDEST_GLIBC - 1, -1)
    return (*(f"manylinux_2_{minor}_{MACHINE}" for minor in glibc), f"manylinux2014_{MACHINE}")


def locked_for_function(lock: str, runtime: Runtime = DEFAULT_RUNTIME) -> str:
    """Return the requirements of a lock that hold on Lambda, without their markers.

    pip decides markers by the Python that runs it, whatever platform it downloads for.
    """
    # The function's platform in the terms of environment markers (PEP 508).
    function = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": MACHINE,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{runtime.python}.0",
        "python_version": runtime.python,
        "sys_platform": "linux",
    }
    wanted = []
    for line in lock.replace("\\\n", " ").splitlines():
        requirement, *hashes = line.partition("#")[0].split(" --hash=")
        if not requirement.strip():
            continue
        parsed = Requirement(requirement.strip())
        if parsed.marker is None or parsed.marker.evaluate(function):
            parsed.marker = None
            wanted.append(" --hash=".join((str(parsed), *map(str.strip, hashes))))
    return "\n".join(wanted) + "\n"


def _download(requirements: Path, runtime: Runtime, target: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=f"-{requirements.name}") as wanted:
        wanted.write(locked_for_function(requirements.read_text(encoding="utf-8"), runtime))
        wanted.flush()
        command = [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
            *("--requirement", wanted.name, "--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("--implementation", "cp", "--python-version", runtime.python, "--dest", str(target)),
            *(argument for platform in platforms(runtime) for argument in ("--platform", platform)),
        ]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip() or "no message").splitlines()[-1]
        raise PackagingError(
            f"{requirements.name}: pip could not download the layer's wheels for {runtime.name}"
            f" on {ARCHITECTURE}: {reason}"
        )


def _installed(wheel: Path) -> Iterator[archive.Member]:
    """Yield what a wheel installs, under the folder that Lambda puts on Python's path.

    What does not go straight into site-packages lies in `<name>.data/<scheme>/` of a wheel. Of that, scripts,
    headers and data outside of packages are left out: the function uses none.
    """
    for file in archive.members(wheel):
        in_data = re.match(r"[^/]+\.data/(?P<scheme>[^/]+)/", file.name)
        if in_data and in_data["scheme"] not in {"purelib", "platlib"}:
            continue
        name = file.name[in_data.end() :] if in_data else file.name
        yield dataclasses.replace(file, name=f"python/{name}")


def _write(path: Path, content: bytes) -> None:
    """Write the file as a whole or not at all, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _archive(path: Path) -> pulumi.FileArchive:
    """Name the archive from where Pulumi runs, so that no machine's folders end up in the stack's state."""
    return pulumi.FileArchive(os.path.relpath(path))


def main() -> None:
    """Build the handler, and the layer for each runtime that is named or else the default one."""
    parser = argparse.ArgumentParser(prog="python -m components.packaging", description=main.__doc__)
    known = f"any of {', '.join(RUNTIMES)}, or all"
    parser.add_argument("runtimes", nargs="*", metavar="RUNTIME", help=known)
    names = parser.parse_args().runtimes or [DEFAULT_RUNTIME.name]
    names = RUNTIMES if names == ["all"] else names
    if unknown := [name for name in names if name not in RUNTIMES]:
        parser.error(f"RUNTIME: must be {known}, got {', '.join(unknown)}")
    for path in (build_handler(), *(build_layer(RUNTIMES[name]) for name in names)):
        unzipped = sum(member.size for member in archive.members(path))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(
            f"{os.path.relpath(path)}  {path.stat().st_size:,} bytes ({unzipped:,} unzipped)  sha256:{digest}"
        )


if __name__ == "__main__":
    main()
