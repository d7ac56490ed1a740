"""The inventory of an account, and the check that a deployed function can work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.server import Server


def inventory(server: Server, region: str) -> set[str]:
    """List everything in a region that the program could have created, by kind and name."""

    def client(service: str) -> Any:
        return server.client(service, region)

    ec2, functions = client("ec2"), client("lambda")
    alarms = client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    keys = [
        client("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        for key in client("kms").list_keys()["Keys"]
    ]
    found: dict[str, list[str]] = {
        "vpc": [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]],
        "subnet": [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]],
        "route table": [one["RouteTableId"] for one in ec2.describe_route_tables()["RouteTables"]],
        "security group": [one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]],
        "endpoint": [
            one["VpcEndpointId"]
            for one in ec2.describe_vpc_endpoints()["VpcEndpoints"]
            if one["State"] != "deleted"
        ],
        "bucket": [one["Name"] for one in client("s3").list_buckets()["Buckets"]],
        "table": client("dynamodb").list_tables()["TableNames"],
        "queue": client("sqs").list_queues().get("QueueUrls", []),
        "rule": [one["Name"] for one in client("events").list_rules()["Rules"]],
        "role": [one["RoleName"] for one in client("iam").list_roles()["Roles"]],
        "policy": [one["PolicyName"] for one in client("iam").list_policies(Scope="Local")["Policies"]],
        "function": [one["FunctionName"] for one in functions.list_functions()["Functions"]],
        "layer": [one["LayerName"] for one in functions.list_layers()["Layers"]],
        "mapping": [one["UUID"] for one in functions.list_event_source_mappings()["EventSourceMappings"]],
        "log group": [one["logGroupName"] for one in client("logs").describe_log_groups()["logGroups"]],
        "alarm": [one["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for one in alarms[kind]],
        "dashboard": [
            one["DashboardName"] for one in client("cloudwatch").list_dashboards()["DashboardEntries"]
        ],
        "topic": [one["TopicArn"] for one in client("sns").list_topics()["Topics"]],
        "subscription": [
            one["SubscriptionArn"] for one in client("sns").list_subscriptions()["Subscriptions"]
        ],
        # A key can only be scheduled for deletion.
        "key": [key["KeyId"] for key in keys if key["KeyState"] != "PendingDeletion"],
        "alias": [
            one["AliasName"]
            for one in client("kms").list_aliases()["Aliases"]
            if not one["AliasName"].startswith("alias/aws/")
        ],
        "database": [one["Name"] for one in client("glue").get_databases()["DatabaseList"]],
        "workgroup": [one["Name"] for one in client("athena").list_work_groups()["WorkGroups"]],
    }
    return {f"{kind} {name}" for kind, names in found.items() for name in names}


class WorkingFunction:
    """The check that a deployed function can work before each of Pulumi's calls.

    Attributes:
        problems: What the function lacked, and before which call.
    """

    def __init__(self, client: Callable[[str], Any], outputs: dict[str, Any]) -> None:
        self.problems: list[str] = []
        self._client, self._outputs = client, outputs

    def before(self, method: str, urn: str) -> None:
        """Check the function, before a call of Pulumi's provider."""
        if method in {"Create", "Update", "Delete"}:
            self.problems += [f"before {method} {urn.rpartition('::')[2]}: {lacks}" for lacks in self.lacks()]

    def lacks(self) -> Iterator[str]:
        """Yield what the function lacks."""
        function = self._client("lambda").get_function_configuration(
            FunctionName=self._outputs["functionArn"]
        )
        yield from self._network_lacks(function["VpcConfig"])
        role = function["Role"].rpartition("/")[2]
        policies = self._client("iam").list_role_policies(RoleName=role)["PolicyNames"]
        documents = [
            self._client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in policies
        ]
        for action in (
            "s3:GetObject",
            "dynamodb:UpdateItem",
            "sqs:ReceiveMessage",
            "ec2:DeleteNetworkInterface",
        ):
            if action not in json.dumps(documents):
                yield f"the role does not allow {action}"
        mappings = self._client("lambda").list_event_source_mappings()["EventSourceMappings"]
        if [mapping["State"] for mapping in mappings] != ["Enabled"]:
            yield "no event source mapping is enabled"

    def _network_lacks(self, network: dict[str, Any]) -> Iterator[str]:
        ec2 = self._client("ec2")
        for group in ec2.describe_security_groups(GroupIds=network["SecurityGroupIds"])["SecurityGroups"]:
            allowed = [listed for rule in group["IpPermissionsEgress"] for listed in rule["PrefixListIds"]]
            if len(allowed) != len(("s3", "dynamodb")):
                yield f"group {group['GroupId']} allows traffic to {len(allowed)} services"
        vpc = ec2.describe_subnets(SubnetIds=network["SubnetIds"])["Subnets"][0]["VpcId"]
        endpoints = [
            endpoint
            for endpoint in ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])[
                "VpcEndpoints"
            ]
            if endpoint["State"] != "deleted"
        ]
        for subnet in network["SubnetIds"]:
            tables = ec2.describe_route_tables(
                Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
            )["RouteTables"]
            routed = {table["RouteTableId"] for table in tables}
            services = {
                endpoint["ServiceName"].rpartition(".")[2]
                for endpoint in endpoints
                if routed & set(endpoint["RouteTableIds"])
            }
            if services != {"s3", "dynamodb"}:
                yield f"subnet {subnet} has routes to {sorted(services)}"
