"""The outputs of one key, which never go back to those of an earlier generation of the key's register.

An output is written on condition that its key is empty, or holds exactly the object that was read before the
register was read. If two jobs write at once, the older job's write fails or comes before the newer job's.
Otherwise the older job deletes what it wrote: it reads the register again after its last write.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from faults import DeliveryError
from objects import Bucket, Published, checksum
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
"""The prefixes of all outputs."""


class SupersededError(Exception):
    """The register names another version or job by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    """The job that publishes the outputs, and the version that it reads."""

    job_id: str
    version_id: str
    generation: int
    """Of the key's register."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Return the metadata of each published object."""
        return {
            "job-id": self.job_id,
            "source-version-id": self.version_id,
            "generation": str(self.generation),
        }


def output_key(output: Output, key: str) -> str:
    """Return the key of an output of the object with this key; no two keys share one.

    A key that is too long for the prefix and the ending is cut, and `~` and its SHA-256 are appended. A key
    that itself ends in `~` and 64 hexadecimal digits is named the same way, so that no two names can meet.
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
        self, files: Mapping[Output, Path], *, still_held: Callable[[], bool], fresh: bool
    ) -> Mapping[Output, str]:
        """Publish these files, and delete the other outputs of the key.

        Args:
            files: The file of each output to publish.
            still_held: Returns whether the key's register still names what the job works for.
            fresh: Whether nothing can have been published for this key before.

        Returns:
            The keys of the published outputs.

        Raises:
            SupersededError: The register names something else by now.
        """
        for output in Output:
            self._replace(output, files.get(output), still_held, fresh=fresh)
        # A job that changed the register before the last write may not have seen that write. A job that
        # changes it later will see it.
        if not still_held():
            raise SupersededError
        return {output: output_key(output, self._key) for output in files}

    def keep(self, since: int, *, still_held: Callable[[], bool]) -> None:
        """Delete all outputs but those of the author's version, made in this generation or a later one.

        Args:
            since: The generation.
            still_held: Returns whether the key's register still names what the job works for.

        Raises:
            SupersededError: The register names something else by now.
        """
        for output in Output:
            self._replace(output, None, still_held, fresh=False, keep_since=since)

    def withdraw(self) -> None:
        """Delete the outputs that this job has published."""
        for output in Output:
            key = output_key(output, self._key)
            published = self._bucket.find(key)
            if published is not None and published.job_id == self._author.job_id:
                # This fails only if the output has changed: then it is another job's.
                self._bucket.delete(key, published)

    def published_since(self, generation: int) -> Mapping[Output, str]:
        """Return the keys of the outputs, if the author made them all in this generation or a later one."""
        found = {output: self._bucket.find(output_key(output, self._key)) for output in Output}
        published = {output: each for output, each in found.items() if each is not None}
        if not all(
            each.job_id == self._author.job_id and self._is_since(each, generation)
            for each in published.values()
        ):
            return {}
        return {output: output_key(output, self._key) for output in published}

    def _is_since(self, published: Published, generation: int) -> bool:
        """Return whether an output is of the author's version, made in this generation or a later one."""
        if published.source_version_id != self._author.version_id:
            return False
        # Programs before 1.1 wrote no generation.
        return published.generation is None or published.generation >= generation

    def _replace(
        self,
        output: Output,
        file: Path | None,
        still_held: Callable[[], bool],
        *,
        fresh: bool,
        keep_since: int | None = None,
    ) -> None:
        key = output_key(output, self._key)
        digest = checksum(file) if file else None
        published = None if fresh else self._bucket.find(key)
        for _ in range(_ROUNDS):
            if published is not None:
                if digest is not None and published.checksum == digest:
                    return
                if keep_since is not None and self._is_since(published, keep_since):
                    return
                # The register is read after the output: what a later generation writes from now on differs
                # from what was read, so that the conditional write below fails.
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
        raise DeliveryError(f"{output} output: other deliveries kept changing it")
