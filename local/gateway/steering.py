"""Functions of the server for the project's own processes that no API of AWS has."""

from __future__ import annotations

import json

from local.moto_patches import metrics_clock, s3_lifecycle, service_metrics, sqs_queues

PATH = "/_steering/"
"""Prefix of the paths `clock`, `sample`, `throttle`, `days` and `queues`."""


def answer(path: str, body: bytes) -> bytes:
    """Handle a request below `PATH`; return JSON: the time of the metrics' clock, or the queues.

    Args:
        path: `clock` with the body {"offset": seconds} moves the metrics' clock. `sample` puts the queues'
            metrics. `throttle` with {"table": writes} makes DynamoDB refuse the next writes. `days` with
            {"bucket": days} lets days pass for S3's lifecycle rules. `queues` returns the ARNs of the queues
            with visible messages.
        body: The arguments in JSON.
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
        case "queues":
            return json.dumps({"queues": sqs_queues.with_messages()}).encode()
        case other:
            raise NotImplementedError(
                f"{PATH}{other}: the paths are clock, sample, throttle, days and queues"
            )
    return json.dumps({"now": metrics_clock.now()}).encode()
