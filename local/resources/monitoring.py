"""Log group, alarms, dashboard and topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.target import given, key_values

if TYPE_CHECKING:
    from local.resources.target import Creator, Inputs, Outputs, Target

ACCOUNT = "123456789012"


def _create_log_group(target: Target, inputs: Inputs) -> Outputs:
    logs = target.client("logs")
    name = inputs["name"]
    logs.create_log_group(
        logGroupName=name, tags=dict(inputs.get("tags") or {}), **given(kmsKeyId=inputs.get("kmsKeyId"))
    )
    if inputs.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    return {"id": name, "name": name, "arn": f"arn:aws:logs:{target.region}:{ACCOUNT}:log-group:{name}"}


_ALARM_PARAMETERS = {
    "alarmActions": "AlarmActions",
    "alarmDescription": "AlarmDescription",
    "comparisonOperator": "ComparisonOperator",
    "datapointsToAlarm": "DatapointsToAlarm",
    "evaluationPeriods": "EvaluationPeriods",
    "extendedStatistic": "ExtendedStatistic",
    "insufficientDataActions": "InsufficientDataActions",
    "metricName": "MetricName",
    "namespace": "Namespace",
    "okActions": "OKActions",
    "period": "Period",
    "statistic": "Statistic",
    "threshold": "Threshold",
    "treatMissingData": "TreatMissingData",
    "unit": "Unit",
}


def _create_metric_alarm(target: Target, inputs: Inputs) -> Outputs:
    parameters = {name: inputs[key] for key, name in _ALARM_PARAMETERS.items() if inputs.get(key) is not None}
    if inputs.get("dimensions"):
        parameters["Dimensions"] = _dimensions(inputs["dimensions"])
    if inputs.get("metricQueries"):
        parameters["Metrics"] = [_query(query) for query in inputs["metricQueries"]]
    target.client("cloudwatch").put_metric_alarm(
        AlarmName=inputs["name"], Tags=key_values(inputs.get("tags")), **parameters
    )
    return _alarm(target, inputs["name"]) | {"name": inputs["name"]}


def _create_composite_alarm(target: Target, inputs: Inputs) -> Outputs:
    target.client("cloudwatch").put_composite_alarm(
        AlarmName=inputs["alarmName"],
        AlarmRule=inputs["alarmRule"],
        Tags=key_values(inputs.get("tags")),
        **given(
            ActionsEnabled=inputs.get("actionsEnabled"),
            AlarmActions=inputs.get("alarmActions"),
            AlarmDescription=inputs.get("alarmDescription"),
            OKActions=inputs.get("okActions"),
        ),
    )
    return _alarm(target, inputs["alarmName"]) | {"alarmName": inputs["alarmName"]}


def _create_dashboard(target: Target, inputs: Inputs) -> Outputs:
    name = inputs["dashboardName"]
    target.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs["dashboardBody"])
    return {
        "id": name,
        "dashboardName": name,
        "dashboardArn": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}",
    }


def _create_topic(target: Target, inputs: Inputs) -> Outputs:
    arn = target.client("sns").create_topic(
        Name=inputs["name"],
        Tags=key_values(inputs.get("tags")),
        Attributes=given(KmsMasterKeyId=inputs.get("kmsMasterKeyId")),
    )["TopicArn"]
    return {"id": arn, "arn": arn, "name": inputs["name"]}


def _create_topic_policy(target: Target, inputs: Inputs) -> Outputs:
    target.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return {"id": inputs["arn"]}


def _create_topic_subscription(target: Target, inputs: Inputs) -> Outputs:
    arn = target.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return {"id": arn, "arn": arn}


def _query(query: Inputs) -> dict[str, Any]:
    metric = query.get("metric")
    return given(
        Id=query["id"],
        Expression=query.get("expression"),
        Label=query.get("label"),
        Period=query.get("period"),
        ReturnData=query.get("returnData"),
        MetricStat={
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": _dimensions(metric.get("dimensions") or {}),
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
        if metric
        else None,
    )


def _dimensions(dimensions: Inputs) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _alarm(target: Target, name: str) -> Outputs:
    return {"id": name, "arn": f"arn:aws:cloudwatch:{target.region}:{ACCOUNT}:alarm:{name}"}


CREATORS: dict[str, Creator] = {
    "aws:cloudwatch/logGroup:LogGroup": _create_log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _create_metric_alarm,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _create_composite_alarm,
    "aws:cloudwatch/dashboard:Dashboard": _create_dashboard,
    "aws:sns/topic:Topic": _create_topic,
    "aws:sns/topicPolicy:TopicPolicy": _create_topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _create_topic_subscription,
}
