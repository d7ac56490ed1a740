"""A deployed function's configuration, and the unpacked archives of its code and layers."""

from __future__ import annotations

import hashlib
import io
import platform
import shutil
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local.server import open_directly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function's configuration, as GetFunction returns it."""

    arn: str
    name: str
    region: str
    handler: str
    runtime: str
    architecture: str
    memory_mb: int
    timeout_seconds: float
    role: str
    variables: tuple[tuple[str, str], ...]
    code_location: str
    reserved_concurrency: int | None
    layers: tuple[str, ...]

    @classmethod
    def from_response(cls, response: Mapping[str, Any]) -> Self:
        """Read a response of GetFunction."""
        configuration = response["Configuration"]
        return cls(
            arn=configuration["FunctionArn"],
            name=configuration["FunctionName"],
            region=configuration["FunctionArn"].split(":")[3],
            handler=configuration["Handler"],
            runtime=configuration["Runtime"],
            architecture=configuration["Architectures"][0],
            memory_mb=configuration["MemorySize"],
            timeout_seconds=configuration["Timeout"],
            role=configuration["Role"],
            variables=tuple(configuration.get("Environment", {}).get("Variables", {}).items()),
            code_location=response["Code"]["Location"],
            reserved_concurrency=response.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
            layers=tuple(layer["Arn"] for layer in configuration.get("Layers", ())),
        )

    @property
    def fits_host(self) -> bool:
        """Whether this machine's Python can load binaries for the function's platform."""
        machine = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64"}.get(platform.machine().lower())
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return sys.platform == "linux" and (machine, version) == (self.architecture, self.runtime)


class Archives:
    """Downloads and unpacks each archive once."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="lambda-code-"))
        self._unpacked: dict[str, Path] = {}
        self._lock = threading.Lock()

    def unpack(self, location: str, check: Callable[[zipfile.ZipFile], None] | None = None) -> Path:
        """Return the folder with the archive's files; `check` is called after the download."""
        with self._lock:
            if location not in self._unpacked:
                content = download(location)
                folder = self._root / hashlib.sha256(content).hexdigest()
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    if check:
                        check(archive)
                    archive.extractall(folder)
                self._unpacked[location] = folder
            return self._unpacked[location]

    def close(self) -> None:
        """Remove the unpacked files."""
        shutil.rmtree(self._root, ignore_errors=True)


def download(location: str) -> bytes:
    """Download an archive from the address that Lambda's API returned."""
    with open_directly(location) as response:
        return response.read()
