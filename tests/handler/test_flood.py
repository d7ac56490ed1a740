"""A flood of small files at full concurrency stays within the write limit of a partition of the job index.

The arithmetic is in docs/reliability.md; the sizes here are those of the records that the handler writes.
"""

import heapq
import math
import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from components.settings_rules import MAXIMUM_CONCURRENCY
from job_records import job_id
from tests.handler.aws import FunctionProcess, Stack
from tests.handler.deliveries import batch, eventbridge

PARTITION_WRITE_UNITS = 1000
"""Per second: "each partition ... can provide up to ... 1,000 write units"
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html)."""
JOB_SECONDS = 0.12
"""The shortest time of a delivery of a small file on Lambda: see docs/reliability.md."""
KEY = "input/flights/year=2026/month=11/day=22/part-00017-of-02000.csv"


def _write_units(item: Mapping[str, Any]) -> int:
    """Return the write units of an item: one for each KB, by DynamoDB's rules for item sizes."""
    return math.ceil(sum(len(name) + _size(value) for name, value in item.items()) / 1024)


def _size(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return math.ceil(len(content) / 2) + 1
        case "L":
            return 3 + sum(1 + _size(entry) for entry in content)
        case "M":
            return 3 + sum(1 + len(name) + _size(entry) for name, entry in content.items())
        case _:
            return 1


def _flood(workers: int, started: int, finished: int, seconds: int = 60) -> Counter[tuple[str, int]]:
    """Return the write units of the index by partition and second, with all functions at full speed."""
    chance = random.Random(1)
    units: Counter[tuple[str, int]] = Counter()
    ends = [(chance.uniform(0, JOB_SECONDS), False) for _ in range(workers)]
    heapq.heapify(ends)
    while (now := ends[0][0]) < seconds:
        second = int(now)
        if ends[0][1]:  # The job moves from one partition to the other.
            units["STARTED", second] += started
            units["COMPLETED", second] += finished
        units["STARTED", second] += started
        heapq.heapreplace(ends, (now + JOB_SECONDS * chance.uniform(0.8, 1.2), True))
    return units


@pytest.fixture
def record(stack: Stack, function: FunctionProcess) -> Mapping[str, Any]:
    """Return the job record of a small file with 60 columns."""
    names = [f"a_column_number_{number}" for number in range(60)]
    body = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"
    version = stack.upload(KEY, body.encode())
    event = batch([eventbridge(KEY, version, bucket=stack.name)])
    assert function.deliver(event, stack=stack.name).acknowledged
    return stack.items()[job_id(stack.name, KEY, version)]


def test_the_index_takes_the_writes_of_a_flood_at_the_highest_concurrency(
    record: Mapping[str, Any],
) -> None:
    finished = _write_units(record)
    units = _flood(MAXIMUM_CONCURRENCY, started=1, finished=finished)
    assert max(units.values()) <= PARTITION_WRITE_UNITS, units.most_common(3)
    assert finished == 1, "docs/reliability.md assumes a record of at most 1 KB"


def test_the_index_does_not_take_the_writes_of_twice_as_many_functions(record: Mapping[str, Any]) -> None:
    units = _flood(2 * MAXIMUM_CONCURRENCY, started=1, finished=_write_units(record))
    assert max(units.values()) > PARTITION_WRITE_UNITS
