"""A temporary directory for one conversion."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "conversion-"


@contextmanager
def workspace() -> Iterator[Path]:
    """Yield an empty directory, and remove it afterwards.

    Lambda keeps /tmp when it ends a function at its timeout. So the directories of processes that have ended
    are removed first, and a conversion that was killed takes no disk space from the next.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if not _alive(left.name.removeprefix(_PREFIX).split("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def _alive(pid: str) -> bool:
    """Return whether another process has the id. This process has no conversion under way."""
    if not pid.isdigit() or int(pid) == os.getpid():
        return not pid.isdigit()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
