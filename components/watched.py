"""What the alarms and the dashboard look at: the names and limits of one region's resources."""

from dataclasses import dataclass

import pulumi

METRICS_NAMESPACE = "RegionalAnalytics"
"""Namespace of the metrics that the handler writes (EMF); the function's environment names the same one."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One region's chain, by the names that CloudWatch knows its parts by.

    Attributes:
        region: Region of every metric; CloudWatch keeps metrics per region, so it is no dimension.
        environment_suffix: The `EnvironmentSuffix` dimension of the handler's metrics.
        function_name: The function that converts.
        function_timeout: The function's timeout, seconds.
        memory_size: The function's memory, MB.
        log_group_name: The function's log group.
        queue_name: The queue between the rule and the function.
        visibility_timeout: How long the queue hides a message that was received, seconds.
        dead_letter_queue_name: Where a message goes that the function failed on too often.
        delivery_dead_letter_queue_name: Where an event goes that the rule could not deliver to the queue.
        rule_name: The EventBridge rule on the default bus.
        table_name: The job table.
        index_name: Its index by status and time.
        bucket_name: The bucket of uploads and results.
        rejected_share_max: Share of rejected rows (0 to 1) past which the handler fails a job.
        queue_depth_threshold: Messages waiting past which the queue counts as too deep.
        freshness_hours: Hours without a completed job that are too many; 0 is off.
    """

    region: str
    environment_suffix: str
    function_name: pulumi.Input[str]
    function_timeout: int
    memory_size: int
    log_group_name: pulumi.Input[str]
    queue_name: pulumi.Input[str]
    visibility_timeout: int
    dead_letter_queue_name: pulumi.Input[str]
    delivery_dead_letter_queue_name: pulumi.Input[str]
    rule_name: pulumi.Input[str]
    table_name: pulumi.Input[str]
    index_name: str
    bucket_name: pulumi.Input[str]
    rejected_share_max: float
    queue_depth_threshold: int
    freshness_hours: int
