"""Ask Athena a question about the datasets of one stack."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

POLL_SECONDS = 0.5
BILLED_BYTES_MIN = 10_000_000
DOLLARS_PER_TERABYTE = 5.0
"""Amazon Athena pricing: data scanned by SQL queries, at least 10 MB each, in the three regions of the stack
files. What it costs elsewhere, the page tells."""

_REPLACED = re.compile("Incorrect fileSize|key does not exist", re.IGNORECASE)
"""What Athena says when an object was replaced while it was being read."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The rows that a query gives, and what it took.

    Attributes:
        columns: Their names.
        rows: Their values as Athena writes them; None is null.
        scanned_bytes: Bytes that Athena read.
    """

    columns: Sequence[str]
    rows: Iterator[Sequence[str | None]]
    scanned_bytes: int

    @property
    def dollars(self) -> float:
        """What the query costs by the list price."""
        return max(self.scanned_bytes, BILLED_BYTES_MIN) / 1e12 * DOLLARS_PER_TERABYTE


def workgroup_for(stack: Stack, statement: str, dataset: str | None) -> str:
    """Return the workgroup that a query runs in: of the dataset that is named, or that the SQL names first.

    Raises:
        OpsError: The stack has no such dataset, or the SQL names none.
    """
    known = ", ".join(stack.datasets) or "none: set regional-analytics:datasets"
    if dataset is not None:
        if dataset not in stack.datasets:
            raise OpsError(f"stack {stack.name} has no dataset {dataset!r}; it has {known}")
        return stack.datasets[dataset]["workgroup"]
    tables = {
        entry[kind]: entry for entry in stack.datasets.values() for kind in ("table", "view") if kind in entry
    }
    for word in re.findall(r"\w+", statement.lower()):
        if word in tables:
            return tables[word]["workgroup"]
    raise OpsError(f"the query names no dataset of stack {stack.name}; it has {known}")


def ask(
    stack: Stack, statement: str, workgroup: str, on_progress: Callable[[str, int], None] = lambda *_: None
) -> Answer:
    """Run a query and return its answer; once more if an object was replaced meanwhile.

    Args:
        stack: The stack whose database is asked.
        statement: The SQL.
        workgroup: The workgroup that the query runs in.
        on_progress: Called with the state and the bytes scanned so far.

    Raises:
        OpsError: The query fails; with Athena's reason.
    """
    for attempt in (1, 2):
        execution = _run(stack, statement, workgroup, on_progress)
        status = execution["Status"]
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        if status["State"] == "SUCCEEDED":
            rows = _rows(stack, execution["QueryExecutionId"])
            return Answer(columns=[name or "" for name in next(rows)], rows=rows, scanned_bytes=scanned)
        reason = status.get("StateChangeReason", "no reason")
        if attempt == 2 or not _REPLACED.search(reason):
            break
    raise OpsError(f"the query {status['State'].lower()} in {stack.region}: {reason}")


def _run(
    stack: Stack, statement: str, workgroup: str, on_progress: Callable[[str, int], None]
) -> dict[str, Any]:
    athena = stack.client("athena")
    started = athena.start_query_execution(
        QueryString=statement,
        QueryExecutionContext={"Catalog": "AwsDataCatalog", "Database": stack.database},
        WorkGroup=workgroup,
    )
    identifier = started["QueryExecutionId"]
    try:
        while True:
            execution = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            state = execution["Status"]["State"]
            on_progress(state, execution.get("Statistics", {}).get("DataScannedInBytes", 0))
            if state not in ("QUEUED", "RUNNING"):
                return execution
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        # What it has scanned is billed; what it would scan is not.
        athena.stop_query_execution(QueryExecutionId=identifier)
        raise


def _rows(stack: Stack, identifier: str) -> Iterator[Sequence[str | None]]:
    """Yield the rows of the result; the first holds the columns' names."""
    pages = stack.client("athena").get_paginator("get_query_results").paginate(QueryExecutionId=identifier)
    for page in pages:
        for row in page["ResultSet"]["Rows"]:
            yield [cell.get("VarCharValue") for cell in row["Data"]]
