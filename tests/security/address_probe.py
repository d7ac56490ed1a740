"""Run the handler on one event, without the network, and print every address that it calls.

A program of its own, as the handler makes its clients when it is imported, from the function's environment.
"""

import contextlib
import json
import sys
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

addresses: list[str] = []


def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Answer in place of AWS: accept all calls before the object's GET, and refuse that."""
    addresses.append(request.url)
    of_table = "dynamodb" in request.url
    content = b"{}" if of_table else b""
    headers = {"ETag": '"0"', "x-amz-version-id": "v1"}
    status = 200 if of_table or request.method == "HEAD" else 403
    return AWSResponse(request.url, status, headers, SimpleNamespace(stream=lambda *_, **__: iter([content])))


def main() -> None:
    """Process the event on standard input."""
    boto3.setup_default_session()
    boto3.DEFAULT_SESSION.events.register("before-send", answer)
    import index

    event = json.load(sys.stdin)
    context = SimpleNamespace(
        aws_request_id="id",
        function_name="analytics-etl",
        function_version="$LATEST",
        get_remaining_time_in_millis=lambda: 300_000,
        invoked_function_arn=f"arn:aws:lambda:{event['region']}:{event['account']}:function:analytics-etl",
        memory_limit_in_mb="1024",
    )
    with contextlib.suppress(Exception):
        index.handler(event, context)  # type: ignore[arg-type]
    print(json.dumps(addresses))


main()
