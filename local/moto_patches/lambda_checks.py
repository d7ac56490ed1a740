"""What Lambda refuses when a function or an event source mapping is made, and moto takes."""

from __future__ import annotations

from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import LambdaBackend
from moto.sqs.models import sqs_backends

from local.moto_patches.moto_account import ACCOUNT


def install() -> None:
    """Put these patches in place; call once, before the server answers."""
    _check_the_queue_of_a_mapping()


def _check_the_queue_of_a_mapping() -> None:
    """Lambda refuses a queue that shows a message again while the function may still be at work on it.

    (Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping".)
    """
    create = LambdaBackend.create_event_source_mapping

    def create_checked(self: LambdaBackend, spec: dict[str, Any]) -> Any:  # noqa: ANN401 - moto's class
        queue: Any = sqs_backends[ACCOUNT][self.region_name].queues.get(
            spec["EventSourceArn"].rpartition(":")[2]
        )
        function: Any = self.get_function(spec["FunctionName"])
        if queue and int(queue.visibility_timeout or 0) < int(function.timeout):
            raise InvalidParameterValueException(
                f"Queue visibility timeout: {queue.visibility_timeout} seconds is less than"
                f" Function timeout: {function.timeout} seconds"
            )
        return create(self, spec)

    LambdaBackend.create_event_source_mapping = create_checked
