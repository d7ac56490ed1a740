"""The way in to the server."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.wsgi import get_input_stream

from local import cloudwatch
from local.bridges import function_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class OneAtATime:
    """Makes conditional writes and receives atomic, as AWS's are: moto's threads check, then act.

    So requests are answered one at a time, each after its body has arrived: a slow client holds up nobody.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        body = get_input_stream(environ).read()
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        path = environ["PATH_INFO"]
        with self._lock:
            if path.startswith(function_code.PATH):
                found = function_code.archive(path)
                start_response("200 OK" if found else "404 Not Found", [("Content-Type", "application/zip")])
                return [found or b""]
            if path.startswith(cloudwatch.PATH):
                start_response("200 OK", [("Content-Type", "application/json")])
                return [cloudwatch.answer(path, body)]
            return self._application(environ, start_response)
