"""The alarms of one region. Each description says what happened and links to the runbook."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from components.metrics import MonitoredResources, resolve, used_by
from components.names import Names
from components.settings import Settings

RUNBOOK = "docs/runbook.md"
"""The runbook's address unless `runbookUrl` is set."""

NEAR_TIMEOUT = 0.8
"""Share of the function's timeout above which an invocation counts as close to it."""

REJECTED_SHARE_OF_MAX = 0.5
"""The handler fails a job above `rejectedShareMax`; the alarm fires at this share of it."""


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        kind: The alarm's name, and the heading of its section in the runbook.
        value: The metric, or expression of metrics, that is compared with the threshold.
        meaning: What happened when the alarm fires.
        threshold: The alarm fires when `value` is greater.
        period: Seconds that each value covers.
        breaching: Datapoints to alarm and evaluation periods: (3, 5) is three of five.
        missing: How missing values count. `notBreaching` is for metrics that CloudWatch only reports when
            something happens. `ignore` is for numbers of messages: SQS stops reporting a queue that was not
            used for six hours, and its alarm must not become OK while messages are still in it.
    """

    kind: str
    value: str
    meaning: str
    threshold: float = 0
    period: int = 300
    breaching: tuple[int, int] = (1, 1)
    missing: str = "notBreaching"


def alarms(settings: Settings) -> Iterator[Alarm]:
    """Yield the alarms of a region."""
    depth, hours = settings.queue_depth_threshold, settings.freshness_hours
    visibility = settings.visibility_timeout
    most, share = settings.rejected_share_max, settings.rejected_share_max * REJECTED_SHARE_OF_MAX
    stored = {"period": 60, "missing": "ignore"}
    yield Alarm(
        "dead-letters",
        "dead_letters",
        "Messages are in the dead-letter queue: the function failed on each of them"
        f" {settings.maximum_receives} times. Their objects are not processed.",
        **stored,
    )
    yield Alarm(
        "delivery-dead-letters",
        "undelivered",
        "Events are in the dead-letter queue of the rule: EventBridge could not send them to the queue. Their"
        " objects are not processed and have no job record.",
        **stored,
    )
    yield Alarm(
        "queue-depth",
        "waiting_on_average",
        f"More than {depth} objects have waited for 15 minutes: uploads arrive faster than they are"
        " processed.",
        threshold=depth,
        breaching=(3, 3),
        missing="ignore",
    )
    yield Alarm(
        "message-age",
        "oldest",
        f"An object has waited longer than {visibility} seconds, the queue's visibility timeout. Either"
        " nothing is being processed, or a delivery of it failed. SQS delivers it again after that time,"
        f" {settings.maximum_receives} times in all.",
        threshold=visibility,
        period=60,
        breaching=(3, 5),
    )
    yield Alarm(
        "lambda-errors",
        "errors",
        "The function failed more than 5 times in each of two periods of five minutes: it crashed, ran out of"
        " time or memory, or could not start.",
        threshold=5,
        breaching=(2, 2),
    )
    yield Alarm(
        "lambda-throttles",
        "throttles",
        "Lambda refused to run the function in two of three periods of five minutes: the account's"
        " concurrency is used up, and each throttled receive counts as a failed one.",
        breaching=(2, 3),
    )
    yield Alarm(
        "lambda-duration",
        "longest",
        f"Invocations took more than {NEAR_TIMEOUT:.0%} of the timeout of {settings.timeout} seconds twice"
        " within half an hour: a slightly larger object will not finish.",
        threshold=settings.timeout * 1000 * NEAR_TIMEOUT,
        breaching=(2, 6),
    )
    yield Alarm(
        "jobs-failed",
        "failed_jobs",
        "Jobs ended as FAILED: their files could not be read. They are not retried.",
    )
    yield Alarm(
        "rows-rejected",
        "IF(rows_in > 0, rows_rejected / rows_in, 0)",
        f"More than {share:.1%} of the rows of 15 minutes were rejected. Above {most:.1%} of one object's"
        " rows, its job fails.",
        threshold=share,
        period=900,
    )
    if hours:
        yield Alarm(
            "freshness",
            # Missing points alone would delay the alarm: CloudWatch first looks for older points.
            "IF(FILL(completed_jobs, 0) > 0, 0, 1)",
            f"No job completed for {hours} hours, although data is expected.",
            period=3600,
            breaching=(hours, hours),
            missing="breaching",
        )
    yield Alarm(
        "delivery-failures",
        "FILL(failed_deliveries, 0) + FILL(dead_lettered, 0) + FILL(lost, 0)",
        "EventBridge could not deliver events of uploads to the queue. Their objects are not processed."
        " Events that did not reach the dead-letter queue are lost: replay their objects.",
    )
    yield Alarm(
        "table-throttles",
        "FILL(throttled_reads, 0) + FILL(throttled_writes, 0) + FILL(throttled_index_writes, 0)",
        "DynamoDB throttled the job table in two of three periods of five minutes: jobs are retried and"
        " finish late.",
        breaching=(2, 3),
    )


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """Inputs of `Alarms`: the monitored resources, and the topic that alarms notify."""

    names: Names
    monitored: MonitoredResources
    topic_arn: pulumi.Input[str]


class Alarms(pulumi.ComponentResource):
    """The metric alarms, and the composite alarm `region-healthy` over them."""

    arns: pulumi.Output[list[str]]
    """ARNs of all alarms, the composite one first."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Alarms", name, None, opts)
        self._name, self._args = name, args
        self._metrics = resolve(args.monitored)
        single = [self._add(alarm) for alarm in alarms(args.monitored.settings)]
        healthy = self._add_region_healthy(single)
        self.arns = pulumi.Output.all(healthy.arn, *(alarm.arn for alarm in single))
        self.register_outputs({"arns": self.arns})

    def _add(self, alarm: Alarm) -> cloudwatch.MetricAlarm:
        names, topic_arn = self._args.names, self._args.topic_arn
        breaching, values = alarm.breaching
        return cloudwatch.MetricAlarm(
            f"{self._name}-{alarm.kind}",
            name=names.physical(alarm.kind),
            alarm_description=self._description(alarm.meaning, alarm.kind),
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            datapoints_to_alarm=breaching,
            evaluation_periods=values,
            treat_missing_data=alarm.missing,
            tags=names.tags(alarm.kind),
            opts=pulumi.ResourceOptions(parent=self),
            **self._comparison(alarm),
        )

    def _comparison(self, alarm: Alarm) -> dict[str, Any]:
        """Return the alarm's inputs for the metric or expression that is compared."""
        if metric := self._metrics.get(alarm.value):
            return {
                "namespace": metric.namespace,
                "metric_name": metric.name,
                "dimensions": metric.dimensions,
                "statistic": metric.statistic,
                "period": alarm.period,
            }
        queries = [
            cloudwatch.MetricAlarmMetricQueryArgs(
                id=key,
                metric=cloudwatch.MetricAlarmMetricQueryMetricArgs(
                    namespace=self._metrics[key].namespace,
                    metric_name=self._metrics[key].name,
                    dimensions=self._metrics[key].dimensions,
                    period=alarm.period,
                    stat=self._metrics[key].statistic,
                ),
                return_data=False,
            )
            for key in used_by(alarm.value)
        ]
        result = cloudwatch.MetricAlarmMetricQueryArgs(
            id="result", expression=alarm.value, label=alarm.kind, return_data=True
        )
        return {"metric_queries": [*queries, result]}

    def _add_region_healthy(self, single: list[cloudwatch.MetricAlarm]) -> cloudwatch.CompositeAlarm:
        """Add the composite alarm that `ops status` and the dashboard show first.

        It sends no notification, because the alarm that caused it does.
        """
        kind, names = "region-healthy", self._args.names
        return cloudwatch.CompositeAlarm(
            f"{self._name}-{kind}",
            alarm_name=names.physical(kind),
            alarm_description=self._description("OK while no alarm of this region is in ALARM.", kind),
            alarm_rule=pulumi.Output.all(*(alarm.name for alarm in single)).apply(
                lambda alarms: " OR ".join(f'ALARM("{alarm}")' for alarm in alarms)
            ),
            tags=names.tags(kind),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _description(self, meaning: str, kind: str) -> pulumi.Input[str]:
        settings = self._args.monitored.settings
        text = f"{meaning} Runbook: {settings.runbook_url or RUNBOOK}#{kind}"
        return settings.keep_secret("runbook_url", text)
