"""What a queue keeps, and who receives from it."""

from __future__ import annotations

from typing import Any

from moto.sqs.models import Queue


def install() -> None:
    """Put these patches in place; call once, before the server answers."""
    _leave_polling_to_the_lambda_service()
    _keep_queue_attributes()


def _leave_polling_to_the_lambda_service() -> None:
    """Moto receives each message at once, for a function that it would run in Docker: a receive is spent."""
    mappings = property(lambda _queue: {}, lambda _queue, _mappings: None)
    Queue.lambda_event_source_mappings = mappings  # type: ignore[assignment]


def _keep_queue_attributes() -> None:
    """Moto forgets a queue's policy when other attributes are set, and keeps no RedriveAllowPolicy."""
    set_attributes = Queue._set_attributes  # noqa: SLF001 - moto's class

    def set_named(self: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = getattr(self, "policy", None)
        set_attributes(self, {"Policy": kept} | attributes, now)

    Queue._set_attributes = set_named  # noqa: SLF001 - moto's class
    Queue.redrive_allow_policy = None  # type: ignore[attr-defined]
    Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")
