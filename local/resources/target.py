"""The location of resources: a region of an account, with default tags."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """The configuration of a provider of the program.

    Attributes:
        client: Returns the boto3 client of a service in a region.
        region: The provider's region.
        default_tags: Tags of all resources of the provider.
    """

    client: Callable[[str, str], Any]
    region: str
    default_tags: Mapping[str, str] = field(default_factory=dict)

    def service(self, name: str) -> Any:  # noqa: ANN401 - boto3
        """Return the service's client in this region."""
        return self.client(name, self.region)

    @functools.cached_property
    def account(self) -> str:
        """The account's id."""
        return self._caller[4]

    @functools.cached_property
    def partition(self) -> str:
        """The region's partition, such as `aws`."""
        return self._caller[1]

    @functools.cached_property
    def _caller(self) -> list[str]:
        return self.service("sts").get_caller_identity()["Arn"].split(":")
