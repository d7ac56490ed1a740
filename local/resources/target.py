"""Where a resource goes, and the few conversions that all types share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from local.server import Server

Inputs = Mapping[str, Any]
Outputs = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A provider: region and default tags, and the API of the embedded AWS there."""

    server: Server
    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3
        """Give the service's boto3 client in this region."""
        return self.server.client(service, self.region)


Creator = Callable[[Target, Inputs], Outputs]
"""Creates a resource from its Pulumi inputs (camelCase); gives `id` and the outputs the program uses."""


def key_values(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def given(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Only what the program set, for calls whose parameters cannot be None."""
    return {name: value for name, value in values.items() if value is not None}


def archive_bytes(archive: pulumi.Archive | None) -> bytes:
    """Read the archive that the provider would upload."""
    if not isinstance(archive, pulumi.FileArchive) or not Path(archive.path).is_file():
        raise ValueError(f"code must be a FileArchive of a zip file, got {archive!r}")
    return Path(archive.path).read_bytes()
