"""One pass over an object: what it works with, and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from conversion.budget import Budget
from conversion.model import Column
from conversion.pipe import Pipe
from conversion.rejects import Rejects
from conversion.source import Source


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The resources of a conversion."""

    source: Source
    rejects: Rejects
    budget: Budget
    connection: duckdb.DuckDBPyConnection
    pipe: Pipe
    output: Path
    metadata: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Result:
    """A written table and its source.

    Attributes:
        facts: Facts of the layout, for the profile.
        columns: The columns that were written.
        rows: Rows that were counted and not rejected.
        rows_out: Rows that DuckDB reports as written.
        beside: Rejected records that are not damaged rows.
    """

    format: str
    encoding: str
    facts: Mapping[str, object] = field(default_factory=dict)
    columns: tuple[Column, ...]
    rows: int
    rows_out: int
    beside: int = 0
