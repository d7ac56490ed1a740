"""The deployed chain withdraws results of deleted uploads, and never those of current versions."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from local.cloud import Cloud
from tests.local.workload import FLAWED, GOOD

LARGE = GOOD + b"".join(b"%d,name %d,1.5\n" % (row, row) for row in range(12_000))
"""More than 128 KiB, the minimum size of objects that move to Glacier."""


def results(cloud: Cloud, region: str, folder: str) -> list[str]:
    """Return the published results of a folder's uploads."""
    prefixes = ("processed/", "processed/_profiles/", "rejected/")
    return sorted({key for prefix in prefixes for key in cloud.keys(region, f"{prefix}{folder}/")})


def statuses(cloud: Cloud, region: str, key: str) -> list[str]:
    return [job["status"] for job in cloud.jobs(region, key)]


def of(key: str) -> list[str]:
    """Return the results of a table without rejected rows."""
    return [f"processed/_profiles/{key}.json", f"processed/{key}.parquet"]


@contextlib.contextmanager
def versions_may_be_removed(cloud: Cloud, region: str) -> Iterator[None]:
    """Remove the bucket's policy, as an administrator may."""
    s3, bucket = cloud.client("s3", region), cloud.outputs[region]["bucketName"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)


def test_a_rename_leaves_one_result(cloud: Cloud, region: str) -> None:
    s3, bucket = cloud.client("s3", region), cloud.outputs[region]["bucketName"]
    cloud.upload(region, "rename/old.csv", GOOD)
    cloud.run_until_idle()
    s3.copy_object(
        Bucket=bucket, Key="rename/new.csv", CopySource={"Bucket": bucket, "Key": "rename/old.csv"}
    )
    cloud.delete(region, "rename/old.csv")
    cloud.run_until_idle()
    assert results(cloud, region, "rename") == of("rename/new.csv")
    assert statuses(cloud, region, "rename/old.csv") == ["WITHDRAWN"]


def test_a_deletion_withdraws_and_is_counted(cloud: Cloud, region: str) -> None:
    dimensions = {"EnvironmentSuffix": "dev"}
    counted = cloud.metric(region, "RegionalAnalytics", "JobsWithdrawn", **dimensions)
    cloud.upload(region, "deletion/a.csv", FLAWED)
    cloud.run_until_idle()
    assert len(results(cloud, region, "deletion")) == 3
    cloud.delete(region, "deletion/a.csv")
    cloud.run_until_idle()
    assert results(cloud, region, "deletion") == []
    (job,) = cloud.jobs(region, "deletion/a.csv")
    assert job["status"] == "WITHDRAWN"
    assert job["withdrawn_at"] >= job["uploaded_at"]
    assert cloud.metric(region, "RegionalAnalytics", "JobsWithdrawn", **dimensions) == counted + 1


def test_a_batch_of_deletions_withdraws_each(cloud: Cloud, region: str) -> None:
    keys = [f"batch/{number}.csv" for number in range(3)]
    for key in keys:
        cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    cloud.client("s3", region).delete_objects(
        Bucket=cloud.outputs[region]["bucketName"], Delete={"Objects": [{"Key": key} for key in keys[:2]]}
    )
    cloud.run_until_idle()
    assert results(cloud, region, "batch") == of("batch/2.csv")


def test_an_undeletion_brings_the_results_back(cloud: Cloud, region: str) -> None:
    cloud.upload(region, "undeletion/a.csv", GOOD)
    cloud.run_until_idle()
    marker = cloud.delete(region, "undeletion/a.csv")
    cloud.run_until_idle()
    with versions_may_be_removed(cloud, region):
        cloud.delete(region, "undeletion/a.csv", marker)
    cloud.run_until_idle()
    assert results(cloud, region, "undeletion") == of("undeletion/a.csv")
    assert sorted(statuses(cloud, region, "undeletion/a.csv")) == ["COMPLETED", "WITHDRAWN"]


def test_the_removal_of_old_versions_changes_nothing(cloud: Cloud, region: str) -> None:
    old = cloud.upload(region, "old-versions/a.csv", FLAWED)
    cloud.run_until_idle()
    cloud.upload(region, "old-versions/a.csv", GOOD)
    cloud.run_until_idle()
    before = cloud.jobs(region, "old-versions/a.csv")
    with versions_may_be_removed(cloud, region):
        cloud.delete(region, "old-versions/a.csv", old)
    cloud.run_until_idle()
    assert results(cloud, region, "old-versions") == of("old-versions/a.csv")
    assert cloud.jobs(region, "old-versions/a.csv") == before


def test_what_has_moved_to_glacier_keeps_its_results_when_it_is_replayed(cloud: Cloud, region: str) -> None:
    """The deployed lifecycle rule moves the object; only an event of the test replays it."""
    bucket = cloud.outputs[region]["bucketName"]
    version = cloud.upload(region, "input/glacier/a.csv", LARGE)
    cloud.run_until_idle()
    (before,) = cloud.jobs(region, "input/glacier/a.csv")
    cloud.pass_days(bucket, 91)
    head = cloud.client("s3", region).head_object(Bucket=bucket, Key="input/glacier/a.csv")
    assert head["StorageClass"] == "GLACIER"
    replay = {
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": cloud.outputs[region]["functionArn"].split(":")[4],
        "time": "2030-01-01T00:00:00Z",
        "region": region,
        "detail": {
            "bucket": {"name": bucket},
            "object": {"key": "input/glacier/a.csv", "version-id": version},
            "replay-id": "20300101T000000Z-00000000",
        },
    }
    cloud.client("sqs", region).send_message(
        QueueUrl=cloud.outputs[region]["queueUrl"], MessageBody=json.dumps(replay)
    )
    cloud.run_until_idle()
    assert cloud.messages(region) == 0
    assert results(cloud, region, "input/glacier") == of("input/glacier/a.csv")
    (after,) = cloud.jobs(region, "input/glacier/a.csv")
    assert (after["status"], after["rows_out"]) == ("COMPLETED", before["rows_out"])
    assert after["error"].startswith("archived")


def test_what_a_lifecycle_rule_ends_keeps_its_results(cloud: Cloud, region: str) -> None:
    s3, bucket = cloud.client("s3", region), cloud.outputs[region]["bucketName"]
    deployed = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    rule = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": "expiry/"},
        "Expiration": {"Days": 5},
    }
    cloud.upload(region, "expiry/a.csv", GOOD)
    cloud.run_until_idle()
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [*deployed, rule]})
    try:
        cloud.pass_days(bucket, 5)
    finally:
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": deployed})
    cloud.run_until_idle()
    assert cloud.keys(region, "expiry/") == []
    assert results(cloud, region, "expiry") == of("expiry/a.csv")
    # Later, the version and the delete marker go by the program's own rules.
    cloud.pass_days(bucket, 31)
    cloud.run_until_idle()
    assert results(cloud, region, "expiry") == of("expiry/a.csv")
    assert statuses(cloud, region, "expiry/a.csv") == ["COMPLETED"]
    assert cloud.messages(region) == 0


def test_a_foreign_object_under_the_key_of_a_result_is_removed(cloud: Cloud, region: str) -> None:
    s3, bucket = cloud.client("s3", region), cloud.outputs[region]["bucketName"]
    key, result = "foreign/a.csv", "processed/foreign/a.csv.parquet"
    cloud.upload(region, key, GOOD)
    cloud.run_until_idle()
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key=result, Body=b"forged")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with versions_may_be_removed(cloud, region):
        s3.put_object(Bucket=bucket, Key=result, Body=b"forged")
    assert cloud.messages(region) == 0, "the system's objects have no events"
    cloud.delete(region, key)
    cloud.run_until_idle()
    assert results(cloud, region, "foreign") == []


def test_rows_of_a_withdrawn_upload_leave_the_table_and_the_view(cloud: Cloud, region: str) -> None:
    header = (
        b"origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,"
        b"time_hour\n"
    )
    first = b"XXX,2013,11,3,1,50,40,50,10,5,,0,1000,10,2013-11-03T05:00:00Z\n"
    second = b"XXX,2013,11,3,1,49,40,50,10,5,,0,1000,10,2013-11-03T06:00:00Z\n"

    def temperatures(table: str) -> list[str | None]:
        rows = cloud.query(region, "weather", f"SELECT temp FROM {table} WHERE origin = 'XXX' ORDER BY temp")
        return [row["temp"] for row in rows]

    cloud.upload(region, "input/weather/first.csv", header + first)
    cloud.upload(region, "input/weather/second.csv", header + second)
    cloud.run_until_idle()
    assert temperatures("weather") == ["49.0", "50.0"]
    assert temperatures("weather_current") == ["49.0"]

    cloud.delete(region, "input/weather/second.csv")
    cloud.run_until_idle()
    assert temperatures("weather") == temperatures("weather_current") == ["50.0"]

    cloud.delete(region, "input/weather/first.csv")
    cloud.run_until_idle()
    assert temperatures("weather") == temperatures("weather_current") == []
