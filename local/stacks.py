"""The project's stacks with their configuration: values of the stack file, then the schema's defaults."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

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
        LocalError: There is no file, or a secret has no default.
    """
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    files = sorted(folder.glob("Pulumi.*.yaml"))
    if not files:
        raise LocalError(f"no stack files (Pulumi.<stack>.yaml) in {folder}")
    defaults = {
        _full(key, project["name"]): declared["default"]
        for key, declared in project.get("config", {}).items()
        if isinstance(declared, dict) and "default" in declared
    }
    return [_read_stack(file, project["name"], defaults) for file in files]


def _read_stack(file: Path, project: str, defaults: Mapping[str, Any]) -> Stack:
    own = (yaml.safe_load(file.read_text()) or {}).get("config", {})
    values = dict(defaults)
    for key, value in own.items():
        if not _is_encrypted(value):
            values[_full(key, project)] = value
        elif _full(key, project) not in defaults:
            raise LocalError(
                f"{file.name}: {key} is a secret and has no default; the embedded AWS needs it in plain text"
            )
    return Stack(
        project=project,
        name=file.name.removeprefix("Pulumi.").removesuffix(".yaml"),
        config={key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()},
    )


def _is_encrypted(value: Any) -> bool:  # noqa: ANN401 - YAML
    if isinstance(value, dict):
        return "secure" in value or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def _full(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"
