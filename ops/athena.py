"""Run queries in Athena on the datasets of one stack."""

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
"""Amazon Athena pricing, "SQL queries": price per terabyte scanned, at least 10 MB for each query, in the
three regions of the stack files. Prices of other regions may differ."""

_REPLACED = re.compile("Incorrect fileSize|key does not exist", re.IGNORECASE)
"""Reasons that Athena gives when an object was replaced while the query read it."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of a query, and how much it scanned.

    Attributes:
        columns: Names of the columns.
        rows: Values as Athena formats them; None is null.
        scanned_bytes: Bytes that Athena read.
    """

    columns: Sequence[str]
    rows: Iterator[Sequence[str | None]]
    scanned_bytes: int

    @property
    def dollars(self) -> float:
        """The list price of the query in US dollars."""
        return max(self.scanned_bytes, BILLED_BYTES_MIN) / 1e12 * DOLLARS_PER_TERABYTE


def workgroup_for(stack: Stack, statement: str, dataset: str | None) -> str:
    """Return the workgroup of the given dataset, or else of the first dataset in the SQL.

    Raises:
        OpsError: The stack does not have the dataset, or the SQL names none.
    """
    known = ", ".join(stack.datasets) or "none: set regional-analytics:datasets"
    if dataset is not None:
        if dataset not in stack.datasets:
            raise OpsError(f"stack {stack.name} has no dataset {dataset!r}; its datasets: {known}")
        return stack.datasets[dataset]["workgroup"]
    tables = {
        entry[kind]: entry for entry in stack.datasets.values() for kind in ("table", "view") if kind in entry
    }
    for word in re.findall(r"\w+", statement.lower()):
        if word in tables:
            return tables[word]["workgroup"]
    raise OpsError(f"the query names no dataset of stack {stack.name}; its datasets: {known}")


def run_query(
    stack: Stack, statement: str, workgroup: str, on_progress: Callable[[str, int], None] = lambda *_: None
) -> Answer:
    """Run a query and return its result. Repeat it once if an object was replaced meanwhile.

    Args:
        stack: The stack whose database is queried.
        statement: The SQL.
        workgroup: The workgroup that runs the query.
        on_progress: Called with the state and the bytes scanned so far.

    Raises:
        OpsError: The query fails. The message has Athena's reason.
    """
    for attempt in (1, 2):
        execution = _execute(stack, statement, workgroup, on_progress)
        status = execution["Status"]
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        if status["State"] == "SUCCEEDED":
            rows = _rows(stack, execution["QueryExecutionId"])
            return Answer(columns=[name or "" for name in next(rows)], rows=rows, scanned_bytes=scanned)
        reason = status.get("StateChangeReason", "no reason")
        if attempt == 2 or not _REPLACED.search(reason):
            break
    raise OpsError(f"the query {status['State'].lower()} in {stack.name}: {reason}")


def _execute(
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
        # Athena bills the bytes scanned so far; cancelling avoids the rest.
        athena.stop_query_execution(QueryExecutionId=identifier)
        raise


def _rows(stack: Stack, identifier: str) -> Iterator[Sequence[str | None]]:
    """Yield the rows of the result; the first row has the names of the columns."""
    pages = stack.client("athena").get_paginator("get_query_results").paginate(QueryExecutionId=identifier)
    for page in pages:
        for row in page["ResultSet"]["Rows"]:
            yield [cell.get("VarCharValue") for cell in row["Data"]]
