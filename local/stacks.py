"""The project's stacks with their configuration: values of the stack file, then the schema's defaults."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import configuration
from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack; `config` has full keys (`project:key`) and values in the format of Pulumi's runtime."""

    project: str
    name: str
    config: Mapping[str, str]

    @property
    def region(self) -> str:
        """The region of the default provider."""
        return self.config["aws:region"]

    def with_setting(self, name: str, value: Any) -> Stack:  # noqa: ANN401 - any JSON value
        """Return the stack with one of the project's settings changed."""
        return replace(self, config={**self.config, f"{self.project}:{name}": json.dumps(value)})


def read_stacks(folder: Path = PROJECT) -> list[Stack]:
    """Read every `Pulumi.<stack>.yaml` in the folder, in the order of their names.

    Only Pulumi can decrypt a secret, so a secret has its default value here.

    Raises:
        LocalError: There is no file, a file cannot be read, or a secret has no default.
    """
    try:
        stacks = configuration.stack_configurations(folder)
    except configuration.SettingsError as error:
        raise LocalError("; ".join(error.problems)) from None
    if not stacks:
        raise LocalError(f"no stack files (Pulumi.<stack>.yaml) in {folder}")
    defaults = {
        f"{configuration.PROJECT}:{key}": configuration.encoded(value)
        for key, value in configuration.defaults(folder).items()
    }
    for name, configured in stacks.items():
        for key in sorted(configured.secrets - defaults.keys()):
            raise LocalError(
                f"Pulumi.{name}.yaml: {key} is a secret and has no default;"
                " the embedded AWS needs it in plain text"
            )
    return [
        Stack(project=configuration.PROJECT, name=name, config={**defaults, **configured.values})
        for name, configured in stacks.items()
    ]
