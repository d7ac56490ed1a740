"""The memory limit of the function's process.

Lambda kills a process that needs more memory than the function has. Then the message returns to the queue,
and ends as a dead letter. Under a limit of the kernel, the allocation fails instead, and the job ends as
FAILED with the reason.
"""

import resource
from collections.abc import Mapping

_MEBIBYTE = 1 << 20


def set_memory_limit(environment: Mapping[str, str]) -> None:
    """Limit the data segment to the function's memory: allocated memory counts, mapped files do not.

    Args:
        environment: The environment variables. Lambda sets `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MB. Without
            it, as in tests, there is no limit.
    """
    memory = environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    if memory:
        limit = int(memory) * _MEBIBYTE
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
