"""Which objects of the bucket are uploads, according to the function's configuration."""

import functools
import json
from dataclasses import dataclass

from ops.deployed_stacks import Stack


@dataclass(frozen=True, kw_only=True)
class Prefixes:
    """Prefixes of the keys of uploads and of the system's objects."""

    uploads: tuple[str, ...]
    """Empty if every key without a system prefix is an upload."""
    system: tuple[str, ...]

    def is_upload(self, key: str) -> bool:
        """Whether an object with this key is an upload."""
        return not key.startswith(self.system) and (not self.uploads or key.startswith(self.uploads))


@functools.cache
def prefixes(stack: Stack) -> Prefixes:
    """Read the prefixes from the function's environment."""
    variables = stack.function_variables()
    return Prefixes(
        uploads=tuple(json.loads(variables["UPLOAD_PREFIXES"])),
        system=tuple(json.loads(variables["SYSTEM_PREFIXES"])),
    )
