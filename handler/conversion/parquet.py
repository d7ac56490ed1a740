"""Parquet, rewritten to our layout with its types as they are."""

import duckdb

from conversion.engine import literal
from conversion.spool import Spool


def relation(spool: Spool) -> str:
    """Give SQL that reads the spooled file."""
    return f"read_parquet({literal(str(spool.path))})"


def declared_rows(connection: duckdb.DuckDBPyConnection, spool: Spool) -> int:
    """Give the number of rows that the file's footer says it has."""
    query = f"SELECT num_rows FROM parquet_file_metadata({literal(str(spool.path))})"
    return connection.execute(query).fetchall()[0][0]
