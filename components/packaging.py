"""The archives for Lambda: the handler's code, and the layer with the packages that it imports.

Their bytes depend on their sources only. They are stored in .build under a name with a hash of the sources,
so an existing archive is used again without the network.
"""

import argparse
import base64
import dataclasses
import functools
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
"""Increase it when the same wheels are built into another layer."""

DIRECT_UPLOAD_BYTES = 50 * 1024 * 1024
UNZIPPED_BYTES = 250 * 1024 * 1024
"""Limits of a zipped upload, and of the unzipped function with its layers (Lambda developer guide, "Lambda
quotas")."""


class PackagingError(pulumi.RunError):
    """An archive cannot be built; the message gives the reason."""


def handler_archive(datasets: bytes) -> pulumi.FileArchive:
    """Return the function's code, with the compiled contracts of its datasets."""
    return _archive(build_handler(datasets=datasets))


def layer_archive(runtime: Runtime) -> pulumi.FileArchive:
    """Return the layer with the packages that the function imports."""
    return _archive(build_layer(runtime))


def code_sha256(archive: pulumi.FileArchive) -> str:
    """Return an archive's SHA-256 in base64, as Lambda reports it."""
    return base64.b64encode(hashlib.sha256(Path(archive.path).read_bytes()).digest()).decode()


def program_version() -> str:
    """Return the project's version, which the function writes into its results."""
    return tomllib.loads((PROJECT_DIRECTORY / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]


def build_handler(
    source: Path = HANDLER_DIRECTORY, build: Path = BUILD_DIRECTORY, datasets: bytes = NO_DATASETS
) -> Path:
    """Build the archive of modules, contracts and version if it does not exist; return its path.

    Raises:
        PackagingError: A module cannot be packed.
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


@functools.cache  # A program with several regions packs the same modules for each.
def handler_modules(source: Path) -> tuple[Path, ...]:
    """Return index.py and the modules of the folder that it imports, directly or indirectly.

    Raises:
        PackagingError: There is no index.py, or an imported module of the folder cannot be read.
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
    return tuple(sorted(Path(file) for file in files if file))


class _ModuleFinder(modulefinder.ModuleFinder):
    def find_module(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the base class has no types
        """Treat a folder without __init__.py as unreadable; the base class raises AttributeError."""
        try:
            return super().find_module(*args, **kwargs)
        except AttributeError as error:
            raise ImportError("a package needs __init__.py") from error


def build_layer(
    runtime: Runtime = DEFAULT_RUNTIME,
    requirements: Path = LAYER_REQUIREMENTS,
    build: Path = BUILD_DIRECTORY,
) -> Path:
    """Build the layer of the locked requirements for a runtime if it does not exist; return its path.

    Raises:
        PackagingError: The wheels cannot be downloaded, do not support the runtime, or are too large.
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
    """Return the path of the layer of the locked requirements."""
    recipe = f"{LAYER_FORMAT} {runtime.name} {platforms(runtime)}\n".encode() + requirements.read_bytes()
    return build / f"layer-{hashlib.sha256(recipe).hexdigest()[:16]}.zip"


def platforms(runtime: Runtime) -> tuple[str, ...]:
    """Return the platform tags of wheels that run on the runtime's Amazon Linux, newest first.

    A wheel's tag names the oldest glibc that it supports (PEP 600). For aarch64 that is at least 2.17.
    """
    glibc = range(runtime.glibc, OLDEST_GLIBC - 1, -1)
    return (*(f"manylinux_2_{minor}_{MACHINE}" for minor in glibc), f"manylinux2014_{MACHINE}")


def locked_for_function(lock: str, runtime: Runtime = DEFAULT_RUNTIME) -> str:
    """Return the requirements of a lock file that apply on Lambda, without their markers.

    pip evaluates markers for the Python that runs it, not for the platform that it downloads for.
    """
    # The function's platform as environment markers (PEP 508).
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
    """Yield the files that a wheel installs, in the folder `python/` of a layer.

    A wheel has files for other folders than site-packages in `<name>.data/<scheme>/`. Scripts, headers and
    data files there are left out, because the function does not use them.
    """
    for file in archive.members(wheel):
        in_data = re.match(r"[^/]+\.data/(?P<scheme>[^/]+)/", file.name)
        if in_data and in_data["scheme"] not in {"purelib", "platlib"}:
            continue
        name = file.name[in_data.end() :] if in_data else file.name
        yield dataclasses.replace(file, name=f"python/{name}")


def _write(path: Path, content: bytes) -> None:
    """Write the file atomically, so that parallel builds do not disturb each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _archive(path: Path) -> pulumi.FileArchive:
    """Return an archive with a relative path, so that the stack's state has no folder of this machine."""
    return pulumi.FileArchive(os.path.relpath(path))


def main() -> None:
    """Build the handler's archive, and the layer for each given runtime or the default one."""
    parser = argparse.ArgumentParser(prog="python -m components.packaging", description=main.__doc__)
    known = f"any of {', '.join(RUNTIMES)}, or all"
    parser.add_argument("runtimes", nargs="*", metavar="RUNTIME", help=known)
    names = parser.parse_args().runtimes or [DEFAULT_RUNTIME.name]
    names = RUNTIMES if names == ["all"] else names
    if unknown := [name for name in names if name not in RUNTIMES]:
        parser.error(f"RUNTIME: must be {known}, got {', '.join(unknown)}")
    try:
        paths = (build_handler(), *(build_layer(RUNTIMES[name]) for name in names))
    except PackagingError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    for path in paths:
        unzipped = sum(member.size for member in archive.members(path))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(
            f"{os.path.relpath(path)}  {path.stat().st_size:,} bytes ({unzipped:,} unzipped)  sha256:{digest}"
        )


if __name__ == "__main__":
    main()
