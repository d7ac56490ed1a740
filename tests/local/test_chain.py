"""The deployed chain turns uploads into Parquet, a job record, metrics and logs."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from local.cloud import Cloud
from local.stacks import read_stacks
from tests.local.workload import GOOD, healthy, run_workload

REGIONS = tuple(stack.region for stack in read_stacks())
KEYS = (
    "plain.csv",
    "a space.csv",
    "a+b c.csv",
    "100%25.csv",
    "%2e%2e/dots.csv",
    "ünïcødé/日本語.csv",
    "quote'\"; --.csv",
    "n" * 200 + ".csv",
)


def rows(cloud: Cloud, region: str, key: str, folder: Path) -> list[tuple[Any, ...]]:
    result = folder / "result.parquet"
    result.write_bytes(cloud.get(region, key))
    with duckdb.connect() as connection:
        return connection.execute("SELECT * FROM read_parquet($file)", {"file": str(result)}).fetchall()


def test_every_stack_is_deployed(cloud: Cloud) -> None:
    assert set(cloud.regions) == set(REGIONS)
    for region, outputs in cloud.outputs.items():
        assert outputs["region"] == region
        assert region in outputs["bucketName"]


@pytest.mark.parametrize("region", REGIONS)
def test_upload_becomes_parquet_record_metrics_and_logs(cloud: Cloud, region: str, tmp_path: Path) -> None:
    dimensions = {"EnvironmentSuffix": "dev"}
    completed = cloud.metric(region, "RegionalAnalytics", "JobsCompleted", **dimensions)
    rows_in = cloud.metric(region, "RegionalAnalytics", "RowsIn", **dimensions)
    version = cloud.upload(region, "chain/good.csv", GOOD)

    cloud.run_until_idle()

    (job,) = cloud.jobs(region, "chain/good.csv")
    assert job["status"] == "COMPLETED"
    assert job["version_id"] == version
    assert job["region"] == region
    assert (job["rows_in"], job["rows_out"], job["rows_rejected"]) == (30, 30, 0)
    assert job["bytes_in"] == len(GOOD)
    assert rows(cloud, region, job["output_path"], tmp_path)[3] == (3, "name 3", 3.5)
    assert cloud.metric(region, "RegionalAnalytics", "JobsCompleted", **dimensions) == completed + 1
    assert cloud.metric(region, "RegionalAnalytics", "RowsIn", **dimensions) == rows_in + 30
    assert any(job["job_id"] in line for line in cloud.log(region))
    assert cloud.messages(region) == 0


def test_regions_do_not_see_each_other(cloud: Cloud) -> None:
    here, *others = cloud.regions
    cloud.upload(here, "only-here/good.csv", GOOD)

    cloud.run_until_idle()

    assert len(cloud.jobs(here, "only-here/good.csv")) == 1
    for region in others:
        assert cloud.jobs(region, "only-here/good.csv") == []
        assert cloud.keys(region, "processed/only-here/") == []


def test_keys_of_every_kind_keep_their_name(cloud: Cloud, region: str, tmp_path: Path) -> None:
    for key in KEYS:
        cloud.upload(region, f"keys/{key}", GOOD)

    cloud.run_until_idle()

    for key in KEYS:
        (job,) = cloud.jobs(region, f"keys/{key}")
        assert (job["status"], job["output_path"]) == ("COMPLETED", f"processed/keys/{key}.parquet")
        assert len(rows(cloud, region, job["output_path"], tmp_path)) == 30


def test_a_day_of_uploads_overwrites_and_deletes(cloud: Cloud, region: str) -> None:
    assert run_workload(cloud, region, "day") == healthy("day")


def test_poison_ends_in_the_dead_letter_queue_with_its_reason_logged(cloud: Cloud, region: str) -> None:
    poison = {"poison": "no event at all"}
    before = cloud.messages(region, "deadLetterQueueUrl")
    cloud.client("sqs", region).send_message(
        QueueUrl=cloud.outputs[region]["queueUrl"], MessageBody=json.dumps(poison)
    )

    cloud.run_until_idle()
    assert cloud.messages(region) == 1, "a message that failed once stays in its queue"
    cloud.run_until_quiet()

    assert cloud.messages(region) == 0
    assert cloud.messages(region, "deadLetterQueueUrl") == before + 1
    assert poison in cloud.dead_letters(region)
    assert any("detail-type" in line for line in cloud.log(region)), "the reason is in the log"


def write_as_the_function(cloud: Cloud, region: str, key: str) -> None:
    """Write with the function's role, which alone may write results."""
    s3 = cloud.client("s3", region, cloud.assume_function_role(region))
    s3.put_object(Bucket=cloud.outputs[region]["bucketName"], Key=key, Body=GOOD)


@pytest.mark.parametrize("prefix", ["processed/", "rejected/"])
def test_nothing_that_the_system_writes_starts_anything(cloud: Cloud, region: str, prefix: str) -> None:
    write_as_the_function(cloud, region, f"{prefix}input/loop.csv")

    assert cloud.messages(region) == 0
    assert cloud.messages(region, "deliveryDeadLetterQueueUrl") == 0
    cloud.run_until_idle()
    assert cloud.jobs(region, f"{prefix}input/loop.csv") == []


def test_the_handler_refuses_the_systems_own_keys_even_if_the_rule_lets_them_through(
    cloud: Cloud, region: str
) -> None:
    events = cloud.client("events", region)
    (rule,) = events.list_rules()["Rules"]
    pattern = json.loads(rule["EventPattern"])
    del pattern["detail"]["object"]
    events.put_rule(Name=rule["Name"], EventPattern=json.dumps(pattern))
    try:
        write_as_the_function(cloud, region, "processed/loop-again.csv")
        assert cloud.messages(region) == 1
        cloud.run_until_idle()
    finally:
        events.put_rule(Name=rule["Name"], EventPattern=rule["EventPattern"])
    assert cloud.jobs(region, "processed/loop-again.csv") == []
    assert cloud.keys(region, "processed/processed/") == []
    assert cloud.messages(region) == 0


def test_direct_invocation_answers_the_predecessors_event(cloud: Cloud, region: str) -> None:
    bucket = cloud.outputs[region]["bucketName"]
    cloud.upload(region, "direct/a+b c.csv", GOOD)
    cloud.run_until_idle()
    notification = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "awsRegion": region,
        "s3": {"bucket": {"name": bucket}, "object": {"key": "direct/a%2Bb+c.csv", "size": len(GOOD)}},
    }

    invocation = cloud.invoke(region, {"Records": [notification]})

    assert invocation.error is None
    assert invocation.returned["statusCode"] == 200
    assert len(cloud.jobs(region, "direct/a+b c.csv")) == 1, "the same version is the same job"
