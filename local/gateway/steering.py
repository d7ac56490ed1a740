"""What the project's own processes ask of the server, which no API of AWS offers."""

from __future__ import annotations

import json

from local.moto_patches import metrics_clock, s3_lifecycle, service_metrics

PATH = "/_steering/"
"""Below it: `clock` moves the metrics' clock, `sample` measures the queues, `throttle` refuses writes, `days`
lets days pass for a bucket."""


def answer(path: str, body: bytes) -> bytes:
    """Do what is asked below `PATH`; give JSON with the time of the metrics' clock.

    Args:
        path: `clock` with the body {"offset": seconds}; `sample`; `throttle` with {"table": writes}, for
            DynamoDB to refuse so many writes; or `days` with {"bucket": days}, for S3's lifecycle rules.
        body: JSON.
    """
    match path.removeprefix(PATH):
        case "clock":
            metrics_clock.move(float(json.loads(body)["offset"]))
        case "throttle":
            service_metrics.throttled_writes.update(json.loads(body))
        case "sample":
            service_metrics.sample_queues(metrics_clock.now())
        case "days":
            for bucket, days in json.loads(body).items():
                s3_lifecycle.pass_days(bucket, days)
        case other:
            raise NotImplementedError(f"{PATH}{other}: there is clock, sample, throttle and days")
    return json.dumps({"now": metrics_clock.now()}).encode()
