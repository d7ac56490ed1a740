"""The datasets of a deployed stack, read by Trino. Its answers are compared with the embedded Athena's."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from components import table_definitions
from components.contracts import loading
from components.contracts.compiled import compile_contracts
from components.regional_analytics import DATASETS_DIRECTORY
from datasets import Datasets
from local.deployer import deploy
from local.stacks import read_stacks
from local.tables import table_files
from tests.contracts import drafts
from tests.contracts.athena import as_athena
from tests.contracts.projections import PROJECTIONS
from tests.contracts.publishing import Published, publish, published_key
from tests.readers.conftest import REGION

if TYPE_CHECKING:
    from components.contracts.model import Contract
    from tests.readers.engines import TrinoTables

ROWS = 30_000
"""The most rows that are read of a table. The flights have more than ten times as many."""

QUESTIONS = [
    statement.strip()
    for statement in re.sub("(?m)^--.*", "", Path(__file__).with_name("questions.sql").read_text()).split(";")
    if statement.strip()
]


@dataclass(frozen=True)
class Deployed:
    """A deployed stack and its published datasets."""

    trino: TrinoTables
    outputs: dict[str, Any]
    rows: dict[str, int]

    def ask_trino(self, statement: str) -> list[tuple[str | None, ...]]:
        self.trino.trino.query(f"USE awsdatacatalog.{self.outputs['databaseName']}")
        return [tuple(map(as_athena, row)) for row in self.trino.trino.query(statement)]

    def ask_athena(self, statement: str) -> list[tuple[str | None, ...]]:
        athena = self.trino.server.client("athena", REGION)
        identity = athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": self.outputs["databaseName"]},
            WorkGroup=self.outputs["datasets"]["flights"]["workgroup"],
        )["QueryExecutionId"]
        status = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
        assert status["State"] == "SUCCEEDED", status
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=identity)
        rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
        return [tuple(cell.get("VarCharValue") for cell in row) for row in rows[1:]]


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    loaded = loading.load(["*"], DATASETS_DIRECTORY, system_prefixes=(), upload_prefixes=())
    return {contract.name: contract for contract in loaded}


@pytest.fixture(scope="module")
def deployed(trino: TrinoTables, contracts: dict[str, Contract], folder: Path) -> Deployed:
    (stack,) = (one for one in read_stacks() if one.name == REGION)
    outputs = deploy(trino.server, stack.with_setting("datasets", ["*"]))
    known = Datasets(json.loads(compile_contracts(contracts.values())))
    s3, rows = trino.server.client("s3", REGION), {}
    # The policy lets only the function write published files.
    s3.delete_bucket_policy(Bucket=outputs["bucketName"])
    for file in table_files(folder):
        with file.open("rb") as opened:
            data = b"".join(islice(opened, ROWS + 1))
        key = f"input/{file.stem}/{file.name}"
        dataset, target = known.of(key), folder / f"deployed-{file.stem}.parquet"
        assert dataset is not None
        outcome = publish(data, key, dataset, target)
        assert isinstance(outcome, Published), outcome
        rows[file.stem] = outcome.rows_out
        s3.upload_file(str(target), outputs["bucketName"], published_key(key))
    return Deployed(trino, dict(outputs), rows)


def test_every_table_is_read_with_the_contracts_types(
    deployed: Deployed, contracts: dict[str, Contract]
) -> None:
    assert deployed.outputs["datasets"].keys() == contracts.keys()
    for name, contract in contracts.items():
        assert deployed.ask_trino(f"SELECT count(*) FROM {name}") == [(str(deployed.rows[name]),)]
        described = [row[:2] for row in deployed.ask_trino(f"DESCRIBE {name}")]
        assert described == [
            (column, kind.trino) for column, kind, _ in table_definitions.view_columns(contract)
        ]
        # This reads every value of every column; `count(*)` does not.
        assert len(deployed.ask_trino(f"SELECT * FROM {name}")) == deployed.rows[name]


def test_every_view_is_read(deployed: Deployed, contracts: dict[str, Contract]) -> None:
    views = [contract for contract in contracts.values() if contract.keys]
    assert views
    for contract in views:
        keys = ", ".join(contract.keys.columns if contract.keys else ())
        view = table_definitions.view_name(contract)
        distinct = deployed.ask_trino(f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {contract.name})")
        assert deployed.ask_trino(f"SELECT count(*) FROM {view}") == distinct
        described = [row[:2] for row in deployed.ask_trino(f"DESCRIBE {view}")]
        assert described == [
            (column, kind.trino) for column, kind, _ in table_definitions.view_columns(contract)
        ]


def test_every_named_query_is_answered(deployed: Deployed) -> None:
    athena = deployed.trino.server.client("athena", REGION)
    for dataset, names in deployed.outputs["datasets"].items():
        (identity,) = athena.list_named_queries(WorkGroup=names["workgroup"])["NamedQueryIds"]
        statement = athena.get_named_query(NamedQueryId=identity)["NamedQuery"]["QueryString"]
        assert len(deployed.ask_trino(statement)) == 100, dataset
        assert len(deployed.ask_athena(statement)) == 100, dataset


@pytest.mark.parametrize("question", QUESTIONS)
def test_athenas_stand_in_answers_as_trino_does(deployed: Deployed, question: str) -> None:
    judged, answered = deployed.ask_trino(question), deployed.ask_athena(question)

    assert len(answered) == len(judged)
    for wanted, got in zip(judged, answered, strict=True):
        assert len(got) == len(wanted)
        assert all(map(is_same, got, wanted)), (got, wanted)


def is_same(got: str | None, wanted: str | None) -> bool:
    """Return whether two texts are one value. A float's last digits depend on the order of additions."""
    if got == wanted:
        return True
    with suppress(TypeError, ValueError):
        return "." in f"{got}{wanted}" and math.isclose(float(got or ""), float(wanted or ""), rel_tol=1e-9)
    return False


@pytest.mark.parametrize(("projection", "values"), PROJECTIONS)
def test_what_the_function_takes_is_what_trino_finds(
    trino: TrinoTables, tmp_path: Path, projection: dict[str, Any], values: list[str]
) -> None:
    content = drafts.draft()
    drafts.dataset(content)["properties"].append(drafts.partition("part", **projection))
    (contract,) = drafts.load(tmp_path, content)
    known, now = Datasets(json.loads(compile_contracts([contract]))), datetime.now(UTC)
    files, taken = tmp_path / "files", set()
    for value in values:
        key = f"input/sales/part={value}/a.csv"
        dataset = known.of(key)
        assert dataset is not None
        data = b"id,amount,sold_at,shop\n1,2.50,2026-01-01T00:00:00,north\n"
        outcome = publish(data, key, dataset, files / f"part={value}" / "a.parquet")
        assert isinstance(outcome, Published)
        if dataset.hidden_because(key, now) is None:
            taken.add(value)
    table = f"projected_{abs(hash(json.dumps(projection)))}"
    location = trino.upload(files, table)
    parameters = table_definitions.table_parameters(contract, "lake")
    parameters["storage.location.template"] = f"{location}part=${{part}}/"
    trino.trino.create_table(
        "readers",
        table,
        [(name, kind.hive) for name, kind, _ in table_definitions.columns(contract)],
        location,
        partitions=[("part", "string")],
        parameters=parameters.items(),
    )

    found = {row[0] for row in trino.trino.query(f"SELECT part FROM readers.{table}")}

    assert found == taken
