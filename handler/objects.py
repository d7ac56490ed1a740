"""What is published in the bucket: changed only if it still is what was seen."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from faults import GONE, error_code

if TYPE_CHECKING:
    from botocore.client import BaseClient

_CONFLICT = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "OperationAborted", "409"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What is under an output's key at this moment."""

    etag: str
    checksum: str | None
    job_id: str | None
    source_version_id: str | None


class Bucket:
    """The bucket of the deployment, as far as the system writes to it."""

    def __init__(self, client: "BaseClient", name: str) -> None:
        self._client: Any = client
        self._name = name

    def find(self, key: str) -> Published | None:
        """Return what is published under a key, if anything."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error_code(error) not in GONE:
                raise
            return None
        return Published(
            etag=answer["ETag"],
            checksum=answer.get("ChecksumSHA256"),
            job_id=answer["Metadata"].get("job-id"),
            source_version_id=answer["Metadata"].get("source-version-id"),
        )

    def put(
        self,
        key: str,
        file: Path,
        *,
        checksum: str,
        content_type: str,
        metadata: Mapping[str, str],
        replacing: Published | None,
    ) -> bool:
        """Publish a file whole, if the key still holds exactly what it is to replace (None: nothing).

        It is one PutObject and never a multipart upload: nothing is visible before it is complete, and a
        process that dies leaves no parts behind.

        Returns:
            False when the key holds something else by now.
        """
        condition = {"IfNoneMatch": "*"} if replacing is None else {"IfMatch": replacing.etag}

        def call() -> None:
            with file.open("rb") as body:
                self._client.put_object(
                    Bucket=self._name,
                    Key=key,
                    Body=body,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum,
                    ContentType=content_type,
                    Metadata=dict(metadata),
                    **condition,
                )

        return _conditional(call)

    def delete(self, key: str, published: Published) -> bool:
        """Delete exactly this, whose version stays in the bucket's history.

        Returns:
            False when the key holds something else by now.
        """
        return _conditional(
            lambda: self._client.delete_object(Bucket=self._name, Key=key, IfMatch=published.etag)
        )


def checksum(file: Path) -> str:
    """Return the SHA-256 of a file as S3 writes it."""
    with file.open("rb") as content:
        return base64.b64encode(hashlib.file_digest(content, "sha256").digest()).decode()


def _conditional(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        if error_code(error) not in _CONFLICT | GONE:
            raise
        return False
    return True
