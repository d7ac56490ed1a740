"""Which objects of the bucket are uploads, as the function was told."""

import functools
import json
from dataclasses import dataclass

from ops.deployed_stacks import Stack


@dataclass(frozen=True, kw_only=True)
class Prefixes:
    """What the keys of uploads begin with, and of what the system writes."""

    uploads: tuple[str, ...]
    """Empty for any key that is not the system's."""
    system: tuple[str, ...]

    def is_upload(self, key: str) -> bool:
        """Whether an object with this key is an upload."""
        return not key.startswith(self.system) and (not self.uploads or key.startswith(self.uploads))


@functools.cache
def prefixes(stack: Stack) -> Prefixes:
    """Read the prefixes from the function's environment."""
    configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.function_arn)
    variables = configuration["Environment"]["Variables"]
    return Prefixes(
        uploads=tuple(json.loads(variables["UPLOAD_PREFIXES"])),
        system=tuple(json.loads(variables["SYSTEM_PREFIXES"])),
    )
