"""Refuse what a web page can make a browser send to this machine.

A page of any site can send requests to the loopback interface. With DNS rebinding, the browser even takes the
server for part of that site, and lets the page read the answers. Such requests still tell where they come
from, by `Host`, `Origin` and `Sec-Fetch-Site` (Fetch Standard; Fetch Metadata Request Headers, W3C).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES = ("127.0.0.1", "localhost")
_BUCKET_LABEL = re.compile(r"[a-z0-9][a-z0-9.-]*", re.IGNORECASE)
_OWN_FETCHES = ("none", "same-origin")
"""`none` is what a person typed. `same-site` is refused: another port of this machine is of the same site."""


def reason_to_refuse(environ: Mapping[str, str], port: int) -> str | None:
    """Say why a request (WSGI) must not be answered; None when nothing speaks against it.

    Args:
        environ: The request.
        port: The port that the server listens on.
    """
    host = environ.get("HTTP_HOST", "")
    if not _is_own_host(host, port):
        return (
            f"Host must be 127.0.0.1:{port} or localhost:{port}, or a bucket's name below them, got {host!r}"
        )
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and origin not in {f"http://{name}:{port}" for name in _NAMES}:
        return f"requests of other origins are refused, got Origin {origin!r}"
    fetch = environ.get("HTTP_SEC_FETCH_SITE")
    if fetch is not None and fetch not in _OWN_FETCHES:
        return f"requests of other sites are refused, got Sec-Fetch-Site {fetch!r}"
    return None


def _is_own_host(host: str, port: int) -> bool:
    name, _, given_port = host.rpartition(":")
    if given_port != str(port):
        return False
    for own in _NAMES:
        bucket = name.removesuffix(f".{own}")
        if name == own or (bucket != name and _BUCKET_LABEL.fullmatch(bucket)):
            return True
    return False
