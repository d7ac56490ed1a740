"""Monitoring of one region: dashboard, alarms, and the topic that they notify."""

import hashlib
import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

from components.alarms import Alarms, AlarmsArgs
from components.dashboard import dashboard_body
from components.metrics import MonitoredResources
from components.names import Names


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Inputs of `Monitoring`.

    Attributes:
        names: Names and tags of the stack.
        monitored: The resources to monitor.
        kms_key_arn: A KMS key that CloudWatch may use. Without one the topic is not encrypted with KMS: the
            policy of `alias/aws/sns` does not allow CloudWatch, so alarms could not publish.
    """

    names: Names
    monitored: MonitoredResources
    kms_key_arn: pulumi.Input[str] | None


class Monitoring(pulumi.ComponentResource):
    """Topic, alarms and dashboard."""

    alarm_topic_arn: pulumi.Output[str]
    dashboard_url: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Monitoring", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings = args.monitored.settings
        topic = sns.Topic(
            f"{name}-topic",
            name=args.names.physical("alarms"),
            kms_master_key_id=args.kms_key_arn,
            tags=args.names.tags("alarms"),
            opts=child,
        )
        policy = sns.TopicPolicy(
            f"{name}-topic-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: json.dumps(_topic_policy(arn, args.names))),
            opts=child,
        )
        for subscriber in settings.alarm_subscribers:
            # The name has a hash: a paging service's address is a credential, and URNs are not secret.
            sns.TopicSubscription(
                f"{name}-subscriber-{hashlib.sha256(subscriber.encode()).hexdigest()[:8]}",
                topic=topic.arn,
                protocol="https" if subscriber.startswith("https://") else "email",
                endpoint=settings.keep_secret("alarm_subscribers", subscriber),
                opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["endpoint"]),
            )
        alarms = Alarms(
            f"{name}-alarms",
            AlarmsArgs(names=args.names, monitored=args.monitored, topic_arn=topic.arn),
            pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        dashboard = cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=args.names.physical("monitoring"),
            dashboard_body=dashboard_body(args.monitored, alarm_arns=alarms.arns),
            opts=child,
        )
        region = settings.region
        self.alarm_topic_arn = topic.arn
        self.dashboard_url = pulumi.Output.concat(
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#dashboards/dashboard/",
            dashboard.dashboard_name,
        )
        self.register_outputs({"alarmTopicArn": self.alarm_topic_arn, "dashboardUrl": self.dashboard_url})


def _topic_policy(topic_arn: str, names: Names) -> dict[str, object]:
    """Return a policy that lets CloudWatch publish for this stack's alarms, and denies plain HTTP."""
    alarms = names.arn("cloudwatch", f"alarm:{names.physical('*')}")
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AlarmsOfThisStack",
                "Effect": "Allow",
                "Principal": {"Service": "cloudwatch.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": names.account.account_id},
                    "ArnLike": {"aws:SourceArn": alarms},
                },
            },
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": topic_arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
