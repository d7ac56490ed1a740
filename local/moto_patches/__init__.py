"""Where moto differs from AWS in what the program rests on, and the smallest patch for each difference.

Run inside the server's process by `install`. Each patch says what moto does and what AWS does. What the
project rests on of moto's internals is named in this folder alone, and moto's version is pinned.
"""

from local.moto_patches import (
    athena,
    cloudwatch_metrics,
    configuration_changes,
    deletion_refusals,
    first_events,
    function_code,
    iam_enforcement,
    lambda_checks,
    log_filters,
    message_moves,
    metrics_clock,
    s3_deletions,
    s3_encryption,
    s3_event_delivery,
    service_metrics,
    sqs_queues,
)

# The clock stamps what the other patches put, so it comes after those that wrap the same calls.
PATCHES = (
    iam_enforcement,
    s3_event_delivery,
    first_events,
    s3_deletions,
    s3_encryption,
    sqs_queues,
    cloudwatch_metrics,
    configuration_changes,
    deletion_refusals,
    function_code,
    lambda_checks,
    athena,
    metrics_clock,
    log_filters,
    service_metrics,
    message_moves,
)


def install() -> None:
    """Put every patch in place; call once, before the server answers."""
    for patch in PATCHES:
        patch.install()
