"""`python -m ops replay` skips archived objects until they are restored."""

import json
import uuid

from local.cloud import Cloud
from tests.ops.conftest import Run

LARGE = b"id,price\n" + b"".join(b"%d,1.5\n" % number for number in range(20_000))
SMALL = LARGE[:90]


def test_archived_objects_are_skipped_and_reported_until_they_are_restored(
    cloud: Cloud, region: str, ops: Run
) -> None:
    prefix = f"input/archived-{uuid.uuid4().hex[:8]}/"
    bucket, s3 = cloud.outputs[region]["bucketName"], cloud.client("s3", region)
    where = ("--stack", region)
    for name, body in (("archived.csv", LARGE), ("small.csv", SMALL)):
        cloud.upload(region, prefix + name, body)
    cloud.run_until_idle()
    cloud.pass_days(bucket, 91)

    for answer in (ops("replay", prefix, *where), ops("replay", prefix, "--yes", *where)):
        assert "1 objects" in answer.out
        assert "skipped 1 objects" in answer.out
        assert "in GLACIER" in answer.out
        assert "3 to 5 hours (Standard)" in " ".join(answer.out.split())
        assert f"{prefix}archived.csv" in answer.out, "the command to restore it"
    cloud.run_until_idle()
    attempts = {
        name: cloud.jobs(region, prefix + name)[0]["attempts"] for name in ("archived.csv", "small.csv")
    }
    assert attempts == {"archived.csv": 1, "small.csv": 2}
    reported = json.loads(ops("replay", prefix, "--json", *where).out)
    assert (reported["objects"], reported["archived"]) == (1, 1)
    only = ops("replay", f"{prefix}archived.csv", *where)
    assert "are archived" in only.out

    s3.restore_object(Bucket=bucket, Key=f"{prefix}archived.csv", RestoreRequest={"Days": 7})
    restored = ops("replay", prefix, "--yes", *where)
    assert "2 objects" in restored.out
    assert "skipped" not in restored.out
    cloud.run_until_idle()
    (job,) = cloud.jobs(region, f"{prefix}archived.csv")
    assert (job["status"], job["attempts"], job["rows_out"]) == ("COMPLETED", 2, 20_000)
