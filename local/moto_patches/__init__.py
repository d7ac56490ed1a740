"""Patches of moto where it differs from AWS in something that the program needs.

`install` runs in the server's process. Each patch says what moto does and what AWS does. Only this folder
uses moto's internals, and moto's version is pinned.
"""

from local.moto_patches import (
    athena,
    cloudwatch_metrics,
    configuration_changes,
    deletion_refusals,
    first_events,
    function_code,
    glue_tags,
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

# The clock changes the time of metrics that other patches put, so it wraps their calls last.
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
    glue_tags,
    lambda_checks,
    athena,
    metrics_clock,
    log_filters,
    service_metrics,
    message_moves,
)


def install() -> None:
    """Apply every patch; call this once, before the server handles requests."""
    for patch in PATCHES:
        patch.install()
