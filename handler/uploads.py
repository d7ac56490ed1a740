"""What was uploaded: read by version, and never another version than the one that is meant."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from faults import GONE, DeliveryError, describe, error_code

if TYPE_CHECKING:
    from botocore.client import BaseClient

_DENIED = frozenset({"AccessDenied", "InvalidRequest", "403", "400"})
"""InvalidRequest, or 400 for a HEAD: the object is encrypted with a key that the request must bring along."""
_KMS = "KMS."
"""How the codes begin that S3 passes on of the object's KMS key."""
_RESULTS = "processed/"
_OTHERS_MAX = 5
_ARCHIVED = "archived before it was processed: restore it and replay"


class NotCurrentError(Exception):
    """The version is not the key's current one; `deleted` tells whether there is none."""

    def __init__(self, *, deleted: bool) -> None:
        super().__init__(
            "deleted before it was processed" if deleted else "a newer version of the key is there"
        )
        self.deleted = deleted


class UnavailableError(Exception):
    """The version cannot be read now, though it is there; the text says why."""

    def __init__(self, reason: str, *, current: bool) -> None:
        super().__init__(reason)
        self.current = current
        """Whether S3 says that it is the key's current version."""


class ArchivedError(UnavailableError):
    """The version is in an archive class, and not restored."""


class DeniedError(UnavailableError):
    """S3 does not give the version to the function: because of its encryption, or of a policy."""


class UntoldError(DeliveryError):
    """S3 does not tell which version is current."""


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
    """Opens this very version anew. Raises as ``Bucket.open`` does."""


class Uploads:
    """The uploads in the deployment's bucket."""

    def __init__(self, client: "BaseClient", bucket: str) -> None:
        self._client: Any = client
        self._name = bucket

    def open(self, key: str, version_id: str) -> Source:
        """Open the key's current version for reading, if it is the named one.

        Raises:
            NotCurrentError: it is not, or not any more.
            UnavailableError: it cannot be read now.
        """
        try:
            source = self._get(key, None)
        except ClientError as error:
            raise self._why(error, key, version_id) from None
        if source.version_id == version_id:
            return source
        source.body.close()
        raise NotCurrentError(deleted=False)

    def current_version(self, key: str) -> str | None:
        """Return the version that is current now; None when the key is deleted.

        Raises:
            UntoldError: S3 denies the answer.
        """
        # A HEAD without checksums needs no right to the object's KMS key, and archived objects answer it too.
        try:
            return self._client.head_object(Bucket=self._name, Key=key).get("VersionId", "null")
        except ClientError as error:
            code = error_code(error)
            if code in GONE:
                return None
            if code in _DENIED:
                raise UntoldError(f"S3 does not tell which version is current: {describe(error)}") from None
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
            raise self._why(error, key, version_id) from None

    def _why(self, error: ClientError, key: str, version_id: str) -> Exception:
        """Return what it means that S3 did not give the object: of the version, not of the platform.

        A version that was deleted for good may be answered with 403 as well as 404: without
        s3:ListBucketVersions, S3 need not say that it is missing. So the current version is asked for.
        """
        code = error_code(error)
        archived = code == "InvalidObjectState"
        denied = code in _DENIED or code.startswith(_KMS)
        if not (code in GONE or archived or denied):
            return error
        try:
            current = self.current_version(key)
        except UntoldError:
            # Then it is denied as well. What can be read by its version is another one.
            if self._can_be_read(key, version_id):
                return NotCurrentError(deleted=False)
            current = ""
        if current not in (version_id, ""):
            return NotCurrentError(deleted=current is None)
        if archived:
            return ArchivedError(_ARCHIVED, current=bool(current))
        if denied:
            reason = (
                f"S3 does not give the object to the function ({error.operation_name}: {code}): it is"
                " encrypted with a key that the function may not use, or a policy denies it"
            )
            return DeniedError(reason, current=bool(current))
        return error  # S3 says that it is gone, and that it is current: asked anew, it will decide

    def _can_be_read(self, key: str, version_id: str) -> bool:
        try:
            self._get(key, version_id).body.close()
        except ClientError as error:
            code = error_code(error)
            if code in GONE | _DENIED or code.startswith(_KMS) or code == "InvalidObjectState":
                return False
            raise
        return True

    def gives_others(self, key: str) -> bool:
        """Whether S3 gives the function any other object, or there is none to ask for.

        It tells one object that is denied from a function that may read nothing any more.
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
        for prefix, count in ((_RESULTS, 1), ("", 1 + _OTHERS_MAX)):
            listed = self._client.list_objects_v2(Bucket=self._name, Prefix=prefix, MaxKeys=count)
            for item in listed.get("Contents", []):
                if item["Key"] != key:
                    yield item["Key"]
