"""Many small files at once in every region; some of their events are delivered twice."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from local.cloud import Cloud


@dataclass(frozen=True, kw_only=True)
class Flooded:
    """The state of one region after a flood."""

    jobs: list[tuple[str, str, int]]
    """Key, status and rows of each job, by key."""
    results: list[str]
    """Keys of the Parquet files, in order."""
    counted: float
    """Number of completed jobs according to the metrics."""
    left: int
    """Number of messages in all queues."""


def content(number: int) -> bytes:
    """Return a table of `number` + 1 rows, so that all files differ."""
    return b"id,value\n" + b"".join(b"%d,%d.5\n" % (number, row) for row in range(number + 1))


def expected(folder: str, files: int) -> Flooded:
    """Return the state in which each file was processed once."""
    names = sorted(f"{folder}/{number}.csv" for number in range(files))
    rows = {f"{folder}/{number}.csv": number + 1 for number in range(files)}
    return Flooded(
        jobs=[(name, "COMPLETED", rows[name]) for name in names],
        results=sorted(f"processed/{name}.parquet" for name in names),
        counted=files,
        left=0,
    )


def flood(cloud: Cloud, folder: str, files: int) -> tuple[dict[str, Flooded], float]:
    """Upload and deliver; return the state of each region and the duration in seconds."""
    dimensions = {"EnvironmentSuffix": "dev"}
    before = {
        region: cloud.metric(region, "RegionalAnalytics", "JobsCompleted", **dimensions)
        for region in cloud.regions
    }
    started = time.perf_counter()
    cloud.functions.start()
    try:
        with ThreadPoolExecutor(max_workers=4) as pool:
            for region in cloud.regions:
                for number in range(files):
                    pool.submit(_upload, cloud, region, f"{folder}/{number}.csv", number)
    finally:
        cloud.functions.stop()
    cloud.run_until_quiet()
    seconds = time.perf_counter() - started
    queues = ("queueUrl", "deadLetterQueueUrl", "deliveryDeadLetterQueueUrl")
    return {
        region: Flooded(
            jobs=sorted(
                (job["input_path"], job["status"], int(job["rows_out"]))
                for job in cloud.jobs(region)
                if job["input_path"].startswith(f"{folder}/")
            ),
            results=sorted(cloud.keys(region, f"processed/{folder}/")),
            counted=cloud.metric(region, "RegionalAnalytics", "JobsCompleted", **dimensions) - before[region],
            left=sum(cloud.messages(region, queue) for queue in queues),
        )
        for region in cloud.regions
    }, seconds


def _upload(cloud: Cloud, region: str, key: str, number: int) -> None:
    version = cloud.upload(region, key, content(number))
    if number % 5 == 0:
        cloud.client("sqs", region).send_message(
            QueueUrl=cloud.outputs[region]["queueUrl"],
            MessageBody=json.dumps(_event(cloud, region, key, version)),
        )


def _event(cloud: Cloud, region: str, key: str, version: str) -> dict[str, object]:
    """Return a duplicate of the upload's event: EventBridge delivers at least once."""
    return {
        "version": "0",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": cloud.outputs[region]["functionArn"].split(":")[4],
        "region": region,
        "time": datetime.now(UTC).isoformat(),
        "detail": {
            "bucket": {"name": cloud.outputs[region]["bucketName"]},
            "object": {"key": key, "version-id": version},
        },
    }
