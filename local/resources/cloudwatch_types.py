"""Log groups, alarms and dashboards."""

from __future__ import annotations

from local.resources.resource_type import Call, Read, ResourceType, Tagging

_LOG_GROUP = ResourceType(
    pulumi_type="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    create=Call(operation="create_log_group"),
    identifier="$name",
    changes=(
        Call(
            operation="put_retention_policy",
            parameters={"logGroupName": "$id"},
            takes=frozenset({"retentionInDays"}),
            otherwise=Call(operation="delete_retention_policy", parameters={"logGroupName": "$id"}),
        ),
        Call(
            operation="associate_kms_key",
            parameters={"logGroupName": "$id"},
            takes=frozenset({"kmsKeyId"}),
            otherwise=Call(operation="disassociate_kms_key", parameters={"logGroupName": "$id"}),
        ),
    ),
    reads=(
        Read(
            operation="describe_log_groups",
            parameters={"logGroupNamePrefix": "$id"},
            at="logGroups[?logGroupName=='$id'] | [0]",
        ),
    ),
    deletes=(Call(operation="delete_log_group", parameters={"logGroupName": "$id"}),),
    tagging=Tagging(
        tag=Call(operation="tag_resource", parameters={"resourceArn": "$arn"}),
        untag=Call(operation="untag_resource", parameters={"resourceArn": "$arn", "tagKeys": "$tagKeys"}),
        read=Read(operation="list_tags_for_resource", parameters={"resourceArn": "$arn"}, at="tags"),
    ),
    renames={"name": "logGroupName"},
    # The ARN that CloudWatch Logs returns ends with ":*", which stands for all log streams.
    outputs={"arn": "arn:$partition:logs:$region:$account:log-group:$id"},
    name="name",
)

_ALARM_TAGGING = Tagging(
    tag=Call(operation="tag_resource", parameters={"ResourceARN": "$arn"}),
    untag=Call(operation="untag_resource", parameters={"ResourceARN": "$arn", "TagKeys": "$tagKeys"}),
    read=Read(operation="list_tags_for_resource", parameters={"ResourceARN": "$arn"}, at="Tags"),
)

_PUT_METRIC_ALARM = Call(operation="put_metric_alarm")
_METRIC_ALARM = ResourceType(
    pulumi_type="aws:cloudwatch/metricAlarm:MetricAlarm",
    service="cloudwatch",
    create=_PUT_METRIC_ALARM,
    identifier="$name",
    changes=(_PUT_METRIC_ALARM,),
    reads=(
        Read(
            operation="describe_alarms",
            parameters={"AlarmNames": ["$id"], "AlarmTypes": ["MetricAlarm"]},
            at="MetricAlarms[0]",
        ),
    ),
    deletes=(Call(operation="delete_alarms", parameters={"AlarmNames": ["$id"]}),),
    tagging=_ALARM_TAGGING,
    renames={
        "name": "AlarmName",
        "arn": "AlarmArn",
        "metricQueries": "Metrics",
        "metricQueries.metric": "MetricStat",
        "metricQueries.metric.metricName": "Metric.MetricName",
        "metricQueries.metric.namespace": "Metric.Namespace",
        "metricQueries.metric.dimensions": "Metric.Dimensions",
    },
    name="name",
)

_PUT_COMPOSITE_ALARM = Call(operation="put_composite_alarm")
_COMPOSITE_ALARM = ResourceType(
    pulumi_type="aws:cloudwatch/compositeAlarm:CompositeAlarm",
    service="cloudwatch",
    create=_PUT_COMPOSITE_ALARM,
    identifier="$alarmName",
    changes=(_PUT_COMPOSITE_ALARM,),
    reads=(
        Read(
            operation="describe_alarms",
            parameters={"AlarmNames": ["$id"], "AlarmTypes": ["CompositeAlarm"]},
            at="CompositeAlarms[0]",
        ),
    ),
    deletes=(Call(operation="delete_alarms", parameters={"AlarmNames": ["$id"]}),),
    tagging=_ALARM_TAGGING,
    renames={"arn": "AlarmArn"},
    replaced_by=frozenset({"alarmName"}),
)

_PUT_DASHBOARD = Call(operation="put_dashboard")
_DASHBOARD = ResourceType(
    pulumi_type="aws:cloudwatch/dashboard:Dashboard",
    service="cloudwatch",
    create=_PUT_DASHBOARD,
    identifier="$dashboardName",
    changes=(_PUT_DASHBOARD,),
    reads=(Read(operation="get_dashboard", parameters={"DashboardName": "$id"}),),
    deletes=(Call(operation="delete_dashboards", parameters={"DashboardNames": ["$id"]}),),
    replaced_by=frozenset({"dashboardName"}),
)

TYPES = (_LOG_GROUP, _METRIC_ALARM, _COMPOSITE_ALARM, _DASHBOARD)
