"""Refuse the requests that a web page can make a browser send to this machine.

A page of any site can send requests to the loopback interface. With DNS rebinding, the page can also read the
responses. The headers `Host`, `Origin` and `Sec-Fetch-Site` show the origin of such requests (Fetch Standard;
Fetch Metadata Request Headers, W3C).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HTTP = 80
_NAMES = ("127.0.0.1", "localhost")
_BUCKET_LABEL = re.compile(r"[a-z0-9][a-z0-9.-]*", re.IGNORECASE)
_OWN_FETCHES = ("none", "same-origin")
"""`none`: a person typed the URL. `same-site` is refused, because other ports of this machine are that."""


def reason_to_refuse(environ: Mapping[str, str], port: int) -> str | None:
    """Return why a request must be refused; None if it may be handled.

    Args:
        environ: The request, in WSGI's format.
        port: The port on which the server listens.
    """
    host = environ.get("HTTP_HOST", "")
    if not _is_own_host(host, port):
        return (
            f"Host must be 127.0.0.1:{port} or localhost:{port}, or a bucket's name before one, got {host!r}"
        )
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and _with_port(origin, port) not in {f"http://{name}:{port}" for name in _NAMES}:
        return f"requests of other origins are refused, got Origin {origin!r}"
    fetch = environ.get("HTTP_SEC_FETCH_SITE")
    if fetch is not None and fetch not in _OWN_FETCHES:
        return f"requests of other sites are refused, got Sec-Fetch-Site {fetch!r}"
    return None


def _with_port(authority: str, port: int) -> str:
    """Add the port if it is 80, which clients leave out: it is HTTP's default (RFC 9110, section 4.2.3)."""
    return f"{authority.removesuffix(':80')}:80" if port == _HTTP else authority


def _is_own_host(host: str, port: int) -> bool:
    name, _, given_port = _with_port(host, port).rpartition(":")
    if given_port != str(port):
        return False
    for own in _NAMES:
        bucket = name.removesuffix(f".{own}")
        if name == own or (bucket != name and _BUCKET_LABEL.fullmatch(bucket)):
            return True
    return False
