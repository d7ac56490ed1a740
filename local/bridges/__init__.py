"""Where moto differs from AWS in what the program rests on, and the smallest step across each gap.

Run inside the server's process by `install`. Each bridge says what moto does and what AWS does. What the
project rests on of moto's internals is named in this folder, `local/cloudwatch.py`, `local/message_moves.py`
and `local/service_metrics.py` alone, and moto's version is pinned.
"""

from local import cloudwatch, message_moves
from local.bridges import (
    athena,
    changes,
    events,
    first_events,
    function_code,
    lambda_checks,
    metrics,
    permissions,
    queues,
    refusals,
    s3_deletions,
)


def install() -> None:
    """Put every bridge in place; call once, before the server answers."""
    for bridges in (
        *(permissions, events, first_events, s3_deletions, queues, metrics, changes, refusals),
        *(function_code, lambda_checks, athena, cloudwatch, message_moves),
    ):
        bridges.install()
