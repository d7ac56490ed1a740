"""Find, read and check the contracts that a stack deploys."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from components.contracts import checks, reader
from components.contracts.model import Contract, ContractError

ALL = "*"


def load(
    chosen: Sequence[str],
    directory: Path,
    *,
    system_prefixes: Sequence[str],
    upload_prefixes: Sequence[str],
) -> tuple[Contract, ...]:
    """Return the contracts that a stack deploys.

    Args:
        chosen: Names of datasets; `*` means all datasets, sorted by name.
        directory: Directory of the contracts. Each is a YAML file with the name of its dataset.
        system_prefixes: Prefixes that a dataset's prefix must not overlap.
        upload_prefixes: Prefixes under which datasets must be. If empty, any prefix is allowed.

    Raises:
        ContractError: A contract is missing, unreadable or invalid.
    """
    paths = {path.stem: path for path in sorted(directory.glob("*.yaml"))}
    names = sorted(paths) if ALL in chosen else list(dict.fromkeys(chosen))
    problems = [_unknown(name, directory, list(paths)) for name in names if name not in paths]
    contracts = []
    for name in (name for name in names if name in paths):
        path = paths[name]
        where = f"{directory.name}/{path.name}"
        contract, unreadable = reader.read(path)
        problems += unreadable
        if contract is None:
            continue
        problems += (f"{where}: {problem}" for problem in checks.problems(contract))
        if contract.name != name:
            problems.append(
                f"{where}: schema[0].name: must be the file's name, {name}, got {contract.name!r}"
            )
        contracts.append(contract)
    problems += checks.problems_together(
        contracts, system_prefixes=system_prefixes, upload_prefixes=upload_prefixes
    )
    if problems:
        raise ContractError(problems)
    return tuple(contracts)


def _unknown(name: str, directory: Path, known: list[str]) -> str:
    similar = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {similar[0]}?" if similar else f"{directory.name}/{name}.yaml is not there"
    return f"regional-analytics:datasets: must name contracts ({hint}), got {name!r}"
