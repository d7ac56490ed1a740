"""Alarms, topic and dashboard of each region."""

import json
import re
from typing import Any

import pytest

from tests.monitoring.region import evaluate_monitoring, evaluated
from tests.program.evaluation import ACCOUNT_ID, STACKS, evaluate

DIMENSIONS = {
    "AWS/SQS": {"QueueName"},
    "AWS/Lambda": {"FunctionName"},
    "AWS/Events": {"RuleName"},
    "AWS/DynamoDB": {"TableName", "GlobalSecondaryIndexName"},
    "AWS/S3": {"BucketName"},
    "AWS/Logs": {"LogGroupName"},
    "RegionalAnalytics": {"EnvironmentSuffix", "Dataset"},
}


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that an alarm watches."""
    if "metricName" in alarm:
        return [alarm]
    return [query["metric"] for query in alarm.get("metricQueries", []) if "metric" in query]


@pytest.mark.parametrize("region", STACKS)
def test_every_metric_names_the_resource_of_its_own_region(region: str) -> None:
    for kind, alarm in evaluate_monitoring(region, freshness_hours=6).items():
        for metric in metrics(alarm):
            assert metric["dimensions"], kind
            assert set(metric["dimensions"]) <= DIMENSIONS[metric["namespace"]]
            for name, value in metric["dimensions"].items():
                if name in ("EnvironmentSuffix", "GlobalSecondaryIndexName"):
                    continue
                assert region in value, kind


def test_predecessors_alarm_keeps_its_name_and_figures() -> None:
    alarm = evaluate_monitoring("eu-west-1")["lambda-errors"]
    assert alarm["name"] == "analytics-lambda-errors-eu-west-1-dev"
    figures = ("metricName", "namespace", "statistic", "threshold", "period", "evaluationPeriods")
    assert [alarm[name] for name in figures] == ["Errors", "AWS/Lambda", "Sum", 5, 300, 2]
    assert alarm["comparisonOperator"] == "GreaterThanThreshold"


def test_every_alarm_defines_missing_data_and_m_of_n() -> None:
    for kind, alarm in evaluate_monitoring(freshness_hours=6).items():
        if kind == "region-healthy":
            continue
        assert alarm["treatMissingData"] in ("breaching", "notBreaching", "ignore")
        assert 1 <= alarm["datapointsToAlarm"] <= alarm["evaluationPeriods"]


def test_every_alarm_has_a_description_with_its_runbook_section() -> None:
    for kind, alarm in evaluate_monitoring(freshness_hours=6).items():
        assert alarm["alarmDescription"].endswith(f" Runbook: docs/runbook.md#{kind}")
        assert len(alarm["alarmDescription"]) <= 1024  # CloudWatch's limit


def test_every_alarm_notifies_the_topic_and_the_composite_one_nobody() -> None:
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT_ID}:analytics-alarms-us-east-1-dev"
    for kind, alarm in evaluate_monitoring(freshness_hours=6).items():
        expected = None if kind == "region-healthy" else [topic]
        assert alarm.get("alarmActions") == expected
        assert alarm.get("okActions") == expected


def test_composite_alarm_includes_all_others() -> None:
    alarms = evaluate_monitoring(freshness_hours=6)
    named = re.findall(r'ALARM\("([^"]+)"\)', alarms.pop("region-healthy")["alarmRule"])
    assert sorted(named) == sorted(alarm["name"] for alarm in alarms.values())


def test_freshness_is_off_by_default_and_covers_its_hours() -> None:
    assert "freshness" not in evaluate_monitoring()
    alarm = evaluate_monitoring(freshness_hours=6)["freshness"]
    (metric,) = metrics(alarm)
    assert metric["period"] * alarm["evaluationPeriods"] == 6 * 3600
    assert alarm["treatMissingData"] == "breaching"


def test_rejected_share_alarms_before_it_fails_jobs() -> None:
    assert evaluate_monitoring()["rows-rejected"]["threshold"] == pytest.approx(0.05)


def test_topic_accepts_this_stack_s_alarms_only_and_tls_only() -> None:
    evaluation = evaluated("eu-west-1", 0)
    policy = evaluation.one("aws:sns/topicPolicy:TopicPolicy").json("policy")
    (allow,) = (statement for statement in policy["Statement"] if statement["Effect"] == "Allow")
    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Action"] == "sns:Publish"
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT_ID}
    source = f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT_ID}:alarm:analytics-*-eu-west-1-dev"
    assert allow["Condition"]["ArnLike"] == {"aws:SourceArn": source}
    (deny,) = (statement for statement in policy["Statement"] if statement["Effect"] == "Deny")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_subscribers_are_notified_by_mail_or_https() -> None:
    endpoints = ["on-call@example.com", "https://events.example.com/integration/secret-key"]
    evaluation = evaluated("us-east-1", 0, json.dumps(endpoints))
    subscriptions = evaluation.all("aws:sns/topicSubscription:TopicSubscription")
    told = {
        (subscription.inputs["protocol"], subscription.inputs["endpoint"]) for subscription in subscriptions
    }
    assert told == {("email", endpoints[0]), ("https", endpoints[1])}
    assert not any("secret-key" in subscription.urn for subscription in subscriptions)


@pytest.mark.parametrize("region", STACKS)
def test_dashboard_shows_its_region_by_its_dimensions(region: str) -> None:
    dashboard = evaluated(region, 0).one("aws:cloudwatch/dashboard:Dashboard")
    assert dashboard.inputs["dashboardName"] == f"analytics-monitoring-{region}-dev"
    widgets = dashboard.json("dashboardBody")["widgets"]
    for widget in widgets:
        properties = widget["properties"]
        assert properties.get("region", region) == region
        for metric in properties.get("metrics", []):
            *parts, options = metric
            if "expression" in options:
                continue
            namespace, _, *pairs = parts
            assert pairs, metric
            assert set(pairs[::2]) <= DIMENSIONS[namespace]
    elsewhere = set(STACKS) - {region}
    assert not any(other in dashboard.inputs["dashboardBody"] for other in elsewhere)
    assert {widget["type"] for widget in widgets} == {"alarm", "metric", "log"}


def test_dashboard_begins_with_every_alarm_of_the_region() -> None:
    evaluation = evaluated("eu-west-1", 6)
    widgets = evaluation.one("aws:cloudwatch/dashboard:Dashboard").json("dashboardBody")["widgets"]
    shown = {arn.rpartition(":")[2] for arn in widgets[0]["properties"]["alarms"]}
    alarms = evaluate_monitoring("eu-west-1", freshness_hours=6).values()
    assert shown == {alarm.get("name") or alarm["alarmName"] for alarm in alarms}


def test_widgets_tile_the_grid() -> None:
    widgets = (
        evaluated("eu-west-1", 0).one("aws:cloudwatch/dashboard:Dashboard").json("dashboardBody")["widgets"]
    )
    cells = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))


def test_references_to_the_runbook_are_links_if_its_address_is_set() -> None:
    address = "https://wiki.example.com/runbook"
    evaluation = evaluate("eu-west-1", {"regional-analytics:runbookUrl": address})
    alarms = evaluation.all("aws:cloudwatch/metricAlarm:MetricAlarm")
    alarms += evaluation.all("aws:cloudwatch/compositeAlarm:CompositeAlarm")
    for alarm in alarms:
        kind = alarm.name.removeprefix("analytics-monitoring-alarms-")
        assert alarm.inputs["alarmDescription"].endswith(f" Runbook: {address}#{kind}")


def test_dashboard_shows_the_function_s_invocations_and_failures() -> None:
    body = evaluated("eu-west-1", 0).one("aws:cloudwatch/dashboard:Dashboard").json("dashboardBody")
    shown = {
        (line[1], line[-1].get("stat"))
        for widget in body["widgets"]
        for line in widget["properties"].get("metrics", [])
        if line[0] == "AWS/Lambda"
    }
    assert {("Invocations", "Sum"), ("Errors", "Sum"), ("Throttles", "Sum"), ("Duration", "p95")} <= shown


def test_dashboard_shows_each_final_status_of_jobs() -> None:
    body = evaluated("eu-west-1", 0).one("aws:cloudwatch/dashboard:Dashboard").json("dashboardBody")
    drawn = {
        line[1] for widget in body["widgets"] for line in widget["properties"].get("metrics", []) if line[1:]
    }
    assert {f"Jobs{end}" for end in ("Completed", "Skipped", "Superseded", "Withdrawn", "Failed")} <= drawn


def test_metrics_of_an_expression_are_hidden() -> None:
    body = evaluated("eu-west-1", 0).one("aws:cloudwatch/dashboard:Dashboard").json("dashboardBody")
    (compute,) = (each for each in body["widgets"] if each["properties"]["title"] == "Compute, GB-seconds")
    duration, expression = compute["properties"]["metrics"]
    assert (duration[1], duration[-1]["id"], duration[-1]["visible"]) == ("Duration", "duration", False)
    assert expression == [{"expression": "duration / 1000 * 1.0", "label": "GB-seconds"}]
