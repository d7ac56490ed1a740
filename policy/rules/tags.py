"""Every resource has the tags Name, Environment, ManagedBy and Region."""

from collections.abc import Iterator

from .model import UNKNOWN, Resource, resource_rule

REQUIRED = ("Name", "Environment", "ManagedBy", "Region")
TAGGABLE = frozenset(
    {
        "aws:athena/workgroup:Workgroup",
        "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:dynamodb/table:Table",
        "aws:ec2/defaultRouteTable:DefaultRouteTable",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:glue/catalogDatabase:CatalogDatabase",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "aws:lambda/function:Function",
        "aws:s3/bucket:Bucket",
        "aws:sns/topic:Topic",
        "aws:sqs/queue:Queue",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    }
)


@resource_rule(*TAGGABLE)
def tagged(resource: Resource, region: str) -> Iterator[str]:
    """Costs and owners of a resource are found by its tags."""
    tags = resource.at("tags")
    if tags is UNKNOWN:
        return
    for name in REQUIRED:
        if not (tags or {}).get(name):
            yield f"tag {name} is missing; got {sorted(tags or {})}"
    tagged_region = (tags or {}).get("Region")
    if tagged_region not in (None, UNKNOWN, region):
        yield f"tag Region is {tagged_region}; the stack's region is {region}"
