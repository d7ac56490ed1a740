"""The Pulumi CLI: the one on PATH if it is compatible with the SDK, else one built from pinned Go modules.

`python -m tests.engine.cli` builds it if necessary, which takes minutes, once on each machine.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pulumi.automation import InvalidVersionError, PulumiCommand
from semver import VersionInfo

MODULE = Path(__file__).resolve().parent / "cli"
"""The Go module that pins the CLI."""

BUILD = Path(__file__).resolve().parents[2] / ".build"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3"
SDK = "github.com/pulumi/pulumi/sdk/v3"


def find() -> PulumiCommand | None:
    """Return the CLI; None if it must be built first."""
    try:
        return PulumiCommand(version=VersionInfo.parse(importlib.metadata.version("pulumi")))
    except (FileNotFoundError, InvalidVersionError):
        return PulumiCommand(root=str(_root())) if _executable().is_file() else None


def build() -> None:
    """Build the pinned CLI.

    Raises:
        SystemExit: There is no Go, or the build fails.
    """
    go = shutil.which("go")
    if go is None:
        needed = _pinned(r"^go (\S+)$")
        raise SystemExit(
            f"pulumi: put the CLI, {importlib.metadata.version('pulumi')} or newer, on PATH, or Go {needed}"
            " or newer to build it with; found neither"
        )
    # The Automation API refuses a CLI that does not know its version.
    linked = f"-X {SDK}/go/common/version.Version={_version()}"
    print(
        f"Building the Pulumi CLI {_version()} in .build (about seven minutes on two cores) ...", flush=True
    )
    built = subprocess.run(
        [
            go,
            "build",
            "-trimpath",
            "-ldflags",
            f"-s -w {linked}",
            "-o",
            _executable(),
            f"{PACKAGE}/cmd/pulumi",
        ],
        cwd=MODULE,
        check=False,
    )
    if built.returncode:
        raise SystemExit(f"pulumi: the build of {PACKAGE} {_version()} failed")


def _version() -> str:
    return _pinned(rf"{re.escape(PACKAGE)} (v\S+)")


def _pinned(pattern: str) -> str:
    found = re.search(pattern, (MODULE / "go.mod").read_text(), re.MULTILINE)
    assert found is not None
    return found.group(1)


def _root() -> Path:
    return BUILD / f"pulumi-{_version().removeprefix('v')}"


def _executable() -> Path:
    return _root() / "bin" / "pulumi"


if __name__ == "__main__":
    if find() is None:
        build()
    sys.exit(0 if find() else "pulumi: no CLI was found after the build")
