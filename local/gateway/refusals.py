"""Error responses in the format that each service's SDK reads."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from local.gateway.signatures import UNKNOWN_KEY, UNSIGNED, WRONG_SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_S3 = {
    UNSIGNED: "AccessDenied",
    UNKNOWN_KEY: "InvalidAccessKeyId",
    WRONG_SIGNATURE: "SignatureDoesNotMatch",
}
_JSON = {
    UNSIGNED: "MissingAuthenticationTokenException",
    UNKNOWN_KEY: "UnrecognizedClientException",
    WRONG_SIGNATURE: "InvalidSignatureException",
}
_QUERY = {
    UNSIGNED: "MissingAuthenticationToken",
    UNKNOWN_KEY: "InvalidClientTokenId",
    WRONG_SIGNATURE: "SignatureDoesNotMatch",
}


def refuse(start_response: Callable[..., Any], message: str) -> list[bytes]:
    """Respond with status 403 and a line of text."""
    return _answer(start_response, "text/plain; charset=utf-8", f"{message}\n")


def refuse_signature(
    environ: Mapping[str, Any], start_response: Callable[..., Any], kind: str, message: str
) -> list[bytes]:
    """Respond with status 403 and the error of AWS's services (IAM User Guide, "Common errors").

    Services with JSON requests respond in JSON, services with form requests in XML, and S3 in its own XML.
    """
    content_type = environ.get("CONTENT_TYPE", "")
    is_lambda_call = "/lambda/aws4_request" in environ.get("HTTP_AUTHORIZATION", "")
    if is_lambda_call or content_type.startswith(("application/x-amz-json", "application/json")):
        code = _JSON[kind]
        error = json.dumps({"__type": code, "message": message})
        return _answer(start_response, "application/json", error, ("x-amzn-ErrorType", code))
    if content_type.startswith("application/x-www-form-urlencoded"):
        error = _xml_error(_QUERY[kind], message)
        return _answer(start_response, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>")
    return _answer(start_response, "application/xml", _xml_error(_S3[kind], message))


def _xml_error(code: str, message: str) -> str:
    return f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"


def _answer(
    start_response: Callable[..., Any], content_type: str, text: str, *headers: tuple[str, str]
) -> list[bytes]:
    status = HTTPStatus.FORBIDDEN
    start_response(
        f"{status.value} {status.phrase}",
        # A browser must not interpret it as a page or a script.
        [("Content-Type", content_type), ("X-Content-Type-Options", "nosniff"), *headers],
    )
    return [text.encode()]
