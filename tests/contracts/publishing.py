"""Publish the files of a dataset as the function does, and describe their table as the catalog does."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components import table_definitions
from components.contracts.compiled import compile_contracts
from conversion import EmptyError, UnreadableError
from datasets import Datasets
from local.athena.catalog import Table
from tests.contracts import drafts
from tests.conversion import support

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from components.contracts.model import Contract
    from datasets import Dataset

BUCKET = "lake"


@dataclass(frozen=True)
class Published:
    """The row counts of a published upload.

    Attributes:
        rows_in: Rows of the upload.
        rows_out: Rows of the published file.
        rejected: Rows that were rejected.
    """

    rows_in: int
    rows_out: int
    rejected: int


def deployed(*contents: dict[str, Any]) -> tuple[tuple[Contract, ...], Datasets]:
    """Return the contracts that a stack loads, and the datasets that its function loads."""
    with tempfile.TemporaryDirectory() as folder:
        contracts = drafts.load(Path(folder), *contents)
    return contracts, Datasets(json.loads(compile_contracts(contracts)))


def publish(data: bytes, key: str, dataset: Dataset, target: Path) -> Published | str:
    """Convert an upload to `target`. Return its row counts, or the error message if it fails."""
    try:
        account = support.publish(
            data, key, target, assignment=dataset.assignment(key), rejected_share_max=1.0
        )
    except (UnreadableError, EmptyError) as error:
        return str(error)
    return Published(account.rows_in, account.rows_out, account.rows_rejected)


class Lake:
    """The store that the embedded Athena reads: the table of one contract, and its published files."""

    def __init__(self, contract: Contract, files: dict[str, Path]) -> None:
        """Store the files by their keys in the bucket."""
        self._files = files
        self._table = Table(
            name=contract.name,
            columns=tuple((name, kind.hive) for name, kind, _ in table_definitions.columns(contract)),
            partitions=tuple(partition.name for partition in contract.partitions),
            location=table_definitions.location(contract, BUCKET),
            parameters=table_definitions.table_parameters(contract, BUCKET),
            view_query=None,
        )

    def table(self, database: str, name: str) -> Table | None:
        """Return the table."""
        return self._table if name == self._table.name else None

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        """Return the keys with a prefix."""
        return (key for key in self._files if key.startswith(prefix))

    def read(self, bucket: str, key: str) -> bytes:
        """Return an object."""
        return self._files[key].read_bytes()


def published_key(key: str) -> str:
    """Return the key of the Parquet file of an upload."""
    return f"processed/{key}.parquet"


def rescued(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Parse the JSON text in the last value of each row, sort its keys, and return the rows."""
    return [
        (*row[:-1], None if row[-1] is None else dict(sorted(json.loads(row[-1]).items()))) for row in rows
    ]
