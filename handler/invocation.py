"""What one invocation has to work with: its time, memory and account."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import uuid4

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_MEBIBYTE = 1024 * 1024
_CONVERSION_SHARE = 0.85
_OVERHEAD_SECONDS = 3.0
"""What is left of the time is for publishing and for the records: 48 s of 300 s, in which 20 MB/s publish
960 MB, more than the Parquet of the largest object that fits."""
_MEMORY_SHARE = 0.68
"""Of the function's memory, for the process: the rest is the runtime's and the page cache's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """One invocation of the function."""

    id: str
    """Unlike that of any other invocation, retries by Lambda included."""
    account: str
    memory_bytes: int
    seconds: float
    """The time it had at its start."""
    _remaining_ms: Callable[[], int]

    @classmethod
    def of(cls, context: "LambdaContext") -> Self:
        """Read the runtime's context."""
        return cls(
            id=f"{context.aws_request_id}/{uuid4().hex[:8]}",
            account=context.invoked_function_arn.split(":")[4],
            memory_bytes=int(int(context.memory_limit_in_mb) * _MEBIBYTE * _MEMORY_SHARE),
            seconds=context.get_remaining_time_in_millis() / 1000,
            _remaining_ms=context.get_remaining_time_in_millis,
        )

    @property
    def remaining_seconds(self) -> float:
        """The time until Lambda ends the function."""
        return self._remaining_ms() / 1000

    @property
    def conversion_seconds_full(self) -> float:
        """What a conversion could take if it had the invocation for itself."""
        return _for_conversion(self.seconds)

    @property
    def conversion_seconds(self) -> float:
        """What a conversion may take from now on."""
        return _for_conversion(self.remaining_seconds)


def _for_conversion(seconds: float) -> float:
    return max(0.0, seconds * _CONVERSION_SHARE - _OVERHEAD_SECONDS)
