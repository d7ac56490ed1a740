"""Install Spark and Trino in `.build`: `python -m tests.readers.install`.

If a machine cannot run one of them, the program prints the reason and omits it. The tests of that engine are
then skipped with the same reason.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.readers.java import SPARK_JAVA, TRINO_JAVA, java_home

BUILD = Path(__file__).parents[2] / ".build"
TRINO_VERSION = "476"
TRINO_HOME = BUILD / f"trino-server-{TRINO_VERSION}"
SPARK_HOMES = {version: BUILD / f"spark-{version}" for version in ("3.5", "4.0")}
"""The folder of each version of Spark's Python package."""

_SHA256 = "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f"
_NEEDED = ("bin/", "lib/", "plugin/hive/", "NOTICE")
"""The parts of Trino that are installed: the server and the Hive connector, a fifth of the archive."""


def missing_for_trino() -> str | None:
    """Return what this machine lacks to run Trino; None if nothing."""
    if java_home(TRINO_JAVA) is None:
        return f"Trino is left out: it needs Java {TRINO_JAVA[0]} or newer, and none is found here"
    if not TRINO_HOME.is_dir() and shutil.which("mvn") is None:
        return "Trino is left out: it is installed by Maven, and there is no mvn here"
    return None


def missing_for_spark() -> str | None:
    """Return what this machine lacks to run Spark; None if nothing."""
    if java_home(SPARK_JAVA) is None:
        return f"Spark is left out: it needs Java {SPARK_JAVA[0]}, which is not found here"
    return None


def install_trino() -> None:
    """Download Trino's archive, verify it, and extract the needed parts."""
    with_maven = BUILD / "maven"
    archive = with_maven / f"trino-server-{TRINO_VERSION}.tar.gz"
    subprocess.run(
        [
            "mvn",
            "--quiet",
            "--batch-mode",
            f"-Dmaven.repo.local={with_maven / 'repository'}",
            "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
            f"-Dartifact=io.trino:trino-server:{TRINO_VERSION}:tar.gz",
            f"-DoutputDirectory={with_maven}",
        ],
        check=True,
        stdout=sys.stderr,
    )
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != _SHA256:
        sys.exit(f"{archive.name}: its SHA-256 should be {_SHA256}, got {digest}")
    unpacked = BUILD / "trino-unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(archive) as tar:
        members = [member for member in tar if member.name.partition("/")[2].startswith(_NEEDED)]
        tar.extractall(unpacked, members, filter="data")
    (unpacked / TRINO_HOME.name).rename(TRINO_HOME)
    shutil.rmtree(unpacked)
    shutil.rmtree(with_maven)


def install_spark(version: str) -> None:
    """Install Spark's package, which contains all of Spark, into a folder for each version."""
    home = SPARK_HOMES[version]
    unpacked = home.with_name(f"{home.name}-unpacked")
    shutil.rmtree(unpacked, ignore_errors=True)
    lock = BUILD.parent / "requirements" / f"spark-{version}.txt"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-build-isolation", "--target", str(unpacked), "-r", str(lock)),
        ],
        check=True,
        stdout=sys.stderr,
    )
    unpacked.rename(home)


def main() -> None:
    """Install what is missing, and print what cannot be installed."""
    spark, trino = missing_for_spark(), missing_for_trino()
    for notice in filter(None, (spark, trino)):
        print(notice, file=sys.stderr)
    BUILD.mkdir(exist_ok=True)
    for version, home in SPARK_HOMES.items():
        if spark is None and not home.is_dir():
            print(f"Installing Spark {version} in .build ...", file=sys.stderr)
            install_spark(version)
    if trino is None and not TRINO_HOME.is_dir():
        print("Installing Trino in .build ...", file=sys.stderr)
        install_trino()


if __name__ == "__main__":
    main()
