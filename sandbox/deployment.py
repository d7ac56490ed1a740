"""A separate stack, deployed and destroyed by Pulumi."""

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pulumi import automation

from components.configuration import PROJECT as PROJECT_NAME
from components.configuration import SettingsError, declarations, stack_configurations
from sandbox import orders, program

PROJECT = Path(__file__).resolve().parent.parent
CIDR_BLOCK = "192.168.254.0/24"
"""A range of no stack file: the program refuses ranges that overlap."""

Result = TypeVar("Result")


class SandboxError(Exception):
    """The sandbox cannot be deployed or destroyed; the message gives the reason."""


class Deployment(Protocol):
    """The interface that the trial uses."""

    suffix: str
    """The end of every physical name, and the value of the tag Environment."""
    region: str

    def up(self) -> Mapping[str, Any]:
        """Deploy, and return the outputs."""
        ...

    def up_again(self) -> None:
        """Deploy again.

        Raises:
            SandboxError: The deployment would change something.
        """
        ...

    def destroy(self) -> None:
        """Destroy all resources."""
        ...


class PulumiDeployment:
    """A stack with the region and settings of one of the project's stacks, and a random suffix."""

    def __init__(self, stack: str, say: Callable[[str], None], project: Path = PROJECT) -> None:
        """Create the stack without deploying it.

        Args:
            stack: Name of one of the project's stacks.
            say: Receives each line that Pulumi prints.
            project: The Pulumi project's folder.

        Raises:
            SandboxError: There is no such stack, or Pulumi cannot create one.
        """
        self.suffix = f"sb{secrets.token_hex(3)}"
        self._say = say
        configuration = settings(project, stack, self.suffix)
        self.region = configuration["aws:region"]
        # A separate folder: in the project's folder, the new stack file would be one of the project's.
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        work = Path(self._folder.name)
        shutil.copy(project / "Pulumi.yaml", work)
        (work / ".build").symlink_to(project / ".build")
        try:
            name = f"sandbox-{self.suffix}"
            workspace = automation.LocalWorkspace(
                work_dir=str(work),
                program=program.main,
                stack_settings={name: _stack_file(project, configuration)},
            )
            self._stack = automation.Stack.create(name, workspace)
        except automation.CommandError as error:
            raise SandboxError(f"Pulumi cannot create the stack: {error}") from None
        except FileNotFoundError:
            raise SandboxError("the Pulumi CLI is not installed, or not on PATH") from None

    def up(self) -> Mapping[str, Any]:
        """Deploy, and return the outputs."""
        result = self._run(lambda: self._stack.up(on_output=self._say))
        return {name: output.value for name, output in result.outputs.items()}

    def up_again(self) -> None:
        """Deploy again; raise an error for any change."""
        self._run(lambda: self._stack.up(on_output=self._say, expect_no_changes=True))

    def destroy(self) -> None:
        """Destroy all resources, and remove the stack."""
        self._run(lambda: self._stack.destroy(on_output=self._say))
        self._stack.workspace.remove_stack(self._stack.name)
        self._folder.cleanup()

    def _run(self, operation: Callable[[], Result]) -> Result:
        try:
            return operation()
        except automation.CommandError as error:
            raise SandboxError(f"stack {self._stack.name}: {error}") from None


def _stack_file(project: Path, configuration: Mapping[str, str]) -> automation.StackSettings:
    """Return the contents of a stack file. `pulumi config set` would write an array as a string."""
    arrays = {key for key, declared in declarations(project).items() if declared["type"] == "array"}
    return automation.StackSettings(
        config={key: json.loads(value) if key in arrays else value for key, value in configuration.items()}
    )


def settings(project: Path, stack: str, suffix: str) -> dict[str, str]:
    """Return the configuration of a sandbox: that of a stack file, with other names and one dataset.

    Nothing is protected from deletion. Secrets are left out, because only their own stack can decrypt them.
    So are subscribers, because the trial raises an alarm, and prefixes, because it uploads under its own.

    Args:
        project: The Pulumi project's folder.
        stack: Name of one of the project's stacks.
        suffix: The sandbox's environmentSuffix.

    Raises:
        SandboxError: There is no such stack file, it names no region, or a stack file cannot be read.
    """
    try:
        stacks = stack_configurations(project)
    except SettingsError as error:
        raise SandboxError("; ".join(error.problems)) from None
    if stack not in stacks:
        raise SandboxError(f"STACK: must be one of {', '.join(stacks)}, got {stack!r}")
    if "aws:region" not in stacks[stack].values:
        raise SandboxError(f"Pulumi.{stack}.yaml: aws:region must be an AWS region, got nothing")
    values = {
        **stacks[stack].values,
        f"{PROJECT_NAME}:environmentSuffix": suffix,
        f"{PROJECT_NAME}:environment": suffix,
        f"{PROJECT_NAME}:cidrBlock": CIDR_BLOCK,
        f"{PROJECT_NAME}:protect": json.dumps(False),
        f"{PROJECT_NAME}:forceDestroy": json.dumps(True),
        f"{PROJECT_NAME}:datasets": json.dumps([orders.DATASET]),
    }
    left_out = {f"{PROJECT_NAME}:alarmSubscribers", f"{PROJECT_NAME}:uploadPrefixes"}
    return {key: value for key, value in values.items() if key not in left_out}
