"""Break each link of the deployed chain in turn: the upload is not processed."""

import contextlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator

import pytest

from local.cloud import Cloud
from local.embedded_lambda.function_archives import download
from tests.local.workload import GOOD

Break = Callable[[Cloud, str], contextlib.AbstractContextManager[None]]


def processed(cloud: Cloud, region: str) -> bool:
    """Upload a new file, and return whether it was processed."""
    key = f"links/{uuid.uuid4()}.csv"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    done = [job["status"] for job in cloud.jobs(region, key)] == ["COMPLETED"]
    return done and cloud.keys(region, f"processed/{key}") == [f"processed/{key}.parquet"]


@contextlib.contextmanager
def no_notification(cloud: Cloud, region: str) -> Iterator[None]:
    s3, bucket = cloud.client("s3", region), cloud.outputs[region]["bucketName"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )


@contextlib.contextmanager
def pattern_of_another_bucket(cloud: Cloud, region: str) -> Iterator[None]:
    events = cloud.client("events", region)
    (rule,) = events.list_rules()["Rules"]
    pattern = json.loads(rule["EventPattern"])
    pattern["detail"]["bucket"]["name"] = ["another-bucket"]
    events.put_rule(Name=rule["Name"], EventPattern=json.dumps(pattern))
    try:
        yield
    finally:
        events.put_rule(Name=rule["Name"], EventPattern=rule["EventPattern"])


@contextlib.contextmanager
def rule_disabled(cloud: Cloud, region: str) -> Iterator[None]:
    events = cloud.client("events", region)
    (rule,) = events.list_rules()["Rules"]
    events.disable_rule(Name=rule["Name"])
    try:
        yield
    finally:
        events.enable_rule(Name=rule["Name"])


@contextlib.contextmanager
def no_target(cloud: Cloud, region: str) -> Iterator[None]:
    events = cloud.client("events", region)
    (rule,) = events.list_rules()["Rules"]
    targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    events.remove_targets(Rule=rule["Name"], Ids=[target["Id"] for target in targets])
    try:
        yield
    finally:
        events.put_targets(Rule=rule["Name"], Targets=targets)


@contextlib.contextmanager
def no_queue_policy(cloud: Cloud, region: str) -> Iterator[None]:
    sqs, url = cloud.client("sqs", region), cloud.outputs[region]["queueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


@contextlib.contextmanager
def queue_policy_for_another_rule(cloud: Cloud, region: str) -> Iterator[None]:
    sqs, url = cloud.client("sqs", region), cloud.outputs[region]["queueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy.replace(":rule/", ":rule/another-")})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


@contextlib.contextmanager
def mapping_disabled(cloud: Cloud, region: str) -> Iterator[None]:
    functions = cloud.client("lambda", region)
    (mapping,) = functions.list_event_source_mappings()["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextlib.contextmanager
def handler_misnamed(cloud: Cloud, region: str) -> Iterator[None]:
    with reconfigured(cloud, region, Handler="index.handle"):
        yield


@contextlib.contextmanager
def no_layer(cloud: Cloud, region: str) -> Iterator[None]:
    with reconfigured(cloud, region, Layers=[]):
        yield


@contextlib.contextmanager
def a_module_missing_from_the_archive(cloud: Cloud, region: str) -> Iterator[None]:
    functions, name = cloud.client("lambda", region), cloud.outputs[region]["functionArn"]
    location = functions.get_function(FunctionName=name)["Code"]["Location"]
    code = download(location)
    functions.update_function_code(FunctionName=name, ZipFile=without(code, "job_records.py"))
    try:
        yield
    finally:
        functions.update_function_code(FunctionName=name, ZipFile=code)


@contextlib.contextmanager
def role_not_for_lambda(cloud: Cloud, region: str) -> Iterator[None]:
    iam = cloud.client("iam", region)
    function = cloud.client("lambda", region).get_function(FunctionName=cloud.outputs[region]["functionArn"])
    role = function["Configuration"]["Role"].rpartition("/")[2]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    for_others = json.dumps(trust).replace("lambda.amazonaws.com", "ec2.amazonaws.com")
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=for_others)
    cloud.functions.recycle()
    try:
        yield
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))


@contextlib.contextmanager
def reconfigured(cloud: Cloud, region: str, **changed: object) -> Iterator[None]:
    functions, name = cloud.client("lambda", region), cloud.outputs[region]["functionArn"]
    configuration = functions.get_function_configuration(FunctionName=name)
    configuration["Layers"] = [layer["Arn"] for layer in configuration["Layers"]]
    functions.update_function_configuration(FunctionName=name, **changed)
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, **{parameter: configuration[parameter] for parameter in changed}
        )


def without(code: bytes, name: str) -> bytes:
    """Return the archive without one of its files."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code)) as source, zipfile.ZipFile(kept, "w") as target:
        assert name in source.namelist()
        for member in source.namelist():
            if member != name:
                target.writestr(member, source.read(member))
    return kept.getvalue()


LINKS: tuple[Break, ...] = (
    no_notification,
    pattern_of_another_bucket,
    rule_disabled,
    no_target,
    no_queue_policy,
    queue_policy_for_another_rule,
    mapping_disabled,
    handler_misnamed,
    no_layer,
    a_module_missing_from_the_archive,
    role_not_for_lambda,
)


@pytest.fixture(autouse=True)
def _drained(cloud: Cloud, region: str) -> Iterator[None]:
    """Process the messages of a broken chain before the next test."""
    yield
    cloud.run_until_quiet()
    assert cloud.messages(region) == 0


@pytest.mark.parametrize("broken", LINKS)
def test_a_broken_link_stops_processing(cloud: Cloud, region: str, broken: Break) -> None:
    with broken(cloud, region):
        assert not processed(cloud, region)


def test_an_unbroken_chain_processes_uploads(cloud: Cloud, region: str) -> None:
    assert processed(cloud, region)


def test_events_that_the_queue_refuses_go_to_the_targets_dead_letter_queue(cloud: Cloud, region: str) -> None:
    events = cloud.client("events", region)
    (rule,) = events.list_rules()["Rules"]
    before = cloud.messages(region, "deliveryDeadLetterQueueUrl")
    failed = cloud.metric(region, "AWS/Events", "FailedInvocations", RuleName=rule["Name"])

    with no_queue_policy(cloud, region):
        cloud.upload(region, "links/refused.csv", GOOD)

    assert cloud.messages(region, "deliveryDeadLetterQueueUrl") == before + 1
    keys = [
        event["detail"]["object"]["key"] for event in cloud.dead_letters(region, "deliveryDeadLetterQueueUrl")
    ]
    assert "links/refused.csv" in keys
    assert cloud.metric(region, "AWS/Events", "FailedInvocations", RuleName=rule["Name"]) == failed + 1


@pytest.mark.parametrize(
    "variable",
    [
        "BUCKET_NAME",
        "TABLE_NAME",
        "REGION",
        "ENVIRONMENT_SUFFIX",
        "MAX_RECEIVE_COUNT",
        "REJECTED_SHARE_MAX",
        "MAX_DECOMPRESSED_BYTES",
        "MAX_DECOMPRESSION_RATIO",
        "JOB_RETENTION_DAYS",
    ],
)
def test_a_missing_variable_fails_the_function(cloud: Cloud, region: str, variable: str) -> None:
    function = cloud.outputs[region]["functionArn"]
    configuration = cloud.client("lambda", region).get_function_configuration(FunctionName=function)
    variables = configuration["Environment"]["Variables"]
    fewer = {name: value for name, value in variables.items() if name != variable}
    assert fewer != variables

    with reconfigured(cloud, region, Environment={"Variables": fewer}):
        # As Lambda starts it: the handler cannot be imported, whatever the event.
        error = cloud.invoke(region, {"Records": []}).error

    assert error is not None
    assert variable in error["errorMessage"]
