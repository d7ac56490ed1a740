"""The layer's shared libraries need no newer system libraries than the function's runtime has.

A wheel's tag names the required glibc but not libstdc++. The libraries themselves name both.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from components import packaging
from components.runtimes import RUNTIMES

AMAZON_LINUX_2 = {"GLIBC": "2.26", "GLIBCXX": "3.4.24", "CXXABI": "1.3.11", "GCC": "7.0.0"}
AMAZON_LINUX_2023 = {"GLIBC": "2.34", "GLIBCXX": "3.4.29", "CXXABI": "1.3.13", "GCC": "11.0"}
"""The newest symbol versions of glibc 2.26 with GCC 7.3, and of glibc 2.34 with GCC 11.

GCC's manual of libstdc++ lists them, "ABI Policy and Guidelines"; Lambda developer guide, "Lambda runtimes".
"""

SYMBOLS = {26: AMAZON_LINUX_2, 34: AMAZON_LINUX_2023}
"""By the minor version of glibc, as in components/runtimes.py."""

SYSTEM_LIBRARIES = {"libc", "libdl", "libgcc_s", "libm", "libpthread", "libstdc++"}
"""System libraries of Lambda's Python runtimes."""


def test_the_layer_needs_what_the_runtime_has() -> None:
    needed = list(requirements(packaging.build_layer()))
    assert {namespace for _, namespace, _ in needed} >= {"GLIBC", "GLIBCXX"}
    assert unmet(needed, SYMBOLS[packaging.DEFAULT_RUNTIME.glibc]) == []


def test_every_runtime_has_its_symbols() -> None:
    assert {runtime.glibc for runtime in RUNTIMES.values()} == SYMBOLS.keys()


def test_the_layer_loads_no_library_that_the_runtime_lacks() -> None:
    loaded = {name for _, name in loads(packaging.build_layer())}
    assert loaded
    assert loaded <= SYSTEM_LIBRARIES


@pytest.mark.parametrize(
    ("namespace", "version", "met"),
    [
        ("GLIBC", "2.26", True),
        ("GLIBC", "2.3.4", True),
        ("GLIBC", "2.27", False),
        ("GLIBCXX", "3.4.9", True),
        ("GLIBCXX", "3.4.25", False),
        ("CXXABI", "1.3.12", False),
        ("OPENSSL", "1.1.1", False),
    ],
)
def test_newer_symbols_are_found(namespace: str, version: str, *, met: bool) -> None:
    assert (unmet([("a.so", namespace, version)], AMAZON_LINUX_2) == []) is met


def unmet(needed: list[tuple[str, str, str]], has: Mapping[str, str]) -> list[str]:
    """Return the symbol versions that are newer than the runtime's, or of an unknown library."""
    return [
        f"{library} needs {namespace}_{version}; the runtime has {has.get(namespace, 'none')}"
        for library, namespace, version in needed
        if namespace not in has or _number(version) > _number(has[namespace])
    ]


def requirements(layer: Path) -> Iterator[tuple[str, str, str]]:
    """Return each symbol version that a library of the layer needs: library, namespace, version."""
    for name, elf in libraries(layer):
        for section in elf.iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for _, auxiliaries in section.iter_versions():
                    for auxiliary in auxiliaries:
                        namespace, _, version = auxiliary.name.rpartition("_")
                        yield name, namespace, version


def loads(layer: Path) -> Iterator[tuple[str, str]]:
    """Return each shared library that a library of the layer loads, without its version."""
    for name, elf in libraries(layer):
        for section in elf.iter_sections():
            if isinstance(section, DynamicSection):
                tags: Iterator[Any] = section.iter_tags("DT_NEEDED")
                # The loader itself comes with the C library.
                found = (tag.needed.partition(".so")[0] for tag in tags if not tag.needed.startswith("ld-"))
                yield from ((name, needed) for needed in found)


def libraries(layer: Path) -> Iterator[tuple[str, Any]]:
    with zipfile.ZipFile(layer) as archive:
        for name in archive.namelist():
            if re.search(r"\.so(\.|$)", name):
                yield name, ELFFile(io.BytesIO(archive.read(name)))


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
