"""The uploaded objects, read by version."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from faults import GONE, DeliveryError, describe, error_code

if TYPE_CHECKING:
    from botocore.client import BaseClient

_DENIED = frozenset({"AccessDenied", "InvalidRequest", "403", "400"})
"""InvalidRequest, or 400 for a HEAD: the object is encrypted with a key that the request must provide."""
_KMS = "KMS."
"""The prefix of KMS's error codes, which S3 passes on."""
_RESULTS = "processed/"
_OTHERS_MAX = 5
_DENIALS_SURE = 3
"""The number of further denials from which the current version is really denied."""
_ARCHIVED = "archived before it was processed: restore it and replay"


class NotCurrentError(Exception):
    """The version is not the key's current one; `deleted` is true if the key has no current version."""

    def __init__(self, *, deleted: bool) -> None:
        super().__init__(
            "deleted before it was processed" if deleted else "a newer version of the key is current"
        )
        self.deleted = deleted


class UnavailableError(Exception):
    """The version exists and cannot be read now; the text says why."""

    def __init__(self, reason: str, *, current: bool) -> None:
        super().__init__(reason)
        self.current = current
        """Whether S3 says that the version is current."""


class ArchivedError(UnavailableError):
    """The version is archived and not restored."""


class DeniedError(UnavailableError):
    """S3 denies the version to the function, because of its encryption or of a policy."""


class UnknownCurrentVersionError(DeliveryError):
    """S3 denies which version is current."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """An uploaded object version, open for reading."""

    version_id: str
    etag: str
    size: int
    modified_at: float
    """Seconds since the epoch."""
    body: BinaryIO
    reopen: Callable[[], BinaryIO]
    """Opens the same version again. Raises the errors of `Uploads.open`."""


class Uploads:
    """The uploads in the deployment's bucket."""

    def __init__(self, client: "BaseClient", bucket: str) -> None:
        self._client: Any = client
        self._name = bucket

    def open(self, key: str, version_id: str) -> Source:
        """Open a version for reading, if it is the key's current one.

        Raises:
            NotCurrentError: The version is not current, or not any more.
            UnavailableError: The version cannot be read now.
        """
        try:
            source = self._get(key, None)
        except ClientError as error:
            raise self._explain(error, key, version_id) from None
        if source.version_id == version_id:
            return source
        source.body.close()
        raise NotCurrentError(deleted=False)

    def current_version(self, key: str) -> str | None:
        """Return the version that is current now; None if there is none.

        Raises:
            UnknownCurrentVersionError: S3 denies the request.
        """
        # A HEAD without checksums needs no right to the object's KMS key, and works for archived objects.
        try:
            return self._client.head_object(Bucket=self._name, Key=key).get("VersionId", "null")
        except ClientError as error:
            code = error_code(error)
            if code in GONE:
                return None
            if code in _DENIED:
                raise UnknownCurrentVersionError(
                    f"S3 does not say which version is current: {describe(error)}"
                ) from None
            raise

    def _get(self, key: str, version_id: str | None) -> Source:
        named = {} if version_id is None else {"VersionId": version_id}
        answer = self._client.get_object(Bucket=self._name, Key=key, **named)
        read = answer.get("VersionId", "null")
        return Source(
            version_id=read,
            etag=answer["ETag"].strip('"'),
            size=answer["ContentLength"],
            modified_at=answer["LastModified"].timestamp(),
            body=answer["Body"],
            reopen=lambda: self._reopen(key, read),
        )

    def _reopen(self, key: str, version_id: str) -> BinaryIO:
        try:
            return self._get(key, version_id).body
        except ClientError as error:
            raise self._explain(error, key, version_id) from None

    def _explain(self, error: ClientError, key: str, version_id: str) -> Exception:
        """Return what an error of S3 means for the version; the error itself if it is one of the platform.

        For a version that was deleted permanently, S3 may answer 403 as well as 404: without
        s3:ListBucketVersions, it need not say that the version is missing. So the current version is read.
        """
        code = error_code(error)
        archived = code == "InvalidObjectState"
        denied = code in _DENIED or code.startswith(_KMS)
        if not (code in GONE or archived or denied):
            return error
        try:
            current = self.current_version(key)
        except UnknownCurrentVersionError:
            if self._can_be_read(key, version_id):
                return self._explain_readable(key)
            current = ""
        if current not in (version_id, ""):
            return NotCurrentError(deleted=current is None)
        if archived:
            return ArchivedError(_ARCHIVED, current=bool(current))
        if denied:
            reason = (
                f"S3 denies the object to the function ({error.operation_name}: {code}): it is"
                " encrypted with a key that the function may not use, or a policy denies it"
            )
            return DeniedError(reason, current=bool(current))
        return error  # S3 says both that it is gone and that it is current: the next delivery asks again.

    def _explain_readable(self, key: str) -> Exception:
        """Return what it means that a version can be read, and the current one was denied.

        Either another version is current, or the denial has ended. While a change of a policy propagates, S3
        denies some requests and not others. So S3 is asked several times.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
        """
        for _ in range(_DENIALS_SURE):
            try:
                self.current_version(key)
            except UnknownCurrentVersionError:
                continue
            return DeliveryError("S3 denied the object, and now does not")
        return NotCurrentError(deleted=False)

    def _can_be_read(self, key: str, version_id: str) -> bool:
        try:
            self._get(key, version_id).body.close()
        except ClientError as error:
            code = error_code(error)
            if code in GONE | _DENIED or code.startswith(_KMS) or code == "InvalidObjectState":
                return False
            raise
        return True

    def can_read_others(self, key: str) -> bool:
        """Return whether the function can read another object, or there is no other object.

        This distinguishes a denied object from a function that may not read any object.
        """
        refused = False
        for other in self._others(key):
            try:
                self._client.get_object(Bucket=self._name, Key=other, Range="bytes=0-0")["Body"].close()
            except ClientError as error:
                code = error_code(error)
                refused |= code in _DENIED or code.startswith(_KMS)
                if code == "InvalidRange":  # The object is empty.
                    return True
            else:
                return True
        return not refused

    def _others(self, key: str) -> Iterator[str]:
        """Yield the keys of a few objects: one that the system wrote, then uploads."""
        for prefix, count in ((_RESULTS, 1), ("", 1 + _OTHERS_MAX)):
            listed = self._client.list_objects_v2(Bucket=self._name, Prefix=prefix, MaxKeys=count)
            for item in listed.get("Contents", []):
                if item["Key"] != key:
                    yield item["Key"]
