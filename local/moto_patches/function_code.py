"""Downloads of the archives of functions and layers."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from flask import request
from moto.awslambda.models import LambdaFunction, LayerVersion

PATH = f"/_lambda/{secrets.token_urlsafe(32)}/"
"""Prefix of the archives' paths. It is secret, like a presigned URL."""

_archives: dict[str, bytes] = {}


def archive(path: str) -> bytes | None:
    """Return the archive at a path of the server; None if there is none."""
    return _archives.get(path.removeprefix(PATH))


def install() -> None:
    """AWS returns presigned URLs of archives; moto's URLs do not work."""
    get_code, get_layer_version = LambdaFunction.get_code, LayerVersion.get_layer_version

    def located(archive: bytes) -> str:
        token = hashlib.sha256(archive).hexdigest()
        _archives[token] = archive
        return f"{request.host_url.rstrip('/')}{PATH}{token}"

    def code(self: LambdaFunction) -> dict[str, Any]:
        response = get_code(self)
        response["Code"]["Location"] = located(self.code_bytes)
        if self.reserved_concurrency is not None:  # moto omits it if it is 0
            response["Concurrency"] = {"ReservedConcurrentExecutions": int(self.reserved_concurrency)}
        return response

    def layer(self: LayerVersion) -> dict[str, Any]:
        response = get_layer_version(self)
        response["Content"]["Location"] = located(self.code_bytes)
        return response

    LambdaFunction.get_code = code
    LayerVersion.get_layer_version = layer
