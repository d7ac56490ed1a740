"""The function's layer has exactly the files of the locked packages."""

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import packaging


@pytest.fixture(scope="module")
def layer() -> Path:
    return packaging.build_layer()


def test_every_file_is_recorded_by_a_locked_package_with_its_hash(layer: Path) -> None:
    assert unrecorded(layer, locked()) == []


def test_every_locked_package_is_there(layer: Path) -> None:
    with zipfile.ZipFile(layer) as archive:
        names = archive.namelist()
    assert {package for name in names if (package := recorded_by(name))} == locked()


def test_added_and_changed_files_are_found(layer: Path, tmp_path: Path) -> None:
    changed = "python/duckdb/__init__.py"
    with zipfile.ZipFile(layer) as archive, zipfile.ZipFile(tmp_path / "layer.zip", "w") as copy:
        for name in archive.namelist():
            if "duckdb" in name and not name.endswith(".so"):
                copy.writestr(name, archive.read(name) + (b"#" if name == changed else b""))
        copy.writestr("python/stray.py", "import os")
    assert unrecorded(tmp_path / "layer.zip", locked()) == [changed, "python/stray.py"]
    assert unrecorded(tmp_path / "layer.zip", set())


def unrecorded(layer: Path, packages: set[str]) -> list[str]:
    """Return the files that no package records with their hash."""
    with zipfile.ZipFile(layer) as archive:
        recorded = {
            f"python/{installed}": digest
            for record in archive.namelist()
            if recorded_by(record) in packages
            for installed, digest in entries(record, archive.read(record).decode())
        }
        return sorted(
            name
            for name in archive.namelist()
            if recorded.get(name) != sha256(archive.read(name)) and recorded_by(name) not in packages
        )


def entries(record: str, content: str) -> Iterator[tuple[str, str]]:
    """Return path and hash of each file, from a wheel's RECORD."""
    data = record.split("/")[1].replace(".dist-info", ".data")
    for path, digest, _ in csv.reader(io.StringIO(content)):
        yield re.sub(rf"^{re.escape(data)}/(purelib|platlib)/", "", path), digest


def recorded_by(name: str) -> str | None:
    """Return the package, as named in the lock file, whose RECORD the file is; None for other files."""
    match = re.fullmatch(r"python/(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/RECORD", name)
    return match and f"{match['name'].replace('_', '-').lower()}=={match['version']}"


def locked() -> set[str]:
    lock = packaging.LAYER_REQUIREMENTS.read_text()
    return {line.split()[0] for line in lock.splitlines() if re.match(r"[a-z0-9]", line)}


def sha256(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
