"""Check that a request is signed with a key of IAM or STS (Signature Version 4).

Moto checks signatures in each service: some paths check nothing, and one request header disables the check.
Here, every request is checked before moto handles it.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from moto.core.request import Request
from moto.iam.access_control import CreateAccessKeyFailure, create_access_key

from local.moto_patches.moto_account import ACCOUNT, PARTITION

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key_id>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)"
    r"/(?P<service>[a-z0-9-]+)/aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>\w+)"
)


class InvalidSignatureError(Exception):
    """A request has no signature, an unknown key or a wrong signature; `kind` says which."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


UNSIGNED, UNKNOWN_KEY, WRONG_SIGNATURE = "unsigned", "unknown key", "wrong signature"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The parts of the `Authorization` header."""

    key_id: str
    region: str
    service: str
    headers: frozenset[str]
    value: str

    @classmethod
    def from_request(cls, environ: Mapping[str, Any]) -> Self:
        """Read the header.

        Raises:
            InvalidSignatureError: The header is missing or has another format.
        """
        found = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        if found is None:
            raise InvalidSignatureError(
                UNSIGNED,
                "a request must have an Authorization header with a version 4 signature (AWS4-HMAC-SHA256)",
            )
        return cls(
            key_id=found["key_id"],
            region=found["region"],
            service=found["service"],
            headers=frozenset(found["headers"].lower().split(";")),
            value=found["signature"],
        )


def find_credentials(environ: Mapping[str, Any], signature: Signature) -> Any:  # noqa: ANN401 - botocore's
    """Return the credentials of the key in a request's signature.

    Raises:
        InvalidSignatureError: Neither IAM nor STS has created the key.
    """
    try:
        key = create_access_key(ACCOUNT, PARTITION, signature.key_id, Request(dict(environ)).headers)  # type: ignore[arg-type]
    except CreateAccessKeyFailure:
        raise InvalidSignatureError(
            UNKNOWN_KEY, f"the access key {signature.key_id!r} does not exist"
        ) from None
    return key.create_credentials()


def verify(environ: Mapping[str, Any], body: bytes, signature: Signature, credentials: Any) -> None:  # noqa: ANN401
    """Compare the signature with the one of the credentials.

    Raises:
        InvalidSignatureError: They differ.
    """
    request = Request(dict(environ))
    headers = {name: value for name, value in request.headers.items() if name.lower() in signature.headers}
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    asked = AWSRequest(
        method=request.method,
        url=f"http://{environ['HTTP_HOST']}{request.raw_path}{query}",
        headers=headers,
        data=body,
    )
    asked.context["timestamp"] = request.headers.get("X-Amz-Date", "")
    kind = S3SigV4Auth if signature.service == "s3" else SigV4Auth
    signer = kind(credentials, signature.service, signature.region)
    canonical = signer.canonical_request(asked)
    expected = str(signer.signature(signer.string_to_sign(asked, canonical), asked))
    if not hmac.compare_digest(expected, signature.value):
        raise InvalidSignatureError(WRONG_SIGNATURE, "the signature does not match the request and the key")
