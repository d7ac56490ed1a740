"""The file in which other commands find the embedded AWS that runs in a folder.

The file is locked while the embedded AWS runs. The system releases the lock however the process ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from local.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATH = Path(".build") / "embedded-aws.json"
"""Relative to the folder in which the commands run."""
_OWNER_ALONE = 0o600
"""The file has the operator's keys."""


@contextlib.contextmanager
def held() -> Iterator[Callable[[dict[str, Any]], None]]:
    """Lock the file while an embedded AWS runs here, then remove it; yield a function that writes it.

    Raises:
        LocalError: Another process has locked the file, or it cannot be written.
    """
    try:
        PATH.parent.mkdir(exist_ok=True)
        descriptor = os.open(PATH, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _OWNER_ALONE)
    except OSError as error:
        raise LocalError(f"{PATH} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
        _check_owner(file)
        _lock(file)
        file.truncate(0)  # a killed process left its content
        os.fchmod(file.fileno(), _OWNER_ALONE)  # an earlier version may have left a file that others can read

        def write(state: dict[str, Any]) -> None:
            json.dump(state, file, indent=2)
            file.flush()

        try:
            yield write
        finally:
            PATH.unlink(missing_ok=True)


def read() -> dict[str, Any]:
    """Read the file of the embedded AWS that runs in this folder.

    Raises:
        LocalError: None runs here, or it is still being deployed.
    """
    try:
        with PATH.open(encoding="utf-8") as file:
            _check_owner(file)
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # the process of `serve` holds the lock
                if written := file.read():
                    return json.loads(written)
                raise LocalError("the embedded AWS of this folder is still being deployed") from None
    except FileNotFoundError:
        pass
    raise LocalError("no embedded AWS runs in this folder: start it with `python -m local serve`")


def _check_owner(file: TextIO) -> None:
    """Refuse a file of another user, who may have created it in a shared folder."""
    owner = os.fstat(file.fileno()).st_uid
    if owner != os.geteuid():
        raise LocalError(
            f"{PATH} belongs to another user (uid {owner}): remove it, or run this in another folder"
        )


def _lock(file: TextIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file.fileno()).st_nlink:
            return
        where = ""  # the process that held the lock removed the file; another may have created it again
    except BlockingIOError:
        where = _where(file.read())
    raise LocalError(
        f"an embedded AWS already runs in this folder{where}: end it first, or run this in another folder"
        " with another --port"
    )


def _where(text: str) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return f" at {json.loads(text)['endpoint_url']}"
    return ""
