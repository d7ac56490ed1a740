"""`SHOW CREATE VIEW`, which Trino answers from the catalog alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlglot

from local.athena.catalog import QueryFailedError

if TYPE_CHECKING:
    from local.athena.query import Store

CATALOG = "awsdatacatalog"
COLUMN = "Create View"
_STATEMENT = re.compile(
    r'\s*SHOW\s+CREATE\s+VIEW\s+(?:"?(?P<database>\w+)"?\.)?"?(?P<name>\w+)"?\s*', re.IGNORECASE
)


def create_view(statement: str, database: str, store: Store) -> str | None:
    """Return the statement that creates a view, in Trino's form; None for any other statement.

    Raises:
        QueryFailedError: There is no such view, or the caller may not read it.
    """
    asked = _STATEMENT.fullmatch(statement)
    if asked is None:
        return None
    database, name = (asked["database"] or database).lower(), asked["name"].lower()
    full_name = f"{CATALOG}.{database}.{name}"
    view = store.table(database, name)
    if view is None:
        raise QueryFailedError(f"TABLE_NOT_FOUND: View '{full_name}' does not exist")
    if view.view_query is None:
        raise QueryFailedError(f"NOT_SUPPORTED: Relation '{full_name}' is a table, not a view")
    query = sqlglot.parse_one(view.view_query, dialect="athena").sql(dialect="athena", pretty=True)
    return f"CREATE VIEW {full_name} SECURITY DEFINER AS\n{query}"
