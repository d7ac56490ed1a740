"""Checks across the parts of a contract, and across the contracts of a stack."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from components.contracts import projections
from components.contracts.model import Contract, Projection
from components.contracts.reader import RESCUED
from components.names import SMOKE_TEST_PREFIX

PREFIX_BYTES_MAX = 700
"""S3 keys have up to 1,024 bytes. Folders, the file name and what the system adds need the rest."""

COLUMNS_MAX = 1_000
COLUMN_CHARACTERS_MAX = 64_000
"""The limits of columns, and of their names and types together. The text of a view has each name three times
and each type once, in base64, and up to 409,600 characters (AWS Glue API reference, "TableInput")."""

NAME_LENGTH_MAX = 64
"""The limit of a dataset's name. Names of workgroups and policies add project, region and suffix, and have up
to 128 characters (Athena and IAM API references, CreateWorkGroup and CreatePolicy)."""


def problems(contract: Contract) -> Iterator[str]:
    """Yield the problems of one contract. Each begins with the field."""
    if len(contract.name) > NAME_LENGTH_MAX:
        yield f"name: must have up to {NAME_LENGTH_MAX} characters, got {len(contract.name)}"
    yield from _prefix_problems(contract.prefix)
    names = [
        *(column.name for column in contract.columns),
        *(partition.name for partition in contract.partitions),
    ]
    for name, count in Counter(names).items():
        if count > 1:
            yield f"properties: must name each column once, got {name!r} {count} times"
    if len(names) > COLUMNS_MAX:
        yield f"properties: must hold up to {COLUMNS_MAX:,} columns, got {len(names):,}"
    characters = sum(map(len, names)) + sum(len(column.type.hive) for column in contract.columns)
    if characters > COLUMN_CHARACTERS_MAX:
        yield (
            f"properties: must have names and types of up to {COLUMN_CHARACTERS_MAX:,} characters together,"
            f" got {characters:,}"
        )
    sources = Counter(column.source.casefold() for column in contract.columns)
    for source, count in sources.items():
        if count > 1:
            yield f"properties: must take each column of the source once, got {source!r} {count} times"
    if RESCUED in sources:
        yield f"properties: must not take {RESCUED} from the source, for the table has it already, got it"
    yield from projections.problems(contract.partitions)
    if contract.keys and any(part.projection is Projection.INJECTED for part in contract.partitions):
        yield (
            "primaryKey: must be left out beside an injected partition, which each query must name,"
            " and the view of the newest rows cannot, got both"
        )


def problems_together(
    contracts: Sequence[Contract], *, system_prefixes: Sequence[str], upload_prefixes: Sequence[str]
) -> Iterator[str]:
    """Yield the problems of a stack's contracts together. Each begins with the contract's name."""
    tables = Counter(name for contract in contracts for name in table_names(contract))
    for name, count in tables.items():
        if count > 1:
            yield f"{name}: must be the name of one table or view, got it from {count} contracts"
    for contract in contracts:
        for prefix in system_prefixes:
            if contract.prefix.startswith(prefix) or prefix.startswith(contract.prefix):
                yield (
                    f"{contract.name}: keyPrefix must leave out the system's {prefix},"
                    f" got {contract.prefix!r}"
                )
        if upload_prefixes and not contract.prefix.startswith(tuple(upload_prefixes)):
            # The prefixes may be a secret.
            yield (
                f"{contract.name}: keyPrefix must lie under one of the setting uploadPrefixes,"
                f" got {contract.prefix!r}"
            )
        if SMOKE_TEST_PREFIX.startswith(contract.prefix):
            yield (
                f"{contract.name}: keyPrefix must leave out {SMOKE_TEST_PREFIX}, where the smoke test"
                f" uploads, got {contract.prefix!r}"
            )
        for other in contracts:
            if other is not contract and contract.prefix.startswith(other.prefix):
                yield (
                    f"{contract.name}: keyPrefix must not lie under that of {other.name} ({other.prefix}),"
                    f" whose table reads everything below, got {contract.prefix!r}"
                )


def table_names(contract: Contract) -> tuple[str, ...]:
    """Return the names of a contract's table and, if it has keys, its view."""
    return (contract.name, current_view(contract.name)) if contract.keys else (contract.name,)


def current_view(dataset: str) -> str:
    """Return the name of the view of the newest row of each key."""
    return f"{dataset}_current"


def _prefix_problems(prefix: str) -> Iterator[str]:
    parts = prefix.split("/")
    if not prefix.endswith("/") or len(parts) < 2 or any(not part for part in parts[:-1]):
        yield f"keyPrefix: must be folders that each end with /, such as input/flights/, got {prefix!r}"
    elif any(part.startswith(("_", ".")) for part in parts[:-1]):
        yield (
            "keyPrefix: must have no folder that begins with _ or ., which Athena does not see,"
            f" got {prefix!r}"
        )
    if re.search(r"[^A-Za-z0-9_.=/-]", prefix) or len(prefix.encode()) > PREFIX_BYTES_MAX:
        yield (f"keyPrefix: must be up to {PREFIX_BYTES_MAX} letters, digits and _ . = - /, got {prefix!r}")
