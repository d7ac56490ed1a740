"""The server's WSGI application: it checks each request before moto handles it."""

from __future__ import annotations

import hmac
import io
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.wsgi import get_input_stream

from local.gateway import browsers, signatures, steering
from local.gateway.refusals import refuse, refuse_signature
from local.moto_patches import function_code
from local.server import SECRET_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SECRET_VARIABLE = "HTTP_X_EMBEDDED_AWS_SECRET"  # noqa: S105 - the name of a header in WSGI
CLOSED_PATHS = ("/moto-api", "/favicon.ico", "/latest/meta-data/", "/latest/api/")
"""Moto's administration API and its instance metadata, which are closed to every caller."""


class Gateway:
    """Refuses unsigned requests, and passes the others to moto one at a time.

    One request at a time makes conditional writes and receives atomic, as on AWS: moto's threads check first
    and act later. A request is handled after its body has arrived, so a slow client delays no other request.
    """

    def __init__(self, moto: Callable[..., Iterable[bytes]], secret: str) -> None:
        """Protect moto.

        Args:
            moto: Moto's application.
            secret: The value of `SECRET_HEADER` in requests of the project's own processes.
        """
        self._moto = moto
        self._secret = secret
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Handle one request."""
        port = int(environ["SERVER_PORT"])
        path = environ["PATH_INFO"]
        if reason := browsers.reason_to_refuse(environ, port):
            return refuse(start_response, reason)
        if path.startswith(CLOSED_PATHS):
            return refuse(start_response, "the administration API of moto is closed")
        if path.startswith(function_code.PATH):
            return self._archive(path, start_response)
        if path.startswith(steering.PATH):
            return self._steer(path, environ, start_response)
        return self._call(environ, start_response)

    def _archive(self, path: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Return an archive of code; its address is secret, like a presigned URL."""
        found = function_code.archive(path)
        if found is None:
            return refuse(start_response, "no archive of code has this address")
        start_response("200 OK", [("Content-Type", "application/zip")])
        return [found]

    def _steer(
        self, path: str, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Handle a request of the project's own processes."""
        given = environ.get(_SECRET_VARIABLE, "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            return refuse(start_response, f"the header {SECRET_HEADER} must hold the server's secret")
        body = _read(environ)
        with self._lock:
            answer = steering.answer(path, body)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [answer]

    def _call(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass a signed call of AWS's API to moto."""
        try:
            signature = signatures.Signature.from_request(environ)
            with self._lock:
                credentials = signatures.find_credentials(environ, signature)
            # A request that no known key has signed is refused before its body is read.
            body = _read(environ)
            signatures.verify(environ, body, signature, credentials)
        except signatures.InvalidSignatureError as error:
            return refuse_signature(environ, start_response, error.kind, str(error))
        with self._lock:
            return self._moto(environ, start_response)


def _read(environ: dict[str, Any]) -> bytes:
    """Read a request's body, and make it readable again."""
    body = get_input_stream(environ).read()
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body
