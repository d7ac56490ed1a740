"""Events of uploads: none in the first minutes of a bucket, and one for a multipart upload."""

from __future__ import annotations

import os
import sys
from typing import Any

from moto.s3 import notifications
from moto.s3.models import FakeBucket, S3Backend

from local.moto_patches import metrics_clock

START_SECONDS = "EMBEDDED_AWS_EVENTS_AFTER_SECONDS"
"""The environment variable with the delay after which a bucket begins to send events, in seconds.

On AWS, it is about five minutes (S3 User Guide, "Enabling Amazon EventBridge"). The default is 0.
"""


def install() -> None:
    """Apply the patches, after those of `s3_event_delivery`; call this once, before requests are handled."""
    if seconds := _start_seconds():
        _delay_the_first_events(seconds)
    _send_one_event_for_a_multipart_upload()


def _start_seconds() -> float:
    given = os.environ.get(START_SECONDS, "0")
    try:
        return float(given)
    except ValueError:
        sys.exit(f"{START_SECONDS} must be a number of seconds, got {given!r}")


def _delay_the_first_events(seconds: float) -> None:
    """Moto sends events at once; S3 sends none for uploads in the first minutes."""
    send, configure = notifications._send_event_bridge_message, FakeBucket.set_notification_configuration  # noqa: SLF001 - moto's module
    begins: dict[str, float] = {}

    def configure_later(self: FakeBucket, notification_config: dict[str, Any] | None) -> None:
        was_on = self.notification_configuration and self.notification_configuration.event_bridge is not None
        configure(self, notification_config)
        if not was_on:
            begins[self.arn] = metrics_clock.now() + seconds

    def send_later(account_id: str, bucket: Any, event_name: str, key: Any) -> None:  # noqa: ANN401 - moto's classes
        if metrics_clock.now() >= begins[bucket.arn]:
            send(account_id, bucket, event_name, key)

    FakeBucket.set_notification_configuration = configure_later
    notifications._send_event_bridge_message = send_later  # noqa: SLF001 - moto's module


def _send_one_event_for_a_multipart_upload() -> None:
    """Moto sends events for the object, its tags and the completion; S3 sends only the last one.

    (S3 User Guide, "Using EventBridge": the reason CompleteMultipartUpload.)
    """
    send, complete = notifications._send_event_bridge_message, S3Backend.complete_multipart_upload  # noqa: SLF001 - moto's module
    completing = [False]

    def complete_with_one_event(self: S3Backend, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        completing[0] = True
        try:
            return complete(self, *args, **kwargs)
        finally:
            completing[0] = False

    def send_once(account_id: str, bucket: Any, event_name: str, key: Any) -> None:  # noqa: ANN401 - moto's classes
        completed = notifications.S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT
        if not completing[0] or event_name == completed:
            send(account_id, bucket, event_name, key)

    S3Backend.complete_multipart_upload = complete_with_one_event
    notifications._send_event_bridge_message = send_once  # noqa: SLF001 - moto's module
