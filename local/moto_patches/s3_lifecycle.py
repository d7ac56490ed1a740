"""S3's lifecycle rules, which moto stores but does not apply.

(S3 User Guide, "Managing the lifecycle of objects".) A test lets days pass for one bucket: its objects get
older, then its rules are applied. Only prefixes are supported in a rule's filter, and no tags.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.s3 import notifications
from moto.s3.models import FakeDeleteMarker, s3_backends

from local.moto_patches.moto_account import ACCOUNT, PARTITION
from local.moto_patches.s3_deletions import versions

_EVENT = notifications.S3NotificationEvent
_SMALLEST_TRANSITION = 128 * 1024
"""Minimum size in bytes of objects that are transitioned (S3 User Guide, "Transitioning objects")."""


def pass_days(bucket_name: str, days: float) -> None:
    """Let days pass for a bucket, and apply its rules once."""
    bucket = s3_backends[ACCOUNT][PARTITION].buckets[bucket_name]
    for key_name in list(bucket.keys):
        for version in versions(bucket, key_name):
            version.last_modified -= timedelta(days=days)
    for upload in bucket.multiparts.values():
        upload.days_old = getattr(upload, "days_old", 0) + days  # type: ignore[attr-defined]
    for rule in bucket.rules:
        if rule.status == "Enabled":
            _apply(bucket, rule)


def _apply(bucket: Any, rule: Any) -> None:  # noqa: ANN401 - moto's classes
    """Apply one rule: permanent deletions first, then transitions, then expirations."""
    for key_name in [name for name in list(bucket.keys) if _matches(rule, name)]:
        _remove_noncurrent(bucket, rule, key_name)
        _remove_lone_marker(bucket, rule, key_name)
        for version in versions(bucket, key_name)[-1:]:
            if isinstance(version, FakeDeleteMarker):
                continue
            for transition in rule.transitions or ():
                if transition.days and _age(version.last_modified) >= int(transition.days):
                    _move(version, transition.storage_class)
            if rule.expiration_days and _age(version.last_modified) >= int(rule.expiration_days):
                _expire(bucket, key_name, version)
    if rule.aimu_days:
        for identifier, upload in list(bucket.multiparts.items()):
            if _matches(rule, upload.key_name) and upload.days_old >= int(rule.aimu_days):
                del bucket.multiparts[identifier]


def _matches(rule: Any, key_name: str) -> bool:  # noqa: ANN401 - moto's class
    prefix = rule.filter.prefix if rule.filter and rule.filter.prefix else rule.prefix
    return key_name.startswith(prefix or "")


def _remove_noncurrent(bucket: Any, rule: Any, key_name: str) -> None:  # noqa: ANN401 - moto's classes
    if not rule.nve_noncurrent_days:
        return
    kept = versions(bucket, key_name)
    # A version is noncurrent since the next version was created.
    for old, newer in list(itertools.pairwise(kept)):
        if _age(newer.last_modified) >= int(rule.nve_noncurrent_days):
            kept.remove(old)
            bucket.keys.setlist(key_name, kept)
            _send_event(bucket, _EVENT.LIFECYCLEEXPIRATION_DELETE_EVENT, old)


def _remove_lone_marker(bucket: Any, rule: Any, key_name: str) -> None:  # noqa: ANN401 - moto's classes
    if str(rule.expired_object_delete_marker).lower() != "true":
        return
    match versions(bucket, key_name):
        case [FakeDeleteMarker() as marker]:
            bucket.keys.setlist(key_name, [])
            bucket.keys.pop(key_name)
            _send_event(bucket, _EVENT.LIFECYCLEEXPIRATION_DELETE_EVENT, marker)


def _move(version: Any, storage_class: str) -> None:  # noqa: ANN401 - moto's class
    if version.size >= _SMALLEST_TRANSITION:
        version.set_storage_class(storage_class)


def _expire(bucket: Any, key_name: str, version: Any) -> None:  # noqa: ANN401 - moto's classes
    marker = FakeDeleteMarker(key=version)
    bucket.keys[key_name] = marker
    _send_event(bucket, _EVENT.LIFECYCLE_EXPIRATION_DELETE_MARKER_CREATED_EVENT, marker)


def _send_event(bucket: Any, event: Any, version: Any) -> None:  # noqa: ANN401 - moto's classes
    notifications.send_event(ACCOUNT, event, bucket, version)


def _age(moment: datetime) -> float:
    """Return the age in days."""
    return (datetime.now(UTC).replace(tzinfo=None) - moment.replace(tzinfo=None)) / timedelta(days=1)
