"""A stack of its own in the account of the credentials, which is deployed and taken away by Pulumi."""

import json
import runpy
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml
from pulumi import automation

PROJECT = Path(__file__).resolve().parent.parent
NAMESPACE = "regional-analytics"
CIDR_BLOCK = "192.168.254.0/24"
"""The program refuses a range that overlaps that of a stack file, and so the stack's own."""
Result = TypeVar("Result")


class SandboxError(Exception):
    """The sandbox cannot be deployed or taken away; the message says why."""


class Deployment(Protocol):
    """What the trial needs of a deployment."""

    suffix: str
    """The end of every physical name, and the value of the tag Environment."""
    region: str

    def up(self) -> Mapping[str, Any]:
        """Deploy, and return the outputs."""
        ...

    def up_again(self) -> None:
        """Deploy once more.

        Raises:
            SandboxError: That would change something.
        """
        ...

    def destroy(self) -> None:
        """Take everything away."""
        ...


class PulumiDeployment:
    """A stack with the region and settings of one of the project's stacks, and a suffix of its own."""

    def __init__(self, stack: str, say: Callable[[str], None], project: Path = PROJECT) -> None:
        """Create the stack, without deploying anything.

        Args:
            stack: Name of one of the project's stacks.
            say: Hears what Pulumi prints.
            project: The Pulumi project's folder.

        Raises:
            SandboxError: There is no such stack, or Pulumi cannot create one.
        """
        self.suffix = f"sb{secrets.token_hex(3)}"
        self._say, self._project = say, project
        configuration = settings(project / f"Pulumi.{stack}.yaml", self.suffix)
        self.region = configuration["aws:region"]
        # A folder of its own, for its stack file would be one more of the project's while it is there.
        self._folder = tempfile.TemporaryDirectory(prefix="sandbox-")
        work = Path(self._folder.name)
        shutil.copy(project / "Pulumi.yaml", work)
        (work / ".build").symlink_to(project / ".build")
        try:
            workspace = automation.LocalWorkspace(work_dir=str(work), program=self._run_program)
            self._stack = automation.Stack.create(f"sandbox-{self.suffix}", workspace)
            self._stack.set_all_config(
                {key: automation.ConfigValue(value) for key, value in configuration.items()}
            )
        except automation.CommandError as error:
            raise SandboxError(f"Pulumi cannot create the stack: {error}") from None
        except FileNotFoundError:
            raise SandboxError("the Pulumi CLI is not installed, or not on PATH") from None

    def _run_program(self) -> None:
        runpy.run_path(str(self._project / "__main__.py"), run_name="__main__")

    def up(self) -> Mapping[str, Any]:
        """Deploy, and return the outputs."""
        result = self._carried_out(lambda: self._stack.up(on_output=self._say))
        return {name: output.value for name, output in result.outputs.items()}

    def up_again(self) -> None:
        """Deploy once more; any change is an error."""
        self._carried_out(lambda: self._stack.up(on_output=self._say, expect_no_changes=True))

    def destroy(self) -> None:
        """Take everything away, the stack itself included."""
        self._carried_out(lambda: self._stack.destroy(on_output=self._say))
        self._stack.workspace.remove_stack(self._stack.name)
        self._folder.cleanup()

    def _carried_out(self, operation: Callable[[], Result]) -> Result:
        try:
            return operation()
        except automation.CommandError as error:
            raise SandboxError(f"stack {self._stack.name}: {error}") from None


def settings(file: Path, suffix: str) -> dict[str, str]:
    """Return the configuration of a sandbox: that of a stack file, but for what tells them apart.

    Args:
        file: The stack file.
        suffix: The sandbox's environmentSuffix.

    Raises:
        SandboxError: There is no such file.
    """
    if not file.is_file():
        known = sorted(path.name.split(".")[1] for path in file.parent.glob("Pulumi.*.yaml"))
        raise SandboxError(f"STACK: must be one of {', '.join(known)}, got {file.name.split('.')[1]!r}")
    own = yaml.safe_load(file.read_text(encoding="utf-8"))["config"]
    # A secret is of its own stack's passphrase, and a subscriber would hear of the drill.
    left_out = {key for key, value in own.items() if isinstance(value, dict) and "secure" in value}
    left_out.add(f"{NAMESPACE}:alarmSubscribers")
    values = {key: value for key, value in own.items() if key not in left_out} | {
        f"{NAMESPACE}:environmentSuffix": suffix,
        f"{NAMESPACE}:environment": suffix,
        f"{NAMESPACE}:cidrBlock": CIDR_BLOCK,
        f"{NAMESPACE}:protect": False,
        f"{NAMESPACE}:forceDestroy": True,
    }
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
