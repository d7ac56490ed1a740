"""The residency rules recognize every region, in each form that AWS uses."""

import json

import boto3
import pytest

from components.settings_rules import no_other_region
from policy.rules import Resource, Stack, violations
from tests.policy.stacks import changed, evaluated, evaluated_with

ZONE_IDS = {
    "ap-northeast-3": "apne3-az1",
    "ap-southeast-1": "apse1-az2",
    "ca-central-1": "cac1-az1",
    "eu-west-1": "euw1-az3",
    "us-east-1": "use1-az6",
    "us-gov-west-1": "usgw1-az1",
    "us-west-2": "usw2-az4",
}
"""Zone ids of some regions (AWS Resource Access Manager user guide)."""


def regions() -> list[str]:
    session = boto3.Session()
    return sorted(
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sqs", partition)
    )


def reported(region: str, value: str) -> list[str]:
    stack = Stack(
        region=region, resources=(Resource(type="aws:any/any:Any", name="any", properties={"value": value}),)
    )
    return [violation.message for violation in violations(stack) if violation.rule == "residency-names"]


@pytest.mark.parametrize("region", regions())
def test_every_region_of_aws_is_known_by_name(region: str) -> None:
    home = "eu-west-1" if region != "eu-west-1" else "us-east-1"
    for value in (
        region,
        region.upper(),
        f"{region}a",
        f"https://sqs.{region}.amazonaws.com",
        f"com.amazonaws.{region}.s3",
        f"arn:aws:sqs:{region}:123456789012:queue",
        f"analytics-bucket-{region}-dev",
        f'{{"Resource": "arn:aws:s3:::data-{region}/*"}}',
    ):
        assert reported(home, value), value
        assert not reported(region, value), value


@pytest.mark.parametrize("place", [*regions(), "us-west-9", "mx-northwest-12", *ZONE_IDS.values()])
def test_settings_refuse_what_the_pack_would_refuse(place: str) -> None:
    """The error then names the setting, and no resource is created."""
    home = "il-central-1" if place != "il-central-1" else "us-east-1"
    for value in (place, place.upper(), f"{place}a", f"copy-of-{place}", f"of_{place}"):
        if reported(home, value):
            assert list(no_other_region(value, region=home)), value
    assert reported(home, place)


@pytest.mark.parametrize(("region", "zone"), ZONE_IDS.items())
def test_zone_ids_name_their_region(region: str, zone: str) -> None:
    assert not reported(region, zone)
    assert all(reported(other, zone) for other in ZONE_IDS if other != region)


def test_arn_of_any_region_is_another_region() -> None:
    assert reported("eu-west-1", "arn:aws:dynamodb:*:123456789012:table/jobs")
    assert reported("eu-west-1", "arn:aws:dynamodb:eu-west-?:123456789012:table/jobs")
    assert not reported("eu-west-1", "arn:aws:s3:::bucket/*")


SSO_ROLE = (
    "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/"
    "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
)
PREFIXES = [
    *("eu-west-1/", "ap-southeast-1", "of-eu-west-1/", "euw1-az1", "s3://eu-west-1/"),
    *("https://s3.amazonaws.com/", "arn:aws:sqs:eu-west-1:999999999999:", '{"multiRegion": true}'),
    *('"Statement"', '["Statement"]', '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'),
]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("administratorRoleArns", [SSO_ROLE]),
        ("uploadPrefixes", PREFIXES),
        ("archivePrefixes", PREFIXES),
        ("runbookUrl", "https://s3.amazonaws.com/runbooks/eu-west-1.html"),
        (
            "alarmSubscribers",
            [
                "https://global.sns-api.chatbot.amazonaws.com",
                "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod",
                "ops@eu-west-1.example.com",
            ],
        ),
    ],
)
def test_what_people_name_after_a_region_is_in_no_other_region(setting: str, value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    assert violations(evaluated_with("us-east-1", **{setting: text})) == []


def test_a_region_is_found_in_documents_and_texts() -> None:
    widgets = json.dumps({"widgets": [{"properties": {"region": "us-west-2"}}]})
    assert reported("eu-west-1", widgets) == [
        "value.widgets[0].properties.region names us-west-2 (got us-west-2); the stack's region is eu-west-1"
    ]
    assert reported("eu-west-1", "s3://data-us-west-2/processed/")
    assert not reported("eu-west-1", "s3://data-eu-west-1/processed/us-west-2/")
    assert reported("eu-west-1", "from arn:aws:sqs:us-west-2:123456789012:a to arn:aws:sqs:eu-west-1:1:b")


def test_outputs_of_a_deployed_resource_are_no_violation() -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:analytics-etl-us-east-1-dev"
    invoke = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    stack = evaluated("us-east-1")
    for deployed in (
        changed("lambda/function:Function", invokeArn=invoke),
        changed("dynamodb/table:Table", replicas=[], region="us-east-1"),
        changed("ec2/vpcEndpoint:VpcEndpoint", serviceRegion="us-east-1"),
        changed(
            "ec2/routeTable:RouteTable", routes=[{"destinationPrefixListId": "pl-1", "gatewayId": "vpce-1"}]
        ),
        changed("ec2/vpc:Vpc", ipv6CidrBlock="", ipv6IpamPoolId=""),
    ):
        assert violations(deployed(stack)) == []
