"""One pass over an object: what it works with, and what it returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from conversion.budget import Budget
from conversion.engine import Written
from conversion.pipe import Pipe
from conversion.published import Published
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
        sources: The name of each column in the source.
        published: How each column is published.
        written: What DuckDB reports of the Parquet file.
        rows: Rows that were counted and not rejected.
        beside: Rejected records that are not damaged rows.
        markers: The number of null markers in each column; empty if they are not null.
        note: Describes the values of a text column, by its index.
    """

    format: str
    encoding: str
    facts: Mapping[str, object]
    sources: tuple[str, ...]
    published: tuple[Published, ...]
    written: Written
    rows: int
    beside: int = 0
    markers: tuple[int, ...] = ()
    note: Callable[[int], str | None] = lambda _: None
