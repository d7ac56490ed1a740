"""A stack under Pulumi's engine: the unchanged program, a backend in a folder, and the embedded AWS."""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import yaml
from pulumi import automation

from tests.engine import cli
from tests.engine.plugin import LanguagePlugin, ProviderPlugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.server import Server

PROJECT = Path(__file__).resolve().parents[2]
NAME = "regional-analytics"
PASSPHRASE = "of the tests"
PLUGIN = f"resource-aws-v{version('pulumi-aws')}"

REAL_PROVIDER = "ENGINE_TESTS_PLUGINS"
"""The variable that names a folder of Pulumi's plugins (`~/.pulumi/plugins`) with the real AWS provider."""


class Refused(Exception):  # noqa: N818 - the text is Pulumi's own
    """A command of Pulumi ended with an error.

    Attributes:
        step: What it had done before.
    """

    def __init__(self, text: str, step: Step) -> None:
        super().__init__(text)
        self.step = step


@dataclass(kw_only=True)
class Step:
    """What one command of Pulumi did.

    Attributes:
        operations: The operation on each changed resource, by the resource's logical name.
        done: The operations and logical names, in the order in which they ended.
        errors: The reported errors.
        policies: The messages of the policy pack, by the name of the rule.
        printed: The lines that the command printed.
    """

    operations: dict[str, str] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    policies: dict[str, str] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)

    def hear(self, event: automation.EngineEvent) -> None:
        """Note an event of the engine."""
        if event.resource_pre_event:
            metadata = event.resource_pre_event.metadata
            if metadata.op not in {"same", "read", "refresh"}:
                self.operations[logical_name(metadata.urn)] = metadata.op.value
        elif event.res_outputs_event:
            metadata = event.res_outputs_event.metadata
            self.done.append((metadata.op.value, logical_name(metadata.urn)))
        elif event.diagnostic_event and event.diagnostic_event.severity == "error":
            self.errors.append(event.diagnostic_event.message)
        elif event.policy_event:
            self.policies[event.policy_event.policy_name] = event.policy_event.message

    def order(self, operation: str) -> list[str]:
        """Return the resources for which an operation ended, in that order."""
        return [name for done, name in self.done if done == operation]


def logical_name(urn: str) -> str:
    """Return a resource's name in the program, the last part of its URN."""
    return urn.rpartition("::")[2]


class Engine:
    """Pulumi's CLI with its own home and backend."""

    def __init__(self, folder: Path, server: Server) -> None:
        command = cli.find()
        if command is None:
            raise RuntimeError("there is no Pulumi CLI; `make engine` builds it")
        self.command, self.folder, self.server = command, folder, server
        self.backend = folder / "backend"
        self.backend.mkdir(parents=True)
        home = folder / "home"
        real = os.environ.get(REAL_PROVIDER)
        self.provider, self._language = ProviderPlugin(server), LanguagePlugin()
        if real is None:
            self.provider.write_executable(home / "plugins" / PLUGIN / "pulumi-resource-aws")
        else:
            (home / "plugins").mkdir(parents=True)
            (home / "plugins" / PLUGIN).symlink_to(Path(real) / PLUGIN)
        if shutil.which("pulumi-language-python") is None:
            self._language.write_executable(folder / "bin" / "pulumi-language-python")
        self.environment = {
            **server.operator.environment,
            "AWS_ENDPOINT_URL": server.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_HOME": str(home),
            # No metadata beside the state: a killed Pulumi may leave that file empty, and then cannot
            # read the state. A backend in S3 has none.
            "PULUMI_BACKEND_URL": f"file://{self.backend}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def close(self) -> None:
        """End the plugins."""
        self.provider.close()
        self._language.close()

    def run(self, work: Path, *args: str) -> subprocess.Popen[str]:
        """Start a command of the CLI in a folder."""
        return subprocess.Popen(
            [self.command.command, "--non-interactive", *args],
            cwd=work,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


class Deployment:
    """One stack: its configuration, which tests change, and Pulumi's commands.

    Args:
        engine: Runs the commands.
        stack: The stack's name; its file is the project's.
        project: The folder of the program.
        settings: Settings that differ from the stack's file, by key without namespace.

    Attributes:
        transform: Changes the resources that the program registers; None for the unchanged program.
    """

    def __init__(
        self, engine: Engine, stack: str = "us-east-1", project: Path = PROJECT, **settings: Any
    ) -> None:
        self.engine, self.stack, self.project = engine, stack, project
        self.work = engine.folder / stack
        self.work.mkdir()
        # Archives are named by their path in the project, as `pulumi up` is run in the project's folder.
        (self.work / ".build").symlink_to(project / ".build")
        for file in project.glob("Pulumi*.yaml"):
            shutil.copy(file, self.work)
        self.transform: pulumi.ResourceTransform | None = None
        self._file = self.work / f"Pulumi.{stack}.yaml"
        workspace = automation.LocalWorkspace(
            work_dir=str(self.work),
            program=self._run_program,
            pulumi_command=engine.command,
            env_vars=engine.environment,
            pulumi_home=engine.environment["PULUMI_HOME"],
        )
        self._stack = automation.Stack.create_or_select(stack, workspace)
        self.set(**settings)
        self.pack = self.work / "policy-pack"
        self._write_pack()

    def _write_pack(self) -> None:
        """Write the policy pack as an executable, which needs no language plugin of Pulumi's for Python.

        The plugin would pass these values as variables too.
        """
        passed = {
            "PULUMI_CONFIG": json.dumps({"aws:region": self.stack}),
            "PULUMI_PROJECT": NAME,
            "PULUMI_STACK": self.stack,
            "PULUMI_DRY_RUN": "true",
        }
        variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in passed.items())
        python, pack = shlex.quote(sys.executable), shlex.quote(str(self.project / "policy"))
        self.pack.write_text(
            f'#!/bin/sh\n{variables} exec {python} -u -W ignore -m pulumi.policy "$1" {pack}\n'
        )
        self.pack.chmod(0o755)

    def _run_program(self) -> None:
        if self.transform is not None:
            pulumi.runtime.register_resource_transform(self.transform)
        with contextlib.chdir(self.project), _importing_from(self.project):
            runpy.run_path(str(self.project / "__main__.py"), run_name="__main__")

    def upgrade(self, project: Path = PROJECT) -> None:
        """Go on with the program of another folder; the stack's file stays."""
        self.project = project
        shutil.copy(project / "Pulumi.yaml", self.work)

    # --- the configuration ------------------------------------------------------------------------------

    def set(self, **settings: Any) -> None:
        """Set keys of the stack's file; None removes a key."""
        document = yaml.safe_load(self._file.read_text())
        for name, value in settings.items():
            key = f"{NAME}:{name}"
            document["config"].pop(key, None)
            if value is not None:
                document["config"][key] = value
        self._file.write_text(yaml.safe_dump(document))

    def set_secret(self, path: str, value: str) -> None:
        """Set a key of the stack's file as `pulumi config set --secret --path` does."""
        self._stack.set_config(f"{NAME}:{path}", automation.ConfigValue(value, secret=True), path=True)

    # --- commands ---------------------------------------------------------------------------------------

    def preview(self, **options: Any) -> Step:
        """Run `pulumi preview`."""
        return self._do(self._stack.preview, options)

    def up(self, **options: Any) -> Step:
        """Run `pulumi up --skip-preview`."""
        return self._do(self._stack.up, options)

    def refresh(self, **options: Any) -> Step:
        """Run `pulumi refresh`."""
        return self._do(self._stack.refresh, options)

    def destroy(self, **options: Any) -> Step:
        """Run `pulumi destroy`, which runs no program."""
        return self._do(self._stack.destroy, options)

    def _do(self, command: Any, options: dict[str, Any]) -> Step:
        step = Step()
        try:
            command(
                on_event=step.hear,
                on_output=step.printed.append,
                color="never",
                suppress_progress=True,
                **options,
            )
        except automation.CommandError as error:
            raise Refused("\n".join(step.errors) or str(error), step) from None
        return step

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, as `pulumi stack output` shows them."""
        return {name: output.value for name, output in self._stack.outputs().items()}

    def state(self) -> list[dict[str, Any]]:
        """Return every resource of the state."""
        deployment = self._stack.export_stack().deployment or {}
        return deployment.get("resources", [])

    def pending(self) -> list[dict[str, Any]]:
        """Return what Pulumi had begun and not recorded as done when it was interrupted."""
        deployment = self._stack.export_stack().deployment or {}
        return deployment.get("pending_operations", [])

    def stored(self) -> str:
        """Return the state as the backend stores it: secrets are encrypted in it."""
        (file,) = self.engine.backend.rglob(f"stacks/**/{self.stack}.json")
        return file.read_text()

    def run(self, *args: str) -> str:
        """Run any command of the CLI, and return what it prints."""
        process = self.engine.run(self.work, *args, "--stack", self.stack)
        printed, _ = process.communicate()
        if process.returncode:
            raise Refused(printed, Step())
        return printed

    def client(self, service: str) -> Any:
        """Return a boto3 client in the stack's region."""
        return self.engine.server.client(service, self.stack)


@contextlib.contextmanager
def _importing_from(project: Path) -> Iterator[None]:
    """Import the program's modules from a project's folder, whichever project's are imported already."""
    others = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "components"}
    foreign = project != PROJECT
    if foreign:
        for name in others:
            del sys.modules[name]
    sys.path.insert(0, str(project))
    try:
        yield
    finally:
        sys.path.remove(str(project))
        if foreign:
            for name in [name for name in sys.modules if name.split(".")[0] == "components"]:
                del sys.modules[name]
            sys.modules.update(others)
