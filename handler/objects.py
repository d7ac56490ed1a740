"""The bucket: what was uploaded, read by version, and what is published, changed only conditionally."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from faults import error_code

if TYPE_CHECKING:
    from botocore.client import BaseClient

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_DENIED = frozenset({"AccessDenied", "InvalidRequest", "403", "400"})
"""InvalidRequest, or 400 for a HEAD: the object is encrypted with a key that the request must bring along."""
_KMS = "KMS."
"""How the codes begin that S3 passes on of the object's KMS key."""
_CONFLICT = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})
_OTHERS_MAX = 5
_DELETED = "deleted before it was processed"


class GoneError(Exception):
    """The object version cannot be read any more, and no retry will change that; the text says why."""


class DeniedError(Exception):
    """S3 does not give the object to the function: because of its key, or of a policy; the text says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An uploaded object version, open for reading."""

    version_id: str
    current: bool
    """Whether it was the key's current version when it was opened."""
    etag: str
    size: int
    modified_at: float
    """Seconds since the epoch."""
    body: BinaryIO
    reopen: Callable[[], BinaryIO]
    """Opens this very version anew. Raises GoneError as ``Bucket.open`` does."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """What is under an output's key at this moment."""

    etag: str
    checksum: str | None
    job_id: str | None


class Bucket:
    """The one bucket of the deployment."""

    def __init__(self, client: "BaseClient", name: str) -> None:
        self._client: Any = client
        self._name = name

    def open(self, key: str, version_id: str) -> Source:
        """Open a version for reading, and never another than the named.

        Raises:
            GoneError: it was deleted, has expired or is archived.
            DeniedError: S3 does not give it to the function.
        """
        if not version_id:  # none could be named: there was no object already
            raise GoneError(_DELETED)
        try:
            current = self._get(key, None)
        except DeniedError:
            return self._get(key, version_id)
        if version_id == current.version_id:
            return current
        current.body.close()
        return self._get(key, version_id)

    def current_version(self, key: str) -> str | None:
        """Return the version that S3 gives for the key now; None when it is deleted.

        Raises:
            DeniedError: S3 does not tell.
        """
        try:
            return self._client.head_object(Bucket=self._name, Key=key).get("VersionId", "null")
        except ClientError as error:
            if error_code(error) in _GONE:
                return None
            _raise_if_denied(error)
            raise

    def gives_others(self, key: str) -> bool:
        """Whether S3 gives the function any other object, or there is none to ask for.

        So one object that is denied is told from a function that may read nothing any more.
        """
        refused = False
        for other in self._others(key):
            try:
                self._client.get_object(Bucket=self._name, Key=other, Range="bytes=0-0")["Body"].close()
            except ClientError as error:
                code = error_code(error)
                refused |= code in _DENIED or code.startswith(_KMS)
                if code == "InvalidRange":  # the object is empty
                    return True
            else:
                return True
        return not refused

    def _others(self, key: str) -> Iterator[str]:
        """Give the keys of a few objects: of one that the system wrote, then of uploads."""
        for prefix, count in (("processed/", 1), ("", 1 + _OTHERS_MAX)):
            listed = self._client.list_objects_v2(Bucket=self._name, Prefix=prefix, MaxKeys=count)
            for item in listed.get("Contents", []):
                if item["Key"] != key:
                    yield item["Key"]

    def _get(self, key: str, version_id: str | None) -> Source:
        named = {} if version_id is None else {"VersionId": version_id}
        try:
            answer = self._client.get_object(Bucket=self._name, Key=key, **named)
        except ClientError as error:
            code = error_code(error)
            if code in _GONE or (named and code == "MethodNotAllowed"):  # a delete marker has no GET
                raise GoneError(_DELETED) from None
            if code == "InvalidObjectState":
                raise GoneError("archived before it was processed: restore it and replay") from None
            # A version that was deleted for good may be answered with 403: without s3:ListBucketVersions, S3
            # need not say that it is missing.
            if code in _DENIED and named and not self._may_be_current(key, version_id):
                raise GoneError(_DELETED) from None
            _raise_if_denied(error)
            raise
        read = answer.get("VersionId", "null")
        return Source(
            version_id=read,
            current=version_id is None,
            etag=answer["ETag"].strip('"'),
            size=answer["ContentLength"],
            modified_at=answer["LastModified"].timestamp(),
            body=answer["Body"],
            reopen=lambda: self._get(key, read).body,
        )

    def _may_be_current(self, key: str, version_id: str | None) -> bool:
        try:
            return self.current_version(key) == version_id
        except DeniedError:
            return True

    def find(self, key: str) -> Published | None:
        """What is published under a key, if anything."""
        try:
            answer = self._client.head_object(Bucket=self._name, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            return None
        return Published(
            etag=answer["ETag"],
            checksum=answer.get("ChecksumSHA256"),
            job_id=answer["Metadata"].get("job-id"),
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

        One PutObject and never a multipart upload: nothing is visible before it is complete, and nothing is
        left behind by a process that dies. False when the key holds something else by now.
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
        """Take back exactly this (its version stays in the bucket's history); False when it has changed."""
        return _conditional(
            lambda: self._client.delete_object(Bucket=self._name, Key=key, IfMatch=published.etag)
        )


def _raise_if_denied(error: ClientError) -> None:
    code = error_code(error)
    if code in _DENIED or code.startswith(_KMS):
        raise DeniedError(
            f"S3 does not give the object to the function ({error.operation_name}: {code}): it is encrypted"
            " with a key that the function may not use, or a policy denies it"
        ) from None


def checksum(file: Path) -> str:
    """The SHA-256 of a file as S3 writes it."""
    with file.open("rb") as content:
        return base64.b64encode(hashlib.file_digest(content, "sha256").digest()).decode()


def _conditional(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        if error_code(error) not in _CONFLICT | _GONE:
            raise
        return False
    return True
