"""Which uploads S3 tells of: none of the first minutes, and one in parts only once."""

from __future__ import annotations

import os
from typing import Any

from moto.s3 import notifications
from moto.s3.models import FakeBucket, S3Backend

from local.moto_patches import metrics_clock

START_SECONDS = "EMBEDDED_AWS_EVENTS_AFTER_SECONDS"
"""The environment variable that says how long after it is told to a bucket begins to send events.

S3 takes about five minutes (S3 User Guide, "Enabling Amazon EventBridge"); the embedded AWS none, by default.
"""


def install() -> None:
    """Put these patches in place, over those of `s3_event_delivery`; call once, before the server answers."""
    if seconds := float(os.environ.get(START_SECONDS, "0")):
        _begin_some_time_after_they_are_switched_on(seconds)
    _tell_once_of_an_upload_in_parts()


def _begin_some_time_after_they_are_switched_on(seconds: float) -> None:
    """Moto sends events at once; on AWS, nothing tells of the uploads of the first minutes."""
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


def _tell_once_of_an_upload_in_parts() -> None:
    """Moto tells of the object, of its tags and of the upload's completion; S3 of the last alone.

    (S3 User Guide, "Using EventBridge": the reason CompleteMultipartUpload.)
    """
    send, complete = notifications._send_event_bridge_message, S3Backend.complete_multipart_upload  # noqa: SLF001 - moto's module
    completing = [False]

    def complete_and_tell_once(self: S3Backend, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passed on
        completing[0] = True
        try:
            return complete(self, *args, **kwargs)
        finally:
            completing[0] = False

    def send_once(account_id: str, bucket: Any, event_name: str, key: Any) -> None:  # noqa: ANN401 - moto's classes
        completed = notifications.S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT
        if not completing[0] or event_name == completed:
            send(account_id, bucket, event_name, key)

    S3Backend.complete_multipart_upload = complete_and_tell_once
    notifications._send_event_bridge_message = send_once  # noqa: SLF001 - moto's module
