"""Values of uploads are in the outputs, and not in logs, metrics and job records.

Keys are not secret here: logs and job records contain them.
"""

import gzip
import json
from pathlib import Path

import duckdb

from local.cloud import Cloud

CANARY = "canary7f3a9e21"
SINGING = "canary2b6c0d45"
"""Another value, which must be found."""
HEADER = "header4c8b1d60"
FOLDER = "canaries"
ROWS = "".join(f"{row},name {row}\n" for row in range(30))


def parquet(tmp_path: Path) -> bytes:
    file = tmp_path / "canary.parquet"
    with duckdb.connect() as connection:
        rows = connection.sql(f"SELECT '{CANARY}' AS value, '{CANARY}' || range AS other FROM range(1000)")
        rows.write_parquet(str(file))
    return file.read_bytes()


def uploads(tmp_path: Path) -> dict[str, tuple[bytes, str]]:
    """Return objects with the canary in every place that could be quoted, and the status of each."""
    intact = parquet(tmp_path)
    records = "".join(json.dumps({"id": row, "value": CANARY}) + "\n" for row in range(30))
    return {
        "cell.csv": (f"id,name\n{ROWS}30,{CANARY}\n".encode(), "COMPLETED"),
        "header.csv": (f"id,{HEADER}\n{ROWS}".encode(), "COMPLETED"),
        "rejected-row.csv": (f"id,name\n{ROWS}30,{CANARY},{CANARY}\n".encode(), "COMPLETED"),
        "rejected-rows.csv": (f"id,name\n{ROWS}".encode() + f"30,{CANARY},x\n".encode() * 20, "FAILED"),
        "broken-quote.csv": (f'id,name\n{ROWS}30,"{CANARY}\n'.encode(), ""),
        "not-text.csv": (f"id,name\n1,{CANARY}".encode() + bytes(range(256)) * 20, ""),
        "records.ndjson": (records.encode(), "COMPLETED"),
        "broken-record.ndjson": (f'{records}{{"id": 31, "value": "{CANARY}'.encode(), ""),
        "broken-array.json": (f'[{{"value": "{CANARY}"}}, {{"value": {CANARY}}}]'.encode(), ""),
        "truncated.csv.gz": (gzip.compress(f"id,name\n{ROWS}30,{CANARY}\n".encode())[:-12], "FAILED"),
        "intact.parquet": (intact, "COMPLETED"),
        "truncated.parquet": (intact[: len(intact) // 2], ""),
        "damaged.parquet": (intact[:200] + CANARY.encode() + intact[200 + len(CANARY) :], ""),
    }


def test_no_value_of_the_data_is_in_logs_metrics_or_records(
    cloud: Cloud, region: str, tmp_path: Path
) -> None:
    objects = uploads(tmp_path)
    for name, (content, _) in objects.items():
        cloud.upload(region, f"{FOLDER}/{name}", content)
    for body in (
        CANARY,
        json.dumps({"Records": [CANARY]}),
        json.dumps({"detail-type": CANARY, "detail": CANARY}),
    ):
        cloud.client("sqs", region).send_message(QueueUrl=cloud.outputs[region]["queueUrl"], MessageBody=body)
    cloud.run_until_quiet()

    jobs = {
        job["input_path"].rpartition("/")[2]: job for job in cloud.jobs(region) if FOLDER in job["input_path"]
    }
    assert jobs.keys() == objects.keys()
    for name, (_, status) in objects.items():
        assert jobs[name]["status"] in ([status] if status else ["COMPLETED", "FAILED"]), name
    told = [
        *cloud.log(region),
        *metrics(cloud, region),
        *(json.dumps(job, default=str) for job in jobs.values()),
    ]
    assert [line for line in told if CANARY in line] == []
    assert [job for job in jobs.values() if len(job.get("error", "")) > 500] == []

    told = [
        *cloud.log(region),
        *metrics(cloud, region),
        *(json.dumps(job, default=str) for job in jobs.values()),
    ]
    assert [line for line in told if HEADER in line] == [], "a name of a column may be a person's"
    assert jobs["header.csv"]["column_count"] == 2


def test_the_canary_would_be_found(cloud: Cloud, region: str) -> None:
    """The searched lines exist, the data was processed, and the search finds a canary."""
    key = f"{FOLDER}/sings-{SINGING}.csv"
    cloud.upload(region, key, f"id,name\n{ROWS}30,{SINGING},{SINGING}\n".encode())
    cloud.run_until_quiet()
    (job,) = cloud.jobs(region, key)
    assert any(SINGING in line for line in cloud.log(region))
    assert SINGING in json.dumps(job, default=str)
    assert SINGING.encode() in cloud.get(region, job["rejected_path"])
    assert metrics(cloud, region)


def metrics(cloud: Cloud, region: str) -> list[str]:
    """Return every metric's name and dimensions."""
    found = cloud.client("cloudwatch", region).get_paginator("list_metrics").paginate()
    return [json.dumps(metric) for page in found for metric in page["Metrics"]]
