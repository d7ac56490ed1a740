"""A stack of the project under Pulumi's engine: the program unchanged, a local backend, the embedded AWS."""

from __future__ import annotations

import os
import runpy
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine import cli

if TYPE_CHECKING:
    from local.server import Server

PROJECT = Path(__file__).resolve().parents[2]
REAL_PROVIDER = "ENGINE_TESTS_REAL_PROVIDER"
"""Set to the folder of an installed `resource-aws` plugin to run the tests with the real provider."""

PASSPHRASE = "of the tests"


def program(project: Path = PROJECT) -> None:
    """Run the project's program, as `python __main__.py` would in its folder."""
    sys.path.insert(0, str(project))
    try:
        runpy.run_path(str(project / "__main__.py"), run_name="__main__")
    finally:
        sys.path.remove(str(project))


class Engine:
    """Pulumi's CLI with a home and a backend of its own."""

    def __init__(self, folder: Path, server: Server) -> None:
        command = cli.find()
        if command is None:
            raise RuntimeError("there is no Pulumi CLI; `make engine` builds it")
        self.command, self.folder, self.server = command, folder, server
        self.home, backend = folder / "home", folder / "backend"
        backend.mkdir(parents=True)
        plugins = self.home / "plugins"
        self._install(
            plugins / f"resource-aws-v{version('pulumi-aws')}" / "pulumi-resource-aws",
            "tests.engine.provider",
        )
        self.environment = {
            **server.operator.environment,
            "AWS_ENDPOINT_URL": server.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PULUMI_HOME": str(self.home),
            "PULUMI_BACKEND_URL": f"file://{backend}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def _install(self, executable: Path, module: str) -> None:
        executable.parent.mkdir(parents=True)
        executable.write_text(
            f'#!/bin/sh\nPYTHONPATH="{PROJECT}" exec "{sys.executable}" -W ignore -m {module} "$@"\n'
        )
        executable.chmod(0o755)
