"""A dataset is described to Athena as Athena takes it, and its readers may read it and nothing else."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from components import table_definitions
from components.contracts.model import Contract
from tests.contracts.drafts import column, custom, dataset, draft, load, partition
from tests.program.evaluation import ACCOUNT_ID, STACKS, Evaluation, Resource, evaluate, stack_config

TABLE = "aws:glue/catalogTable:CatalogTable"
WORKGROUP = "aws:athena/workgroup:Workgroup"
POLICY = "aws:iam/policy:Policy"
ALL = {"regional-analytics:datasets": '["*"]'}


@pytest.fixture(scope="module", params=STACKS)
def with_datasets(request: pytest.FixtureRequest) -> Evaluation:
    return evaluate(request.param, ALL)


def named(evaluation: Evaluation, type_: str, name: str) -> Resource:
    (found,) = (resource for resource in evaluation.all(type_) if resource.inputs["name"] == name)
    return found


def keyed_contract(directory: Path) -> Contract:
    content = draft()
    column(content, "id")["primaryKey"] = True
    dataset(content)["customProperties"].append(custom("orderBy", ["sold_at", "id"]))
    dataset(content)["properties"] += [
        partition("dt", type="date", first="2026-01-01", last="NOW+1DAY"),
        partition("n", 2, type="integer", first="1", last="12", digits=2),
        partition("c", 3, type="enum", values=["de", "fr"]),
    ]
    (contract,) = load(directory, content)
    return contract


def test_a_stack_without_datasets_has_no_catalog() -> None:
    evaluation = evaluate("us-east-1")

    assert not [item for item in evaluation.custom if item.type.startswith(("aws:glue/", "aws:athena/"))]
    assert "databaseName" not in evaluation.outputs


def test_each_contract_becomes_a_table_and_what_its_readers_need(with_datasets: Evaluation) -> None:
    region = with_datasets.stack
    (database,) = with_datasets.all("aws:glue/catalogDatabase:CatalogDatabase")
    assert database.inputs["name"] == f"analytics_{region.replace('-', '_')}_dev"
    assert {table.inputs["name"] for table in with_datasets.all(TABLE)} == {
        "airports", "flights", "planes", "weather", "weather_current",
    }  # fmt: skip
    assert with_datasets.outputs["databaseName"] == database.inputs["name"]
    assert with_datasets.outputs["datasets"]["flights"] == {
        "table": "flights",
        "workgroup": f"analytics-flights-{region}-dev",
        "readerPolicyArn": f"arn:aws:iam::{ACCOUNT_ID}:policy/analytics-flights-{region}-dev",
        "keyPrefix": "input/flights/",
        "version": "1.0.0",
    }


def test_the_table_lies_where_the_function_publishes(with_datasets: Evaluation) -> None:
    bucket = with_datasets.outputs["bucketName"]
    table = named(with_datasets, TABLE, "flights").inputs
    descriptor = table["storageDescriptor"]

    assert descriptor["location"] == f"s3://{bucket}/processed/input/flights/"
    assert table["tableType"] == "EXTERNAL_TABLE"
    assert descriptor["serDeInfo"]["serializationLibrary"].endswith("ParquetHiveSerDe")
    types = {item["name"]: item["type"] for item in descriptor["columns"]}
    assert types["dep_delay"] == "bigint"
    assert types["time_hour"] == "timestamp"
    assert list(types)[-1] == "_rescued"


def test_results_stay_out_of_the_bucket(with_datasets: Evaluation) -> None:
    for workgroup in with_datasets.all(WORKGROUP):
        configuration = workgroup.inputs["configuration"]
        assert configuration["managedQueryResultsConfiguration"]["enabled"] is True
        assert "resultConfiguration" not in configuration
        assert configuration["enforceWorkgroupConfiguration"] is True
        assert configuration["bytesScannedCutoffPerQuery"] >= 10_000_000
        assert configuration["engineVersion"]["selectedEngineVersion"] == "Athena engine version 3"
        assert workgroup.inputs["forceDestroy"] is True


def test_results_are_under_the_stacks_key_where_it_has_one() -> None:
    evaluation = evaluate("eu-west-1", {**ALL, "regional-analytics:customerManagedKey": "true"})
    key = evaluation.one("aws:kms/key:Key")

    for workgroup in evaluation.all(WORKGROUP):
        results = workgroup.inputs["configuration"]["managedQueryResultsConfiguration"]
        assert results["encryptionConfiguration"]["kmsKey"] == key.state["arn"]
    (admitted,) = (
        statement
        for statement in key.json("policy")["Statement"]
        if statement["Principal"].get("Service") == "encryption.athena.amazonaws.com"
    )
    assert admitted["Action"] == ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
    assert admitted["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT_ID}
    for policy in evaluation.all(POLICY):
        allowed = statements(policy)["UseKey"]
        assert allowed["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert allowed["Resource"] == [key.state["arn"]]


def statements(policy: Resource) -> dict[str, dict[str, Any]]:
    return {statement["Sid"]: statement for statement in policy.json("policy")["Statement"]}


def test_a_reader_reads_one_dataset(with_datasets: Evaluation) -> None:
    region, bucket = with_datasets.stack, with_datasets.outputs["bucketName"]
    allowed = statements(named(with_datasets, POLICY, f"analytics-flights-{region}-dev"))

    assert allowed["ReadObjects"]["Resource"] == [f"arn:aws:s3:::{bucket}/processed/input/flights/*"]
    assert allowed["ListObjects"]["Condition"] == {"StringLike": {"s3:prefix": "processed/input/flights/*"}}
    assert allowed["Query"]["Resource"] == [
        f"arn:aws:athena:{region}:{ACCOUNT_ID}:workgroup/analytics-flights-{region}-dev"
    ]
    tables = [arn for arn in allowed["FindTables"]["Resource"] if ":table/" in arn]
    assert tables == [
        f"arn:aws:glue:{region}:{ACCOUNT_ID}:table/{with_datasets.outputs['databaseName']}/flights"
    ]
    assert not any(
        re.search("Put|Delete|Create|Update|GetObjectVersion", action)
        for statement in allowed.values()
        for action in statement["Action"]
    )


def test_a_reader_of_all_reads_what_is_published(with_datasets: Evaluation) -> None:
    region, bucket = with_datasets.stack, with_datasets.outputs["bucketName"]
    allowed = statements(named(with_datasets, POLICY, f"analytics-all-datasets-{region}-dev"))

    assert allowed["ReadObjects"]["Resource"] == [f"arn:aws:s3:::{bucket}/processed/*"]
    assert with_datasets.outputs["readerPolicyArn"].endswith(f"analytics-all-datasets-{region}-dev")


def test_partitions_are_strings_with_a_projection_each(tmp_path: Path) -> None:
    parameters = table_definitions.table_parameters(keyed_contract(tmp_path), "lake")

    projection = {name: value for name, value in parameters.items() if "." in name}
    assert projection == {
        "projection.enabled": "true",
        "storage.location.template": "s3://lake/processed/input/sales/dt=${dt}/n=${n}/c=${c}/",
        "projection.dt.type": "date",
        "projection.dt.range": "2026-01-01,NOW+1DAY",
        "projection.dt.format": "yyyy-MM-dd",
        "projection.dt.interval": "1",
        "projection.dt.interval.unit": "DAYS",
        "projection.n.type": "integer",
        "projection.n.range": "1,12",
        "projection.n.interval": "1",
        "projection.n.digits": "2",
        "projection.c.type": "enum",
        "projection.c.values": "de,fr",
    }


def test_a_contract_with_keys_has_a_view_of_the_newest_rows(tmp_path: Path) -> None:
    contract = keyed_contract(tmp_path)
    encoded = (
        table_definitions.view_text(contract, "lake").removeprefix("/* Presto View: ").removesuffix(" */")
    )
    definition = json.loads(base64.b64decode(encoded))

    names = [item["name"] for item in definition["columns"]]
    assert names == ["id", "amount", "sold_at", "shop", "_rescued", "dt", "n", "c"]
    assert {item["name"]: item["type"] for item in definition["columns"]}["sold_at"] == "timestamp(3)"
    assert definition["originalSql"].startswith("SELECT " + ", ".join(f'"{name}"' for name in names))
    assert 'PARTITION BY "id" ORDER BY "sold_at" DESC, "id" DESC' in definition["originalSql"]


def test_the_view_is_made_after_its_table_with_an_empty_list_of_partitions(tmp_path: Path) -> None:
    content = draft()
    column(content, "id")["primaryKey"] = True
    dataset(content)["customProperties"].append(custom("orderBy", ["sold_at", "id"]))
    load(tmp_path, content)

    def program() -> None:
        from components.regional_analytics import RegionalAnalytics, RegionalAnalyticsArgs
        from components.settings import Settings

        settings = Settings.of(region="eu-west-1", cidr_block="10.1.0.0/16", datasets=("sales",))
        RegionalAnalytics("analytics", RegionalAnalyticsArgs(settings=settings, datasets_directory=tmp_path))

    evaluation = evaluate("eu-west-1", program=program)
    view, table = named(evaluation, TABLE, "sales_current"), named(evaluation, TABLE, "sales")

    assert view.inputs["tableType"] == "VIRTUAL_VIEW"
    assert view.inputs["parameters"] == {"presto_view": "true", "comment": "Presto View"}
    assert view.inputs["partitionKeys"] == []
    assert view.inputs["viewExpandedText"] == "/* Presto View */"
    # Trino does not read it without an owner or a SerDe, nor with a description.
    assert "description" not in view.inputs
    assert view.inputs["owner"]
    assert view.inputs["storageDescriptor"]["serDeInfo"]
    assert table.urn in view.depends_on


def test_contracts_that_cannot_be_deployed_stop_the_program_before_any_resource() -> None:
    from tests.program.evaluation import RecordingMonitor

    monitor = RecordingMonitor.without_aws()

    with pytest.raises(Exception, match="did you mean flights"):
        evaluate(
            "us-east-1",
            {**stack_config("us-east-1"), "regional-analytics:datasets": '["flight"]'},
            monitor=monitor,
        )

    assert not monitor.recorded


def test_the_archive_holds_the_contracts_that_the_stack_deploys() -> None:
    from components import packaging
    from components.archive import members
    from components.contracts import loading
    from components.contracts.compiled import FILE_NAME, compile_contracts
    from components.regional_analytics import DATASETS_DIRECTORY

    chosen = loading.load(["flights"], DATASETS_DIRECTORY, system_prefixes=(), upload_prefixes=())
    path = packaging.build_handler(datasets=compile_contracts(chosen))

    (compiled,) = (member for member in members(path) if member.name == FILE_NAME)
    assert [item["name"] for item in json.loads(compiled.data)["datasets"]] == ["flights"]


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("One row\nfor each  sale.", "One row for each sale."),
        ("\x00a\x07b\x1b[31mc\ud800", "a b [31mc"),
        ("é" * 200, "é" * 127),
        ("", ""),
    ],
)
def test_a_description_is_a_comment_that_glue_accepts(description: str, expected: str) -> None:
    from components import table_definitions

    assert table_definitions.comment(description) == expected
