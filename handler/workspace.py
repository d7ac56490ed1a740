"""A directory of one's own for the time of one conversion."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "conversion-"


@contextmanager
def workspace() -> Iterator[Path]:
    """A fresh empty directory, removed afterwards.

    Lambda keeps /tmp when it ends a function at its timeout, so what processes no longer there have left
    behind is removed first: no room is lost to a conversion that was killed.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if not _alive(left.name.removeprefix(_PREFIX).split("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def _alive(pid: str) -> bool:
    """Whether another process has that id; one's own is between two conversions now."""
    if not pid.isdigit() or int(pid) == os.getpid():
        return not pid.isdigit()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
