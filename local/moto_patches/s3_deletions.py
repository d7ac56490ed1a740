"""Events of deletions: one for each deleted version and each new or deleted delete marker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.s3 import notifications
from moto.s3.models import S3Backend

if TYPE_CHECKING:
    from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey

_EVENT = notifications.S3NotificationEvent


def install() -> None:
    """Apply the patches; call this once, before the server handles requests."""
    _send_an_event_for_each_deletion()


def _send_an_event_for_each_deletion() -> None:
    """Moto sends an event only for the last version of a key, and none for delete markers.

    S3 sends events for both, and for each object of a batch (S3 User Guide, "Supported event types"). Whether
    it sends one for the deletion of a delete marker is not documented; here it does.
    """
    delete_object, send_event = S3Backend.delete_object, notifications.send_event
    deleting = [False]

    def send(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:  # noqa: ANN401 - moto's classes
        if not deleting[0]:
            send_event(account_id, event_name, bucket, key)

    def delete(
        self: S3Backend, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        bucket = self.get_bucket(bucket_name)
        if not bucket.is_versioned:
            return delete_object(self, bucket_name, key_name, version_id, bypass)
        before = versions(bucket, key_name)
        deleting[0] = True
        try:
            answer = delete_object(self, bucket_name, key_name, version_id, bypass)
        finally:
            deleting[0] = False
        after = versions(bucket, key_name)
        for removed in (version for version in before if version not in after):
            send_event(self.account_id, _EVENT.OBJECT_REMOVED_DELETE_EVENT, bucket, removed)
        for marker in (version for version in after if version not in before):
            send_event(self.account_id, _EVENT.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT, bucket, marker)
        return answer

    notifications.send_event = send
    S3Backend.delete_object = delete


def versions(bucket: FakeBucket, key_name: str) -> list[FakeKey | FakeDeleteMarker]:
    """Return the versions and delete markers of a key, the current one last."""
    return list(bucket.keys.getlist(key_name, []))
