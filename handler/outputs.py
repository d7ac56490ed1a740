"""The outputs of one key: they change only from those of one generation of its register to a later one's.

Each output is a register in S3. It is written on condition that it holds nothing, or exactly what was seen
there before the key's register was read again. So of two jobs at work at once, the older one's write fails,
or comes before the newer one's, or is taken back by the job itself, which reads the register once more after
its last write.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from faults import DeliveryError
from objects import Bucket, checksum
from s3_events import KEY_BYTES_MAX

_ROUNDS = 5
_HASHED = re.compile(r"~[0-9a-f]{64}\Z")


class Output(StrEnum):
    """The kinds of output of one object."""

    PARQUET = "parquet"
    REJECTS = "rejects"
    PROFILE = "profile"


_LAYOUT = {
    Output.PARQUET: ("processed/", ".parquet", "application/vnd.apache.parquet"),
    Output.REJECTS: ("rejected/", ".jsonl", "application/x-ndjson"),
    Output.PROFILE: ("processed/_profiles/", ".json", "application/json"),
}


PREFIXES = ("processed/", "rejected/")
"""What the keys of all outputs begin with."""


class SupersededError(Exception):
    """The outputs are to be others by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """Whose outputs they are."""

    job_id: str
    version_id: str

    @property
    def metadata(self) -> Mapping[str, str]:
        """Of each object published."""
        return {"job-id": self.job_id, "source-version-id": self.version_id}


def output_key(output: Output, key: str) -> str:
    """Return the key of an output of the object with this key; no two keys have one output.

    A key that leaves no room for prefix and ending keeps its beginning and ends with `~` and its SHA-256. So
    that such a name is always of the key whose hash it has, a key that itself ends so is named the same way.
    """
    prefix, ending, _ = _LAYOUT[output]
    room = KEY_BYTES_MAX - len(prefix) - len(ending)
    if len(key.encode()) > room or _HASHED.search(key):
        tail = "~" + hashlib.sha256(key.encode()).hexdigest()
        key = key.encode()[: room - len(tail)].decode(errors="ignore") + tail
    return prefix + key + ending


class Outputs:
    """The outputs of one key, as one job may change them."""

    def __init__(self, bucket: Bucket, key: str, author: Author) -> None:
        self._bucket = bucket
        self._key = key
        self._author = author

    def publish(
        self, files: Mapping[Output, Callable[[], Path]], *, still_held: Callable[[], bool], fresh: bool
    ) -> Mapping[Output, str]:
        """Make the outputs exactly these files; all others are taken away.

        Args:
            files: the outputs that there are, each asked for when it is its turn.
            still_held: whether the key's register still holds what the job works for.
            fresh: whether nothing can have been published for this key before.

        Returns:
            the keys of what was published.

        Raises:
            SupersededError: the register holds something else by now.
        """
        for output in Output:
            file = files[output]() if output in files else None
            self._settle(output, file, still_held, fresh=fresh)
        # After the last write: who moved the register before has not seen it, who moves it later will.
        if not still_held():
            raise SupersededError
        return {output: output_key(output, self._key) for output in files}

    def keep_only(self, version_id: str, *, still_held: Callable[[], bool]) -> None:
        """Take away what was made of other versions than this one.

        Raises:
            SupersededError: the register holds something else by now.
        """
        for output in Output:
            self._settle(output, None, still_held, fresh=False, keep=version_id)

    def withdraw(self) -> None:
        """Take back what this job has published, if it still is there."""
        for output in Output:
            key = output_key(output, self._key)
            published = self._bucket.find(key)
            if published is not None and published.job_id == self._author.job_id:
                # Refused only when it has changed, and then it is another's.
                self._bucket.delete(key, published)

    def _settle(
        self,
        output: Output,
        file: Path | None,
        still_held: Callable[[], bool],
        *,
        fresh: bool,
        keep: str | None = None,
    ) -> None:
        key = output_key(output, self._key)
        digest = checksum(file) if file else None
        published = None if fresh else self._bucket.find(key)
        for _ in range(_ROUNDS):
            if published is not None:
                if digest is not None and published.checksum == digest:
                    return
                if keep is not None and published.source_version_id == keep:
                    return
                # After it was seen: what a later generation writes from here on is not what was seen.
                if not still_held():
                    raise SupersededError
            if file is None or digest is None:
                if published is None or self._bucket.delete(key, published):
                    return
            elif self._bucket.put(
                key,
                file,
                checksum=digest,
                content_type=_LAYOUT[output][2],
                metadata=self._author.metadata,
                replacing=published,
            ):
                return
            published = self._bucket.find(key)
        raise DeliveryError(f"{output} output: others kept changing it")
