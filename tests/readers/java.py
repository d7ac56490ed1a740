"""Find the Java that an engine needs on this machine."""

import os
import re
from pathlib import Path

SPARK_JAVA = (17, 18)
"""The first version, and the first that is too new. Spark 3.5 and 4.0 run on Java 17,
https://spark.apache.org/docs/4.0.1/#downloading."""
TRINO_JAVA = (24, 26)
"""Trino 476 asks for Java 24 or newer, https://trino.io/docs/476/installation/deployment.html."""

_PLACES = ("/usr/lib/jvm", "/opt", "/opt/java", "/opt/hostedtoolcache/Java_Temurin-Hotspot_jdk")


def java_home(versions: tuple[int, int]) -> Path | None:
    """Return the folder of the oldest Java of these versions (from and below); None if there is none.

    It searches the variables whose names begin with ``JAVA_HOME``, which GitHub's runners set, and the
    folders where packages install Java.
    """
    homes = [Path(value) for name, value in os.environ.items() if name.startswith("JAVA_HOME")]
    for place in map(Path, _PLACES):
        if place.is_dir():
            homes += [home for folder in place.iterdir() for home in (folder, folder / "x64")]
    found = [(version, home) for home in homes if (version := _version(home)) is not None]
    fitting = [pair for pair in found if versions[0] <= pair[0] < versions[1]]
    return min(fitting)[1] if fitting else None


def _version(home: Path) -> int | None:
    release = home / "release"
    if not (home / "bin" / "java").is_file() or not release.is_file():
        return None
    match = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return int(match[1]) if match else None
