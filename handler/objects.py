"""Conditional writes of the published objects."""

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
    """The object that is under an output's key."""

    etag: str
    checksum: str | None
    job_id: str | None
    source_version_id: str | None
    generation: int | None


class Bucket:
    """The part of the deployment's bucket that the system writes."""

    def __init__(self, client: "BaseClient", name: str) -> None:
        self._client: Any = client
        self._name = name

    def find(self, key: str) -> Published | None:
        """Return the object that is published under a key, if there is one."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error_code(error) not in GONE:
                raise
            return None
        metadata = answer["Metadata"]
        generation = metadata.get("generation", "")
        return Published(
            etag=answer["ETag"],
            checksum=answer.get("ChecksumSHA256"),
            job_id=metadata.get("job-id"),
            source_version_id=metadata.get("source-version-id"),
            generation=int(generation) if generation.isdecimal() else None,
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
        """Publish a file, if the key still holds the object that it replaces.

        It is one PutObject, never a multipart upload: nothing is visible before it is complete, and a process
        that dies leaves no parts behind.

        Args:
            key: The output's key.
            file: The file.
            checksum: The file's SHA-256, as `checksum` returns it.
            content_type: The output's content type.
            metadata: The output's metadata.
            replacing: The object to replace; None if there is none.

        Returns:
            Whether it was published; False if the key holds something else by now.
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
        """Delete an object, if it still is under its key. Its version stays as a noncurrent one.

        Returns:
            Whether it was deleted; False if the key holds something else by now.
        """
        return _conditional(
            lambda: self._client.delete_object(Bucket=self._name, Key=key, IfMatch=published.etag)
        )


def checksum(file: Path) -> str:
    """Return the SHA-256 of a file in base64, as S3 writes it."""
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
