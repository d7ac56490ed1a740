"""Items of the job table, by id: job records and registers."""

import hashlib
import time
from collections.abc import Iterable
from typing import Any

from ops.batches import batched
from ops.deployed_stacks import Stack

Item = dict[str, Any]


def job_id(bucket: str, key: str, version_id: str) -> str:
    """Return the id of the job of one version of an object, as the function forms it."""
    return _digest(bucket, key, version_id)


def deletion_job_id(bucket: str, key: str, version_id: str, kind: str, sequencer: str) -> str:
    """Return the id of the job of a deletion, as the function forms it."""
    return _digest(bucket, key, version_id, kind, sequencer)


def _digest(*parts: str) -> str:
    # A dead letter can hold any text, also lone surrogates, which no key has.
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:32]


def get(stack: Stack, identifier: str) -> Item | None:
    """Return the job record; None if it does not exist."""
    job = stack.jobs.get_item(Key={"job_id": identifier}).get("Item")
    return job if job and _is_current(job) else None


def _is_current(item: Item) -> bool:
    """Whether an item has not expired: DynamoDB deletes expired items days later (Developer Guide, "TTL")."""
    return "expires_at" not in item or float(item["expires_at"]) > time.time()


def get_many(stack: Stack, identifiers: Iterable[str]) -> dict[str, Item]:
    """Return the existing job records, by id."""
    found: dict[str, Item] = {}
    for batch in batched(sorted(set(identifiers)), 100):  # BatchGetItem's limit
        keys = [{"job_id": identifier} for identifier in batch]
        while keys:
            answer = stack.jobs.meta.client.batch_get_item(RequestItems={stack.table: {"Keys": keys}})
            found |= {
                job["job_id"]: job for job in answer["Responses"].get(stack.table, []) if _is_current(job)
            }
            keys = answer.get("UnprocessedKeys", {}).get(stack.table, {}).get("Keys", [])
    return found


def register_id(bucket: str, key: str) -> str:
    """Return the id of a key's register, as the function forms it."""
    return "latest#" + _digest(bucket, key)
