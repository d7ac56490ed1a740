"""Keys of the results of an upload, as the function forms them."""

import hashlib
import re

KEY_BYTES_MAX = 1024
"""S3 User Guide, "Creating object key names"."""
LAYOUT = {
    "output_path": ("processed/", ".parquet"),
    "rejected_path": ("rejected/", ".jsonl"),
    "profile_path": ("processed/_profiles/", ".json"),
}
"""Prefix and ending of each kind of result, by the attribute of the job record that has its key."""
_HASHED = re.compile(r"~[0-9a-f]{64}\Z")
_TAIL_BYTES = 65
"""The length of a hashed name's end."""


def output_key(kind: str, key: str) -> str:
    """Return the key of one kind of result of an upload."""
    prefix, ending = LAYOUT[kind]
    room = KEY_BYTES_MAX - len(prefix) - len(ending)
    if len(key.encode()) > room or _HASHED.search(key):
        tail = "~" + hashlib.sha256(key.encode()).hexdigest()
        key = key.encode()[: room - len(tail)].decode(errors="ignore") + tail
    return prefix + key + ending


def output_keys(key: str) -> dict[str, str]:
    """Return the keys of all possible results of an upload, by kind."""
    return {kind: output_key(kind, key) for kind in LAYOUT}


def listing_prefix(kind: str, prefix: str) -> str:
    """Return a prefix that the results of one kind have for all uploads whose keys begin with `prefix`.

    The results of other uploads may have it too: a long key is cut, and `_profiles/` can begin a key.
    """
    begin, ending = LAYOUT[kind]
    room = KEY_BYTES_MAX - len(begin) - len(ending) - _TAIL_BYTES
    return begin + prefix.encode()[:room].decode(errors="ignore")


def source_name(output: str) -> str | None:
    """Return the key of the upload that a result belongs to, or its beginning and `~` and its hash.

    None if the key is not one of a result.
    """
    for prefix, ending in sorted(LAYOUT.values(), key=lambda layout: -len(layout[0])):
        if output.startswith(prefix) and output.endswith(ending):
            return output[len(prefix) : len(output) - len(ending)]
    return None


def source_key(output: str) -> str | None:
    """Return the key of the upload that a result belongs to; None if the result's key has only its hash."""
    name = source_name(output)
    return None if name is None or _HASHED.search(name) else name
