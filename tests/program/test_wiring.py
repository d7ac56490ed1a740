"""Each connection between an upload and the function, by ARN."""

import json
from pathlib import Path
from typing import Any

import pytest
from moto.events.models import EventPattern

import environment as handler_environment
from components.processing import ALLOCATOR
from ops import smoke
from tests.program.evaluation import ACCOUNT_ID, Evaluation, evaluate

QUEUE = "aws:sqs/queue:Queue"


def arn(evaluation: Evaluation, type_: str, name_part: str = "") -> str:
    return evaluation.one(type_, name_part).state["arn"]


def test_bucket_sends_events_to_eventbridge(evaluation: Evaluation) -> None:
    notification = evaluation.one("aws:s3/bucketNotification:BucketNotification").inputs
    assert notification["bucket"] == evaluation.one("aws:s3/bucket:Bucket").state["bucket"]
    assert notification["eventbridge"] is True


def upload(evaluation: Evaluation, key: str, **changes: Any) -> dict[str, Any]:
    """An event as S3 sends it."""
    bucket = evaluation.one("aws:s3/bucket:Bucket").state["bucket"]
    event: dict[str, Any] = {
        "version": "0",
        "id": "2d4eba74-fd51-3966-4bfa-b013c9da8ff1",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT_ID,
        "time": "2026-11-22T10:00:00Z",
        "region": evaluation.stack,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {"key": key, "size": 5, "etag": "e", "version-id": "v", "sequencer": "00"},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": ACCOUNT_ID,
            "reason": "PutObject",
        },
    }
    return {**event, **changes}


def matches(evaluation: Evaluation, event: dict[str, Any]) -> bool:
    pattern = evaluation.one("aws:cloudwatch/eventRule:EventRule").json("eventPattern")
    return EventPattern(None, pattern).matches_event(event)  # pyright: ignore[reportArgumentType]


KINDS = ("Object Created", "Object Deleted")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "key",
    ["input/flights.csv", "flights.csv", "a+b c.csv", "münchen/100 %.csv", "unprocessed/x", "x/processed/y"],
)
def test_rule_matches_uploads_and_their_deletions(evaluation: Evaluation, key: str, kind: str) -> None:
    assert matches(evaluation, upload(evaluation, key, **{"detail-type": kind}))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "key", ["processed/input/flights.csv.parquet", "processed/_profiles/x.json", "rejected/x.jsonl"]
)
def test_rule_does_not_match_what_the_system_writes(evaluation: Evaluation, key: str, kind: str) -> None:
    assert not matches(evaluation, upload(evaluation, key, **{"detail-type": kind}))


@pytest.mark.parametrize("kind", KINDS)
def test_rule_matches_the_chosen_prefixes_only(kind: str) -> None:
    prefixes = {"regional-analytics:uploadPrefixes": '["landing/", "b2b-"]'}
    evaluation = evaluate("eu-west-1", prefixes)
    for key, taken in {
        "landing/x.csv": True,
        "b2b-2026/x.csv": True,
        smoke.KEY: True,
        "input/x.csv": False,
        "x/landing/y.csv": False,
        "processed/landing/x.csv.parquet": False,
        "rejected/b2b-2026/x.csv.jsonl": False,
    }.items():
        assert matches(evaluation, upload(evaluation, key, **{"detail-type": kind})) is taken, key
    variables = evaluation.one("aws:lambda/function:Function").inputs["environment"]["variables"]
    assert json.loads(variables["UPLOAD_PREFIXES"]) == ["landing/", "b2b-", "input/_smoke/"]


def test_prefixes_that_have_the_smoke_test_s_stay_as_they_are() -> None:
    evaluation = evaluate("eu-west-1", {"regional-analytics:uploadPrefixes": '["in", "landing/"]'})
    variables = evaluation.one("aws:lambda/function:Function").inputs["environment"]["variables"]
    assert json.loads(variables["UPLOAD_PREFIXES"]) == ["in", "landing/"]


def test_longest_pattern_is_within_eventbridge_s_quota() -> None:
    """The default quota is 2,048 characters."""
    prefixes = [f"{number:02}{'x' * 98}" for number in range(13)]
    config = {
        "regional-analytics:uploadPrefixes": json.dumps(prefixes),
        "regional-analytics:environmentSuffix": "a" * 15,
    }
    pattern = (
        evaluate("ap-southeast-1", config).one("aws:cloudwatch/eventRule:EventRule").inputs["eventPattern"]
    )
    assert 1700 < len(pattern) <= 2048


def test_function_knows_the_system_s_prefixes(evaluation: Evaluation) -> None:
    variables = evaluation.one("aws:lambda/function:Function").inputs["environment"]["variables"]
    assert json.loads(variables["SYSTEM_PREFIXES"]) == ["processed/", "rejected/"]
    assert evaluation.outputs["systemPrefixes"] == ["processed/", "rejected/"]
    assert json.loads(variables["UPLOAD_PREFIXES"]) == []


def test_queue_hides_messages_for_longer_before_the_timeout_is_raised(evaluation: Evaluation) -> None:
    queue = evaluation.one(QUEUE, "ingestion-queue")
    assert queue.urn in evaluation.dependencies("aws:lambda/function:Function")


def test_rule_does_not_match_other_buckets_and_events(evaluation: Evaluation) -> None:
    other = upload(evaluation, "x.csv")
    other["detail"]["bucket"]["name"] = "somebody-elses"
    assert not matches(evaluation, other)
    for kind in ("Object Tags Added", "Object Restore Completed", "Object Storage Class Changed"):
        assert not matches(evaluation, upload(evaluation, "x.csv", **{"detail-type": kind}))
    assert not matches(evaluation, upload(evaluation, "x.csv", source="custom"))
    assert evaluation.one("aws:cloudwatch/eventRule:EventRule").inputs["state"] == "ENABLED"


def test_rule_sends_to_the_queue(evaluation: Evaluation) -> None:
    target = evaluation.one("aws:cloudwatch/eventTarget:EventTarget").inputs
    assert target["rule"] == evaluation.one("aws:cloudwatch/eventRule:EventRule").state["name"]
    assert target["arn"] == arn(evaluation, QUEUE, "ingestion-queue")
    assert "roleArn" not in target  # delivery to an encrypted queue fails with one


def test_undelivered_events_are_kept(evaluation: Evaluation) -> None:
    target = evaluation.one("aws:cloudwatch/eventTarget:EventTarget").inputs
    assert target["deadLetterConfig"] == {"arn": arn(evaluation, QUEUE, "delivery-dlq")}
    assert target["retryPolicy"] == {"maximumEventAgeInSeconds": 86_400, "maximumRetryAttempts": 185}


@pytest.mark.parametrize("kind", ["ingestion-queue", "delivery-dlq"])
def test_queue_allows_only_the_rule_to_send(evaluation: Evaluation, kind: str) -> None:
    queue = evaluation.one(QUEUE, kind)
    policy = evaluation.one("aws:sqs/queuePolicy:QueuePolicy", f"{kind}-policy")
    assert policy.inputs["queueUrl"] == queue.state["url"]
    allowed = [each for each in policy.json("policy")["Statement"] if each["Effect"] == "Allow"]
    assert allowed == [
        {
            "Sid": "EventsOfTheRule",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue.state["arn"],
            "Condition": {
                "ArnEquals": {"aws:SourceArn": arn(evaluation, "aws:cloudwatch/eventRule:EventRule")},
                "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
            },
        }
    ]
    assert policy.urn in evaluation.one("aws:cloudwatch/eventTarget:EventTarget").depends_on


def test_dead_letter_queue_allows_nobody_to_send(evaluation: Evaluation) -> None:
    policy = evaluation.one("aws:sqs/queuePolicy:QueuePolicy", "ingestion-dlq-policy").json("policy")
    assert {each["Effect"] for each in policy["Statement"]} == {"Deny"}


@pytest.mark.parametrize("kind", ["ingestion-queue", "ingestion-dlq", "delivery-dlq"])
def test_queues_refuse_plain_http(evaluation: Evaluation, kind: str) -> None:
    policy = evaluation.one("aws:sqs/queuePolicy:QueuePolicy", f"{kind}-policy").json("policy")
    (denied,) = (each for each in policy["Statement"] if each["Effect"] == "Deny")
    assert denied["Principal"] == "*"
    assert denied["Action"] == "sqs:*"
    assert denied["Resource"] == arn(evaluation, QUEUE, kind)
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("receives", [3, 5])
def test_last_failure_goes_to_the_dead_letter_queue(receives: int) -> None:
    evaluation = evaluate("eu-west-1", {"regional-analytics:maximumReceives": str(receives)})
    queue = evaluation.one(QUEUE, "ingestion-queue")
    dead_letter_arn = arn(evaluation, QUEUE, "ingestion-dlq")
    assert queue.json("redrivePolicy") == {
        "deadLetterTargetArn": dead_letter_arn,
        "maxReceiveCount": receives,
    }
    allow = evaluation.one("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy")
    assert allow.json("redriveAllowPolicy") == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [queue.state["arn"]],
    }


def test_queue_invokes_the_function(evaluation: Evaluation) -> None:
    mapping = evaluation.one("aws:lambda/eventSourceMapping:EventSourceMapping").inputs
    assert mapping["eventSourceArn"] == arn(evaluation, QUEUE, "ingestion-queue")
    assert mapping["functionName"] == arn(evaluation, "aws:lambda/function:Function")
    assert mapping["batchSize"] == 1
    assert mapping["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["scalingConfig"] == {"maximumConcurrency": 5}


def test_function_runs_as_the_role_with_its_policy(evaluation: Evaluation) -> None:
    function = evaluation.one("aws:lambda/function:Function")
    role = evaluation.one("aws:iam/role:Role")
    assert function.inputs["role"] == role.state["arn"]
    for policy in evaluation.all("aws:iam/rolePolicy:RolePolicy"):
        assert policy.inputs["role"] == role.state["name"]
        assert policy.urn in function.depends_on
        assert policy.urn in evaluation.dependencies("aws:lambda/eventSourceMapping:EventSourceMapping")


def test_function_has_its_layer_and_network(evaluation: Evaluation) -> None:
    function = evaluation.one("aws:lambda/function:Function").inputs
    layer = evaluation.one("aws:lambda/layerVersion:LayerVersion")
    assert function["layers"] == [layer.state["arn"]]
    assert layer.inputs["compatibleArchitectures"] == function["architectures"]
    assert layer.inputs["compatibleRuntimes"] == [function["runtime"]]
    network = function["vpcConfig"]
    assert set(network["subnetIds"]) == {subnet.id for subnet in evaluation.all("aws:ec2/subnet:Subnet")}
    assert network["securityGroupIds"] == [evaluation.one("aws:ec2/securityGroup:SecurityGroup").id]


def test_handler_accepts_its_environment(evaluation: Evaluation, tmp_path: Path) -> None:
    (tmp_path / handler_environment.VERSION_FILE).write_text("1.2.3\n")
    variables = evaluation.one("aws:lambda/function:Function").inputs["environment"]["variables"]
    read = handler_environment.Settings.from_environment({**variables, "LAMBDA_TASK_ROOT": str(tmp_path)})
    assert read.bucket == evaluation.one("aws:s3/bucket:Bucket").state["bucket"]
    assert read.table == evaluation.one("aws:dynamodb/table:Table").state["name"]
    assert read.region == evaluation.stack
    assert read.environment_suffix == "dev"
    queue = evaluation.one(QUEUE, "ingestion-queue")
    assert read.max_receive_count == json.loads(queue.inputs["redrivePolicy"])["maxReceiveCount"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "RegionalAnalytics"
    assert variables["POWERTOOLS_SERVICE_NAME"] == "regional-analytics"
    assert ALLOCATOR.items() <= variables.items()


@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_subnets_reach_the_services_through_gateways(evaluation: Evaluation, service: str) -> None:
    endpoint = evaluation.one("aws:ec2/vpcEndpoint:VpcEndpoint", f"{service}-endpoint").inputs
    assert endpoint["serviceName"] == f"com.amazonaws.{evaluation.stack}.{service}"
    assert endpoint["vpcEndpointType"] == "Gateway"
    routed = {
        association.inputs["subnetId"]: association.inputs["routeTableId"]
        for association in evaluation.all("aws:ec2/routeTableAssociation:RouteTableAssociation")
    }
    function = evaluation.one("aws:lambda/function:Function").inputs
    assert set(routed) == set(function["vpcConfig"]["subnetIds"])
    assert set(routed.values()) == set(endpoint["routeTableIds"])
