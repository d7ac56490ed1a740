"""Faults of AWS, injected into the client's HTTP layer, so that botocore treats them as real ones."""

import io
from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.response import StreamingBody

FAULTS = ("throttled", "500", "denied", "timeout", "reset", "answer lost")

_ANSWERS: Mapping[tuple[str, str], tuple[int, str]] = {
    ("s3", "throttled"): (503, "SlowDown"),
    ("s3", "500"): (500, "InternalError"),
    ("s3", "denied"): (403, "AccessDenied"),
    ("s3", "key throttled"): (400, "KMS.ThrottlingException"),
    ("s3", "objects denied"): (403, "AccessDenied"),
    ("s3", "own key"): (400, "InvalidRequest"),
    ("s3", "key disabled"): (400, "KMS.DisabledException"),
    ("s3", "archived"): (403, "InvalidObjectState"),
    ("s3", "conflict"): (409, "ConditionalRequestConflict"),
    ("dynamodb", "throttled"): (400, "ProvisionedThroughputExceededException"),
    ("dynamodb", "500"): (500, "InternalServerError"),
    ("dynamodb", "denied"): (400, "AccessDeniedException"),
}


class _Raw(io.BytesIO):
    """A response body, as urllib3 returns it."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


def inject(client: Any, fault: str, first: int, times: int, count: Any) -> None:
    """Inject a fault into `times` of a client's HTTP requests, from the `first` one that `count` returns."""
    service = client.meta.service_model.service_name

    def send(request: Any, **_: Any) -> AWSResponse | None:
        if not first <= count() < first + times:
            return None
        if fault == "objects denied" and (request.method != "GET" or "list-type=" in request.url):
            return None
        if fault == "timeout":
            raise ReadTimeoutError(endpoint_url=request.url)
        if fault == "answer lost":
            client._endpoint.http_session.send(request)
        if fault in ("answer lost", "reset"):
            raise ConnectionClosedError(endpoint_url=request.url)
        status, code = _ANSWERS[service, fault]
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
        if service == "dynamodb":
            body = f'{{"__type": "com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}}'
        return AWSResponse(request.url, status, {}, _Raw(b"" if request.method == "HEAD" else body.encode()))

    client.meta.events.register_last("before-send", send)


def cut_body(client: Any) -> None:
    """End the connection in the middle of an object's body."""

    def cut(parsed: dict[str, Any], **_: Any) -> None:
        content = parsed["Body"].read()
        parsed["Body"] = StreamingBody(io.BytesIO(content[: len(content) // 2]), len(content))

    client.meta.events.register("after-call.s3.GetObject", cut)
