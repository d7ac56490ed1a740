"""The dataset `orders`: its uploads, and queries with the rows that they must return."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from ops import athena, table
from ops.deployed_stacks import Stack
from ops.operator_errors import OpsError

DATASET = "orders"
_HEADER = "id,item,amount,weight,paid,due,changed_at\n"
UPLOADS = {
    "input/orders/day=2026-01-01/a b%+c.csv": (
        f"{_HEADER}1,pen,2.50,0.5,true,2026-01-31,2026-01-01T10:00:00.125Z\n"
        "2,ink,1.00,,false,,2026-01-01T11:00:00Z\n"
    ),
    "input/orders/day=2026-01-02/d.csv": f"{_HEADER}1,pen,3.75,0.5,true,,2026-01-02T10:00:00Z\n",
}
SHOWN_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query of the dataset.

    Attributes:
        statement: The SQL.
        rows: The rows that it must return, with values as Athena formats them.
    """

    statement: str
    rows: Sequence[tuple[str | None, ...]]


OF_TABLE = Query(
    statement=(
        "SELECT id, item, amount, weight, paid, due, changed_at, day FROM orders"
        " WHERE day = '2026-01-01' ORDER BY id"
    ),
    rows=(
        ("1", "pen", "2.50", "0.5", "true", "2026-01-31", "2026-01-01 10:00:00.125", "2026-01-01"),
        ("2", "ink", "1.00", None, "false", None, "2026-01-01 11:00:00.000", "2026-01-01"),
    ),
)
"""Reads only the object whose key has a space, a percent sign and a plus sign."""
OF_VIEW = Query(
    statement="SELECT id, amount, day FROM orders_current ORDER BY id",
    rows=(("1", "3.75", "2026-01-02"), ("2", "1.00", "2026-01-01")),
)


def upload(stack: Stack) -> dict[str, str]:
    """Upload the files, and return the id of each key's job."""
    s3 = stack.client("s3")
    versions = {
        key: s3.put_object(Bucket=stack.bucket, Key=key, Body=body.encode())["VersionId"]
        for key, body in UPLOADS.items()
    }
    return {key: table.job_id(stack.bucket, key, version) for key, version in versions.items()}


def outcome(stack: Stack, query: Query) -> str:
    """Run a query in the dataset's workgroup; return "yes" for the expected rows, else Athena's answer."""
    try:
        rows = _rows(stack, query.statement)
    except (OpsError, ClientError) as error:
        return f"no: {error}"
    return "yes" if rows == list(query.rows) else f"no: {rows}"


def table_rows(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Query the table."""
    return outcome(stack, OF_TABLE)


def view_rows(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Query the view."""
    return outcome(stack, OF_VIEW)


def view_statement(stack: Stack, _wait: Callable[[float], None]) -> str:
    """Return the beginning of what SHOW CREATE VIEW returns, with the names of its columns."""
    view = stack.datasets[DATASET]["view"]
    answer = athena.run_query(stack, f"SHOW CREATE VIEW {view}", stack.datasets[DATASET]["workgroup"])
    words = [word for row in (answer.columns, *answer.rows) for cell in row for word in (cell or "").split()]
    return " ".join(words)[:SHOWN_CHARACTERS]


def _rows(stack: Stack, statement: str) -> list[tuple[str | None, ...]]:
    answer = athena.run_query(stack, statement, stack.datasets[DATASET]["workgroup"])
    return [tuple(row) for row in answer.rows]
