"""The certificate of an erasure: what was deleted, when and by whom, and what expires later."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.deployed_stacks import Stack
from ops.erase import Erasure, Target, sha256
from ops.operator_errors import OpsError

_RECOVERY_DAYS = 35
"""DynamoDB's default (Developer Guide, "Point-in-time recovery")."""
NOT_ERASED = (
    "rows about the person within other uploads: an erasure is of whole uploads",
    "copies outside of the bucket",
)


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """Data that an erasure cannot delete, and when it expires."""

    what: str
    until: datetime | None
    """None if it does not expire."""


@dataclass(kw_only=True)
class Certificate:
    """The record of an erasure, which names keys by their SHA-256."""

    path: Path
    stack: Stack
    target: Target
    by: str
    """The ARN of the caller."""
    began_at: datetime
    erasure: Erasure = field(default_factory=Erasure)
    earlier: Mapping[str, Any] = field(default_factory=dict)
    """The document of an interrupted run."""
    ended_at: datetime | None = None
    verified: bool = False

    def document(self) -> dict[str, Any]:
        """Return the certificate as JSON values."""
        erased = Counter(self.earlier.get("erased", {})) + self.erasure.erased
        keys = {entry["sha256"]: Counter(entry["erased"]) for entry in self.earlier.get("keys", [])}
        for key, counts in self.erasure.keys.items():
            keys[sha256(key)] = keys.get(sha256(key), Counter()) + counts
        return {
            "certificate": "erasure of uploads",
            "stack": self.stack.name,
            "account": self.stack.account,
            "region": self.stack.region,
            "bucket": self.stack.bucket,
            "table": self.stack.table,
            "target": {
                "kind": "prefix" if self.target.is_prefix else "key",
                "sha256": sha256(self.target.text),
            },
            "by": self.by,
            "began_at": self.began_at.isoformat(timespec="seconds"),
            "ended_at": self.ended_at.isoformat(timespec="seconds") if self.ended_at else None,
            "complete": self.erasure.complete,
            "verified": self.verified,
            "erased": dict(erased),
            "keys": [{"sha256": digest, "erased": dict(counts)} for digest, counts in sorted(keys.items())],
            "fades": [
                {"what": each.what, "until": each.until.isoformat(timespec="seconds") if each.until else None}
                for each in expiries(self.stack, self.ended_at or datetime.now(UTC))
            ],
            "not_erased": list(NOT_ERASED),
        }

    def write(self) -> None:
        """Replace the file atomically.

        Raises:
            OpsError: The file cannot be written.
        """
        try:
            with tempfile.NamedTemporaryFile(
                "w", dir=self.path.parent, prefix=f".{self.path.name}-", delete=False, encoding="utf-8"
            ) as file:
                json.dump(self.document(), file, indent=1)
            Path(file.name).replace(self.path)
        except OSError as error:
            raise OpsError(f"the certificate {self.path} cannot be written: {error.strerror}") from None


def begin(stack: Stack, target: Target, path: Path, resumed: Path | None) -> Certificate:
    """Start a certificate, or continue that of an interrupted run.

    Raises:
        OpsError: The file exists, or is the certificate of another stack or target.
    """
    earlier: Mapping[str, Any] = {}
    if resumed is not None:
        earlier = _read(resumed, stack, target)
        path = resumed
    elif path.exists():
        raise OpsError(
            f"--certificate {path}: the file exists; choose another name, or continue it with --resume"
        )
    return Certificate(
        path=path,
        stack=stack,
        target=target,
        by=stack.client("sts").get_caller_identity()["Arn"],
        began_at=datetime.fromisoformat(earlier["began_at"]) if earlier else datetime.now(UTC),
        earlier=earlier,
    )


def _read(path: Path, stack: Stack, target: Target) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        digest = document["target"]["sha256"]
        place = (document["account"], document["bucket"])
    except OSError as error:
        raise OpsError(f"--resume {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise OpsError(f"--resume {path} must be the certificate of an interrupted erasure") from None
    if place != (stack.account, stack.bucket):
        raise OpsError(
            f"--resume {path} is the certificate of account {place[0]}, bucket {place[1]}; got stack"
            f" {stack.name} of account {stack.account}, bucket {stack.bucket}"
        )
    if digest != sha256(target.text):
        raise OpsError(f"--resume {path} is the certificate of another key or prefix than {target.text!r}")
    return document


def expiries(stack: Stack, since: datetime) -> list[Expiry]:
    """Return the data that an erasure cannot delete: keys and old versions of records, which expire later."""
    return [
        _expiry("keys in the function's log", lambda: _log_days(stack), since),
        _expiry("records, in the table's point-in-time recovery", lambda: _recovery_days(stack), since),
        _expiry("keys in messages of the queue", lambda: _queue_days(stack, stack.queue_url), since),
        _expiry(
            "keys in messages of the dead-letter queues",
            lambda: max(
                _queue_days(stack, url)
                for url in (stack.dead_letter_queue_url, stack.delivery_dead_letter_queue_url)
            ),
            since,
        ),
        *(
            [
                Expiry(what="results of queries in Athena", until=since + timedelta(days=1)),
                Expiry(what="texts of queries in Athena's history", until=since + timedelta(days=45)),
            ]
            if stack.database
            else []
        ),
    ]


def _expiry(what: str, days: Callable[[], float | None], since: datetime) -> Expiry:
    try:
        kept = days()
    except ClientError as error:
        return Expiry(what=f"{what} (retention unknown: {error.response['Error']['Code']})", until=None)
    return Expiry(what=what, until=None if kept is None else since + timedelta(days=kept))


def _log_days(stack: Stack) -> float | None:
    groups = stack.client("logs").describe_log_groups(logGroupNamePrefix=stack.log_group)["logGroups"]
    return next(
        (each.get("retentionInDays") for each in groups if each["logGroupName"] == stack.log_group), None
    )


def _recovery_days(stack: Stack) -> float:
    described = stack.client("dynamodb").describe_continuous_backups(TableName=stack.table)
    recovery = described["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        return 0
    return recovery.get("RecoveryPeriodInDays", _RECOVERY_DAYS)


def _queue_days(stack: Stack, url: str) -> float:
    names = ["MessageRetentionPeriod"]
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(attributes[names[0]]) / 86400
