"""Registers: the version of each key that the system takes for current, and the job of its results."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from ops import table
from ops.deployed_stacks import Stack
from ops.table import register_id

CURRENT, WITHDRAWN, EXPIRED = "current", "withdrawn", "expired"
"""The states of a register, as the function writes them."""


@dataclass(frozen=True, kw_only=True)
class Register:
    """The register of one key."""

    version_id: str
    state: str
    job_id: str
    """The job that wrote the results, or withdrew them."""
    withdrawn: str
    """The job whose results were withdrawn; empty if there was none."""

    @classmethod
    def of(cls, item: Mapping[str, Any], bucket: str, key: str) -> Self:
        """Read an item of the table; older versions of the program wrote only the version."""
        return cls(
            version_id=str(item["version_id"]),
            state=str(item.get("state", CURRENT)),
            withdrawn=str(item.get("withdrawn", "")),
            job_id=str(item.get("holder") or table.job_id(bucket, key, str(item["version_id"]))),
        )


def get_many(stack: Stack, keys: Iterable[str]) -> dict[str, Register]:
    """Return the existing registers, by key."""
    by_id = {register_id(stack.bucket, key): key for key in keys}
    return {
        by_id[identifier]: Register.of(item, stack.bucket, by_id[identifier])
        for identifier, item in table.get_many(stack, by_id).items()
    }
