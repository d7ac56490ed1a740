"""Registers: which version of a key is current for the system, and which job made its outputs."""

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
    """What the register of one key holds."""

    version_id: str
    state: str
    job_id: str
    """The job that made the outputs, or withdrew them."""

    @classmethod
    def of(cls, item: Mapping[str, Any], bucket: str, key: str) -> Self:
        """Read the table's item; an older program wrote the version alone."""
        return cls(
            version_id=str(item["version_id"]),
            state=str(item.get("state", CURRENT)),
            job_id=str(item.get("holder") or table.job_id(bucket, key, str(item["version_id"]))),
        )


def get_many(stack: Stack, keys: Iterable[str]) -> dict[str, Register]:
    """Return the registers that there are, by key."""
    by_id = {register_id(stack.bucket, key): key for key in keys}
    return {
        by_id[identifier]: Register.of(item, stack.bucket, by_id[identifier])
        for identifier, item in table.get_many(stack, by_id).items()
    }
