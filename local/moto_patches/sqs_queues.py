"""Attributes of queues, and their polling."""

from __future__ import annotations

from typing import Any

from moto.sqs.models import Queue, sqs_backends


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _leave_polling_to_the_lambda_service()
    _store_queue_attributes()


def with_messages() -> list[str]:
    """Return the ARNs of the queues with visible messages, in all accounts and regions."""
    backends = [backend for regions in list(sqs_backends.values()) for backend in list(regions.values())]
    return [queue.queue_arn for backend in backends for queue in backend.queues.values() if queue.messages]


def _leave_polling_to_the_lambda_service() -> None:
    """Moto receives each message itself to run the function in Docker, which changes its receive count."""
    mappings = property(lambda _queue: {}, lambda _queue, _mappings: None)
    Queue.lambda_event_source_mappings = mappings  # type: ignore[assignment]


def _store_queue_attributes() -> None:
    """Moto loses a queue's policy when other attributes are set, and does not store RedriveAllowPolicy."""
    set_attributes = Queue._set_attributes  # noqa: SLF001 - moto's class

    def set_named(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(self, "policy", None)
        set_attributes(self, {"Policy": kept} | attributes, now)

    Queue._set_attributes = set_named  # noqa: SLF001 - moto's class
    Queue.redrive_allow_policy = None  # type: ignore[attr-defined]
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")
