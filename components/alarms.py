"""The alarms of one region: each says what it means and which section of the runbook to open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from components.monitored_resources import Dimensions, MonitoredResources
from components.names import Names
from components.processing import METRICS_NAMESPACE

RUNBOOK = "docs/runbook.md"
NEAR_TIMEOUT = 0.8
"""Share of the function's timeout past which an invocation counts as close to it."""
REJECTED_SHARE_OF_MAX = 0.5
"""The handler fails a job past `rejected_share_max`; half of it is worth a look before that happens."""


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """What is monitored, and the topic that hears of it."""

    names: Names
    monitored: MonitoredResources
    topic_arn: pulumi.Input[str]


class Alarms(pulumi.ComponentResource):
    """One metric alarm per thing that matters, and the composite alarm `region-healthy` over them.

    `treat_missing_data` is `notBreaching` for what CloudWatch reports only when it happens (the age of the
    oldest message is one: an empty queue has none), and `ignore` for the number of messages: SQS stops
    reporting a queue that nobody touched for six hours, and an alarm over letters that still lie there must
    not turn OK because of it.
    """

    arns: pulumi.Output[list[str]]
    """ARNs of all alarms, the composite one first."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Alarms", name, None, opts)
        self._name = name
        self._args = args
        self._alarms: list[cloudwatch.MetricAlarm] = []
        self._watch_queues()
        self._watch_function()
        self._watch_jobs()
        self._watch_delivery()
        self._watch_table()
        healthy = self._add_region_healthy()
        self.arns = pulumi.Output.all(healthy.arn, *(alarm.arn for alarm in self._alarms))
        self.register_outputs({"arns": self.arns})

    def _watch_queues(self) -> None:
        monitored = self._args.monitored
        queue = monitored.queue
        self._add(
            "dead-letters",
            "Messages lie in the dead-letter queue: the function failed on each of them as often as the queue"
            " allows. Their objects are not processed.",
            **_visible_messages(monitored.dead_letter_queue),
        )
        self._add(
            "delivery-dead-letters",
            "Events lie in the dead-letter queue of the rule: EventBridge could not put them on the queue."
            " Their objects are not processed and have no job record.",
            **_visible_messages(monitored.delivery_dead_letter_queue),
        )
        self._add(
            "queue-depth",
            f"More than {monitored.settings.queue_depth_threshold} objects have waited for 15 minutes:"
            " uploads come faster than they are processed.",
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            dimensions=queue,
            statistic="Average",
            period=300,
            evaluation_periods=3,
            datapoints_to_alarm=3,
            comparison_operator="GreaterThanThreshold",
            threshold=monitored.settings.queue_depth_threshold,
            treat_missing_data="ignore",
        )
        self._add(
            "message-age",
            f"An object has waited longer than {monitored.settings.visibility_timeout} seconds, the queue's"
            " visibility timeout. Either nothing is being processed, or a delivery of it failed. SQS delivers"
            f" it again after that time, {monitored.settings.maximum_receives} times in all.",
            namespace="AWS/SQS",
            metric_name="ApproximateAgeOfOldestMessage",
            dimensions=queue,
            statistic="Maximum",
            period=60,
            evaluation_periods=5,
            datapoints_to_alarm=3,
            comparison_operator="GreaterThanThreshold",
            threshold=monitored.settings.visibility_timeout,
            treat_missing_data="notBreaching",
        )

    def _watch_function(self) -> None:
        monitored = self._args.monitored
        function = monitored.function
        self._add(
            "lambda-errors",
            "The function failed more than 5 times in each of two periods of five minutes: it crashed, ran"
            " out of time or memory, or could not start.",
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions=function,
            statistic="Sum",
            period=300,
            evaluation_periods=2,
            datapoints_to_alarm=2,
            comparison_operator="GreaterThanThreshold",
            threshold=5,
            treat_missing_data="notBreaching",
        )
        self._add(
            "lambda-throttles",
            "Lambda refused to run the function in two of three periods of five minutes: the account's"
            " concurrency is used up, and each refusal uses up one of a message's receives.",
            namespace="AWS/Lambda",
            metric_name="Throttles",
            dimensions=function,
            statistic="Sum",
            period=300,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            treat_missing_data="notBreaching",
        )
        self._add(
            "lambda-duration",
            f"Invocations took more than {NEAR_TIMEOUT:.0%} of the timeout of {monitored.settings.timeout}"
            " seconds twice within half an hour: the next slightly larger object will not finish.",
            namespace="AWS/Lambda",
            metric_name="Duration",
            dimensions=function,
            statistic="Maximum",
            period=300,
            evaluation_periods=6,
            datapoints_to_alarm=2,
            comparison_operator="GreaterThanThreshold",
            threshold=monitored.settings.timeout * 1000 * NEAR_TIMEOUT,
            treat_missing_data="notBreaching",
        )

    def _watch_jobs(self) -> None:
        monitored = self._args.monitored
        environment = monitored.jobs_of_this_stack
        self._add(
            "jobs-failed",
            "Jobs ended as FAILED: their data could not be read, and will not be tried again.",
            namespace=METRICS_NAMESPACE,
            metric_name="JobsFailed",
            dimensions=environment,
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            treat_missing_data="notBreaching",
        )
        rejected_share = monitored.settings.rejected_share_max * REJECTED_SHARE_OF_MAX
        self._add(
            "rows-rejected",
            f"More than {rejected_share:.1%} of the rows of a quarter of an hour were rejected. Past"
            f" {monitored.settings.rejected_share_max:.1%} within one object its job fails.",
            metric_queries=[
                _metric("rows_in", METRICS_NAMESPACE, "RowsIn", environment, period=900),
                _metric("rejected", METRICS_NAMESPACE, "RowsRejected", environment, period=900),
                _expression("IF(rows_in > 0, rejected / rows_in, 0)", "Share of rows rejected"),
            ],
            evaluation_periods=1,
            datapoints_to_alarm=1,
            comparison_operator="GreaterThanThreshold",
            threshold=rejected_share,
            treat_missing_data="notBreaching",
        )
        if not monitored.settings.freshness_hours:
            return
        self._add(
            "freshness",
            f"No job was completed for {monitored.settings.freshness_hours} hours, though data is expected.",
            # FILL, because missing points alone would delay the alarm: CloudWatch looks further back for
            # points that exist before it treats any as missing.
            metric_queries=[
                _metric("completed", METRICS_NAMESPACE, "JobsCompleted", environment, period=3600),
                _expression("FILL(completed, 0)", "Jobs completed"),
            ],
            evaluation_periods=monitored.settings.freshness_hours,
            datapoints_to_alarm=monitored.settings.freshness_hours,
            comparison_operator="LessThanThreshold",
            threshold=1,
            treat_missing_data="breaching",
        )

    def _watch_delivery(self) -> None:
        rule = self._args.monitored.rule
        failures = {
            "failed": "FailedInvocations",
            "dead_lettered": "InvocationsSentToDlq",
            "lost": "InvocationsFailedToBeSentToDlq",
        }
        self._add(
            "delivery-failures",
            "EventBridge could not deliver upload events to the queue. Those objects are not processed;"
            " events that reached no dead-letter queue either are gone, and only a replay brings their"
            " objects in.",
            metric_queries=[
                *(_metric(key, "AWS/Events", metric, rule, period=300) for key, metric in failures.items()),
                _expression(" + ".join(f"FILL({key}, 0)" for key in failures), "Events not delivered"),
            ],
            evaluation_periods=1,
            datapoints_to_alarm=1,
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            treat_missing_data="notBreaching",
        )

    def _watch_table(self) -> None:
        monitored = self._args.monitored
        table = monitored.table
        # The table's own events leave the index's out, and a full index holds back the table's writes.
        index = monitored.index
        self._add(
            "table-throttles",
            "DynamoDB throttled the job table in two of three periods of five minutes: jobs are retried, and"
            " finish late.",
            metric_queries=[
                _metric("reads", "AWS/DynamoDB", "ReadThrottleEvents", table, period=300),
                _metric("writes", "AWS/DynamoDB", "WriteThrottleEvents", table, period=300),
                _metric("index_writes", "AWS/DynamoDB", "WriteThrottleEvents", index, period=300),
                _expression("FILL(reads, 0) + FILL(writes, 0) + FILL(index_writes, 0)", "Throttle events"),
            ],
            evaluation_periods=3,
            datapoints_to_alarm=2,
            comparison_operator="GreaterThanThreshold",
            threshold=0,
            treat_missing_data="notBreaching",
        )

    def _add(self, kind: str, meaning: str, **definition: Any) -> None:  # noqa: ANN401 - MetricAlarm's own inputs
        names = self._args.names
        self._alarms.append(
            cloudwatch.MetricAlarm(
                f"{self._name}-{kind}",
                name=names.physical(kind),
                alarm_description=f"{meaning} Runbook: {RUNBOOK}#{kind}",
                alarm_actions=[self._args.topic_arn],
                ok_actions=[self._args.topic_arn],
                tags=names.tags(kind),
                opts=pulumi.ResourceOptions(parent=self),
                **definition,
            )
        )

    def _add_region_healthy(self) -> cloudwatch.CompositeAlarm:
        """Add the one state that `ops status` and the dashboard lead with.

        It notifies nobody: whoever is paged was paged by the alarm that caused it.
        """
        names = self._args.names
        return cloudwatch.CompositeAlarm(
            f"{self._name}-region-healthy",
            alarm_name=names.physical("region-healthy"),
            alarm_description="OK while no alarm of this region is in ALARM."
            f" Runbook: {RUNBOOK}#region-healthy",
            alarm_rule=pulumi.Output.all(*(alarm.name for alarm in self._alarms)).apply(
                lambda alarms: " OR ".join(f'ALARM("{alarm}")' for alarm in alarms)
            ),
            tags=names.tags("region-healthy"),
            opts=pulumi.ResourceOptions(parent=self),
        )


def _visible_messages(queue: Dimensions) -> dict[str, Any]:
    """Return what watches for messages that lie in a queue, also by redrive (`...Sent` omits those)."""
    return {
        "namespace": "AWS/SQS",
        "metric_name": "ApproximateNumberOfMessagesVisible",
        "dimensions": queue,
        "statistic": "Maximum",
        "period": 60,
        "evaluation_periods": 1,
        "datapoints_to_alarm": 1,
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 0,
        "treat_missing_data": "ignore",
    }


def _metric(
    key: str, namespace: str, metric_name: str, dimensions: Mapping[str, pulumi.Input[str]], *, period: int
) -> cloudwatch.MetricAlarmMetricQueryArgs:
    return cloudwatch.MetricAlarmMetricQueryArgs(
        id=key,
        metric=cloudwatch.MetricAlarmMetricQueryMetricArgs(
            namespace=namespace, metric_name=metric_name, dimensions=dimensions, period=period, stat="Sum"
        ),
        return_data=False,
    )


def _expression(expression: str, label: str) -> cloudwatch.MetricAlarmMetricQueryArgs:
    return cloudwatch.MetricAlarmMetricQueryArgs(
        id="result", expression=expression, label=label, return_data=True
    )
