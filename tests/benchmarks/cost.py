"""The cost of a region, idle and per gigabyte: counts of a local run, times list prices.

`PYTHONPATH=handler python -m tests.benchmarks.cost` writes docs/cost.md from the counts of the last run. With
`--measure`, it first processes the real tables on the embedded AWS and counts again.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from conversion.budget import THROUGHPUT_BYTES_PER_SECOND

FOLDER = Path(__file__).parent
COUNTS, PRICES, TEXT = FOLDER / "cost_counts.json", FOLDER / "prices.json", FOLDER / "cost_page.md"
PAGE = FOLDER.parents[1] / "docs" / "cost.md"
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
MARK = " \\*"
"""Marks figures that use a price of another region."""

MEMORY_GB = 1.0
STORAGE_GB = (4096 - 512) / 1024
"""The part of the function's ephemeral storage that is charged."""
POLLS_A_MONTH = 5 * 30 * 86400 // 20
"""Five long polls of 20 seconds at an idle queue (Lambda Developer Guide, "Using Lambda with SQS")."""
OBJECT_BYTES = 100_000_000
"""The size of the objects that make a gigabyte."""


def measure() -> dict[str, float]:
    """Process the real tables in one region of the embedded AWS; return the counts per object."""
    from local.cloud import Cloud
    from local.tables import table_files

    with tempfile.TemporaryDirectory() as folder, Cloud() as cloud:
        region = "us-east-1"
        outputs = cloud.outputs[region]
        files = table_files(Path(folder))
        for file in files:
            cloud.upload(region, f"input/{file.name}", file.read_bytes())
        cloud.run_until_quiet()
        jobs = cloud.jobs(region)
        assert [job["status"] for job in jobs] == ["COMPLETED"] * len(files)

        def each(namespace: str, name: str, **dimensions: str) -> float:
            return cloud.metric(region, namespace, name, **dimensions) / len(files)

        bucket = {"BucketName": outputs["bucketName"], "FilterId": "EntireBucket"}
        queue = {"QueueName": outputs["queueUrl"].rpartition("/")[2]}
        table = {"TableName": outputs["tableName"]}
        index = {**table, "GlobalSecondaryIndexName": "timestamp-index"}
        function = {"FunctionName": outputs["functionArn"].rpartition(":")[2]}
        puts = each("AWS/S3", "PutRequests", **bucket)
        alarms = cloud.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
        return {
            "objects": len(files),
            "bytes_in": sum(float(job["bytes_in"]) for job in jobs),
            "bytes_out": sum(float(job["bytes_out"]) for job in jobs),
            "seconds_here": each("AWS/Lambda", "Duration", **function) * len(files) / 1000,
            "puts": puts - 1,
            "events": puts,
            "gets": each("AWS/S3", "GetRequests", **bucket) + each("AWS/S3", "HeadRequests", **bucket),
            "queue_requests": sum(
                each("AWS/SQS", f"NumberOfMessages{what}", **queue)
                for what in ("Sent", "Received", "Deleted")
            ),
            "table_writes": each("AWS/DynamoDB", "ConsumedWriteCapacityUnits", **table),
            "index_writes": each("AWS/DynamoDB", "ConsumedWriteCapacityUnits", **index),
            "table_reads": each("AWS/DynamoDB", "ConsumedReadCapacityUnits", **table),
            "log_bytes": each("AWS/Logs", "IncomingBytes", LogGroupName=outputs["logGroupName"]),
            "alarm_metrics": sum(
                len([query for query in alarm.get("Metrics", []) if "MetricStat" in query]) or 1
                for alarm in alarms
            ),
        }


def price(prices: Mapping[str, Any], region: str, name: str) -> tuple[float, bool]:
    """Return a price, and whether it was confirmed for this region."""
    own = prices[region].get(name)
    return (own or prices["us-east-1"][name])[0], own is not None


def idle(counts: Mapping[str, float]) -> dict[str, tuple[float, str]]:
    """Return what an idle region uses in a month: quantity and price, by line."""
    return {
        "alarms (metrics watched)": (counts["alarm_metrics"], "alarm_metric_month"),
        "composite alarm": (1, "composite_alarm_month"),
        "dashboard": (1, "dashboard_month"),
        "polls of the queue": (POLLS_A_MONTH, "sqs_request"),
    }


def per_object(counts: Mapping[str, float]) -> dict[str, tuple[float, str]]:
    """Return what one object uses, independent of its size."""
    return {
        "S3 PUT": (counts["puts"], "s3_put"),
        "S3 GET and HEAD": (counts["gets"], "s3_get"),
        "events of the bucket": (counts["events"], "event"),
        "queue requests": (counts["queue_requests"], "sqs_request"),
        "function request": (1, "lambda_request"),
        "job table, write units": (counts["table_writes"], "dynamodb_write"),
        "job index, write units": (counts["index_writes"], "dynamodb_write"),
        "job table, read units": (counts["table_reads"], "dynamodb_read"),
        "log, GB": (counts["log_bytes"] / 1e9, "log_gb"),
    }


def per_gigabyte(counts: Mapping[str, float]) -> dict[str, tuple[float, str]]:
    """Return what a gigabyte of input uses besides its objects: compute, and a month of storage."""
    seconds = 1e9 / THROUGHPUT_BYTES_PER_SECOND
    return {
        "compute, GB-seconds": (seconds * MEMORY_GB, "lambda_gb_second"),
        "ephemeral storage, GB-seconds": (seconds * STORAGE_GB, "lambda_storage_gb_second"),
        "raw data, GB-months": (1, "s3_gb_month"),
        "Parquet, GB-months": (counts["bytes_out"] / counts["bytes_in"], "s3_gb_month"),
    }


def metrics() -> dict[str, tuple[float, str]]:
    """Return the metrics that a working region writes in a month."""
    return {
        "by environment": (11, "metric_month"),
        "outcomes of one dataset, at most": (4, "metric_month"),
    }


def total(lines: Mapping[str, tuple[float, str]], prices: Mapping[str, Any], region: str) -> float:
    """Return what the lines cost in a region, USD."""
    return sum(quantity * price(prices, region, name)[0] for quantity, name in lines.values())


def render(counts: Mapping[str, float], prices: Mapping[str, Any]) -> str:
    """Return the page."""
    return Template(TEXT.read_text(encoding="utf-8")).substitute(
        read=prices["read"],
        summary=_summary(counts, prices),
        prices=_price_list(prices),
        idle=_table(idle(counts), prices),
        objects=f"{counts['objects']:.0f}",
        per_object=_table(per_object(counts), prices),
        throughput=f"{THROUGHPUT_BYTES_PER_SECOND / 1e6:.0f}",
        seconds=f"{counts['seconds_here']:.1f}",
        megabytes_in=f"{counts['bytes_in'] / 1e6:.1f}",
        megabytes_out=f"{counts['bytes_out'] / 1e6:.1f}",
        per_gigabyte=_table(per_gigabyte(counts), prices),
        metrics=_table(metrics(), prices),
    )


def _summary(counts: Mapping[str, float], prices: Mapping[str, Any]) -> str:
    objects = 1e9 / OBJECT_BYTES
    stored = {name: line for name, line in per_gigabyte(counts).items() if "GB-months" in name}
    compute = {name: line for name, line in per_gigabyte(counts).items() if name not in stored}
    figures = {
        "idle, a month": idle(counts),
        f"1 GB processed, in {objects:.0f} objects": {**_times(objects, per_object(counts)), **compute},
        "1 GB stored for a month, with its Parquet": stored,
        "100,000 small objects": _times(100_000, per_object(counts)),
    }
    rows = [f"| {name} | {_costs(lines, prices)} |" for name, lines in figures.items()]
    return "\n".join([f"| USD | {' | '.join(REGIONS)} |", "|---|---:|---:|---:|", *rows])


def _times(number: float, lines: Mapping[str, tuple[float, str]]) -> dict[str, tuple[float, str]]:
    return {name: (number * quantity, key) for name, (quantity, key) in lines.items()}


def _price_list(prices: Mapping[str, Any]) -> str:
    rows = [
        f"| [{name}]({page}) | "
        + " | ".join(_quoted(prices, region, name) for region in REGIONS)
        + f" | {note} |"
        for name, (note, page) in prices["notes"].items()
    ]
    return "\n".join([f"| USD for one | {' | '.join(REGIONS)} | note |", "|---|---:|---:|---:|---|", *rows])


def _table(lines: Mapping[str, tuple[float, str]], prices: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {quantity:,.4g} | {_costs({name: (quantity, key)}, prices)} |"
        for name, (quantity, key) in lines.items()
    ]
    whole = f"| **together** | | {_costs(lines, prices)} |"
    return "\n".join(
        [f"| USD | quantity | {' | '.join(REGIONS)} |", "|---|---:|---:|---:|---:|", *rows, whole]
    )


def _costs(lines: Mapping[str, tuple[float, str]], prices: Mapping[str, Any]) -> str:
    """Return the cells of a row: what the lines cost in each region, marked if a price stands in."""
    return " | ".join(
        _money(total(lines, prices, region))
        + ("" if all(price(prices, region, key)[1] for _, key in lines.values()) else MARK)
        for region in REGIONS
    )


def _quoted(prices: Mapping[str, Any], region: str, name: str) -> str:
    value, confirmed = price(prices, region, name)
    figure = f"{value:.10f}".rstrip("0").rstrip(".")
    return f"{figure} ({prices[region][name][1]})" if confirmed else figure + MARK


def _money(value: float) -> str:
    return f"{value:.2f}" if value >= 1 else f"{value:.3g}" if value >= 0.001 else f"{value:.7f}"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="count again on the embedded AWS")
    if parser.parse_args().measure:
        COUNTS.write_text(json.dumps(measure(), indent=2) + "\n", encoding="utf-8")
    counts, prices = (json.loads(path.read_text(encoding="utf-8")) for path in (COUNTS, PRICES))
    PAGE.write_text(render(counts, prices), encoding="utf-8")


if __name__ == "__main__":
    main()
