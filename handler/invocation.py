"""The time, memory and account of one invocation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import uuid4

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MEBIBYTE = 1024 * 1024
_CONVERSION_SHARE = 0.85
_OVERHEAD_SECONDS = 3.0
"""The rest of the time, 48 s of 300 s, is for publishing and for the records. At 20 MB/s that publishes
960 MB, more than the Parquet of the largest object that fits."""
_MEMORY_SHARE = 0.68
"""The process's share of the function's memory. The rest is for the runtime and the page cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """One invocation of the function."""

    id: str
    """Unique, also among Lambda's retries of one request."""
    account: str
    memory_bytes: int
    seconds: float
    """The time that was left at its start."""
    _remaining_ms: Callable[[], int]

    @classmethod
    def of(cls, context: "LambdaContext") -> Self:
        """Return the invocation that the runtime's context describes."""
        return cls(
            id=f"{context.aws_request_id}/{uuid4().hex[:8]}",
            account=context.invoked_function_arn.split(":")[4],
            memory_bytes=int(int(context.memory_limit_in_mb) * _MEBIBYTE * _MEMORY_SHARE),
            seconds=context.get_remaining_time_in_millis() / 1000,
            _remaining_ms=context.get_remaining_time_in_millis,
        )

    @property
    def remaining_seconds(self) -> float:
        """Return the seconds until Lambda ends the function."""
        return self._remaining_ms() / 1000

    @property
    def conversion_seconds_full(self) -> float:
        """Return the seconds that a conversion may take if the invocation does nothing else."""
        return _for_conversion(self.seconds)

    @property
    def conversion_seconds(self) -> float:
        """Return the seconds that a conversion may take from now on."""
        return _for_conversion(self.remaining_seconds)


def _for_conversion(seconds: float) -> float:
    return max(0.0, seconds * _CONVERSION_SHARE - _OVERHEAD_SECONDS)
