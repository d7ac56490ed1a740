"""The embedded Athena behaves as Athena does. The tests use only AWS's API."""

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from local.server import Credentials, Server

REGION = "eu-west-1"
BUCKET = "lake"
DATABASE = "lake"
DESCRIPTOR = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running:
        s3 = running.client("s3", REGION)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        running.client("glue", REGION).create_database(DatabaseInput={"Name": DATABASE})
        running.client("athena", REGION).create_work_group(
            Name="readers",
            Configuration={
                "ManagedQueryResultsConfiguration": {"Enabled": True},
                "EnforceWorkGroupConfiguration": True,
                "BytesScannedCutoffPerQuery": 10_000_000,
            },
        )
        yield running


class Lake:
    def __init__(self, server: Server, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self.name = f"t{uuid.uuid4().hex[:8]}"
        self.prefix = f"processed/{self.name}/"

    def put(self, key: str, select: str) -> None:
        path = self.directory / "file.parquet"
        duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
        self.server.client("s3", REGION).put_object(
            Bucket=BUCKET, Key=self.prefix + key, Body=path.read_bytes()
        )

    def table(self, columns: dict[str, str], *partitions: str, **parameters: str) -> None:
        location = f"s3://{BUCKET}/{self.prefix}"
        if partitions:
            folders = "".join(f"{name}=${{{name}}}/" for name in partitions)
            parameters = {
                "projection.enabled": "true",
                "storage.location.template": location + folders,
                **{name.replace("__", "."): value for name, value in parameters.items()},
            }
        self.server.client("glue", REGION).create_table(
            DatabaseName=DATABASE,
            TableInput={
                "Name": self.name,
                "TableType": "EXTERNAL_TABLE",
                "Parameters": parameters,
                "PartitionKeys": [{"Name": name, "Type": "string"} for name in partitions],
                "StorageDescriptor": {
                    **DESCRIPTOR,
                    "Location": location,
                    "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
                },
            },
        )

    def ask(self, statement: str, credentials: Credentials | None = None) -> dict[str, Any]:
        athena = self.server.client("athena", REGION, credentials)
        started = athena.start_query_execution(
            QueryString=statement.format(table=f'"{self.name}"'),
            QueryExecutionContext={"Database": DATABASE},
            WorkGroup="readers",
        )
        return athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]

    def rows(self, statement: str, credentials: Credentials | None = None) -> list[list[str | None]]:
        execution = self.ask(statement, credentials)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        athena = self.server.client("athena", REGION, credentials)
        pages = athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"]
        )
        rows = [
            [cell.get("VarCharValue") for cell in row["Data"]]
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]
        return rows[1:]

    def reason(self, statement: str, credentials: Credentials | None = None) -> str:
        status = self.ask(statement, credentials)["Status"]
        assert status["State"] in ("FAILED", "CANCELLED")
        return status["StateChangeReason"].partition(":")[0]


@pytest.fixture
def lake(server: Server, tmp_path: Path) -> Lake:
    return Lake(server, tmp_path)


def test_values_are_written_as_athena_writes_them(lake: Lake) -> None:
    lake.put(
        "a.parquet",
        "SELECT 1::BIGINT i, 2.50::DECIMAL(9,2) d, true b, DATE '2026-01-31' dt,"
        " TIMESTAMP '2026-01-31 10:00:00.5' t, NULL::VARCHAR n, {'x': 1::BIGINT, 'y': 'a'} s,"
        " [1::BIGINT, NULL] l",
    )
    lake.table(
        {
            "i": "bigint", "d": "decimal(9,2)", "b": "boolean", "dt": "date", "t": "timestamp", "n": "string",
            "s": "struct<x:bigint,y:string>", "l": "array<bigint>",
        }
    )  # fmt: skip

    assert lake.rows("SELECT i, d, b, dt, t, n, s, l FROM {table}") == [
        ["1", "2.50", "true", "2026-01-31", "2026-01-31 10:00:00.500", None, "{x=1, y=a}", "[1, null]"]
    ]


def test_trinos_dialect_is_understood(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT i::BIGINT i, TIMESTAMP '2026-03-05 10:30:00' t FROM range(5) r(i)")
    lake.table({"i": "bigint", "t": "timestamp"})

    statement = (
        "SELECT date_format(t, '%Y-%m'), date_trunc('day', t), approx_distinct(i), cast(sum(i) AS varchar),"
        " array_join(array_agg(i ORDER BY i), '-'), element_at(array[7, 8], 1) FROM {table} GROUP BY 1, 2"
    )

    assert lake.rows(statement) == [["2026-03", "2026-03-05 00:00:00.000", "5", "10", "0-1-2-3-4", "7"]]


def test_integers_are_divided_and_days_added_as_in_trino(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT 7::BIGINT i, DATE '2026-01-31' d")
    lake.table({"i": "bigint", "d": "date"})

    statement = (
        "SELECT i / 2, i / 2.0, sum(i) / count(*), DATE '2026-01-31' + INTERVAL '1' MONTH FROM {table}"
        " GROUP BY i"
    )

    assert lake.rows(statement) == [["3", "3.5", "7", "2026-02-28"]]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT i FROM (SELECT i, i + 1 AS i FROM {table})",
        "SELECT 1 FROM (SELECT i, i + 1 AS I FROM {table}) t WHERE t.i = 1",
        "WITH t AS (SELECT i, i + 1 AS i FROM {table}) SELECT max(i) FROM t",
    ],
)
def test_a_column_that_a_subquery_has_twice_is_ambiguous(lake: Lake, statement: str) -> None:
    lake.put("a.parquet", "SELECT 7::BIGINT i")
    lake.table({"i": "bigint"})

    assert lake.reason(statement) == "SYNTAX_ERROR"


def test_subqueries_may_have_a_name_in_common(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT 7::BIGINT i")
    lake.table({"i": "bigint"})

    statement = (
        "WITH table_0 AS (SELECT i FROM {table}) SELECT a.i, b.i + (SELECT max(i) FROM table_0)"
        " FROM (SELECT i, 1 AS other FROM {table} UNION ALL SELECT i, 2 FROM table_0) a"
        " JOIN (SELECT i, 2 AS other FROM {table}) b ON a.other = b.other"
    )

    assert lake.rows(statement) == [["7", "14"]]


def test_columns_without_a_name_are_named_by_their_place(lake: Lake, server: Server) -> None:
    lake.put("a.parquet", "SELECT 7::BIGINT i")
    lake.table({"i": "bigint"})

    execution = lake.ask("SELECT i, i + 1, max(i) AS m FROM {table} GROUP BY i")

    athena = server.client("athena", REGION)
    results = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]
    assert [cell["VarCharValue"] for cell in results["Rows"][0]["Data"]] == ["i", "_col1", "m"]


def test_finer_timestamps_are_rounded_to_milliseconds(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT TIMESTAMP '2026-01-31 23:59:59.9996' t")
    lake.table({"t": "timestamp"})

    assert lake.rows("SELECT t FROM {table}") == [["2026-02-01 00:00:00.000"]]


def test_columns_are_matched_by_name_and_missing_ones_are_null(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT 'x' b, 1::BIGINT a")
    lake.put("b.parquet", "SELECT 2::BIGINT a, 9 other")
    lake.table({"a": "bigint", "b": "string"})

    assert lake.rows("SELECT a, b FROM {table} ORDER BY a") == [["1", "x"], ["2", None]]


def test_a_file_of_another_type_fails_the_query(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT 1.5::DOUBLE a")
    lake.table({"a": "bigint"})

    assert lake.reason("SELECT a FROM {table}") == "HIVE_BAD_DATA"


def test_an_object_that_is_no_parquet_fails_the_query(lake: Lake, server: Server) -> None:
    lake.table({"a": "bigint"})
    server.client("s3", REGION).put_object(Bucket=BUCKET, Key=f"{lake.prefix}a.csv", Body=b"a\n1\n")

    assert lake.reason("SELECT a FROM {table}") == "HIVE_CANNOT_OPEN_SPLIT"


def test_hidden_files_and_folders_are_left_out(lake: Lake) -> None:
    for key in ("a.parquet", "_b.parquet", ".c.parquet", "_d/e.parquet", "deeper/f.parquet"):
        lake.put(key, "SELECT 1::BIGINT a")
    lake.table({"a": "bigint"})

    assert lake.rows("SELECT count(*) FROM {table}") == [["2"]]


def test_a_projection_finds_its_values_and_no_others(lake: Lake) -> None:
    for folder in ("day=2026-01-01", "day=2025-12-31", "day=2026-1-2", "day=today", "day=2999-01-01"):
        lake.put(f"{folder}/a.parquet", "SELECT 1::BIGINT a")
    lake.put("a.parquet", "SELECT 1::BIGINT a")
    lake.table(
        {"a": "bigint"},
        "day",
        projection__day__type="date",
        projection__day__range="2026-01-01,NOW+1DAY",
        projection__day__format="yyyy-MM-dd",
    )

    assert lake.rows("SELECT day, a FROM {table}") == [["2026-01-01", "1"]]


@pytest.mark.parametrize("java_format", ["yyyy-M-d", "yy-MM-dd", "dd MMMM yyyy", "yyyy-yyyy", "'yyyy'", ""])
def test_a_format_of_dates_that_is_not_imitated_is_named(lake: Lake, java_format: str) -> None:
    lake.table(
        {"a": "bigint"},
        "day",
        projection__day__type="date",
        projection__day__range="NOW-1DAY,NOW+1DAY",
        projection__day__format=java_format,
    )

    assert lake.reason("SELECT day, a FROM {table}") == "NOT_SUPPORTED"


def test_integers_are_padded_and_enums_are_listed(lake: Lake) -> None:
    for folder in ("n=01/c=x", "n=1/c=x", "n=03/c=x", "n=01/c=y"):
        lake.put(f"{folder}/a.parquet", "SELECT 1::BIGINT a")
    lake.table(
        {"a": "bigint"},
        "n",
        "c",
        projection__n__type="integer",
        projection__n__range="1,2",
        projection__n__digits="2",
        projection__c__type="enum",
        projection__c__values="x,z",
    )

    assert lake.rows("SELECT n, c FROM {table}") == [["01", "x"]]


def test_an_injected_partition_must_be_named(lake: Lake) -> None:
    lake.put("c=x/a.parquet", "SELECT 1::BIGINT a")
    lake.table({"a": "bigint"}, "c", projection__c__type="injected")

    assert lake.reason("SELECT a FROM {table}") == "CONSTRAINT_VIOLATION"
    assert lake.rows("SELECT a FROM {table} WHERE c = 'x'") == [["1"]]


def test_a_partition_without_projection_fails_the_query(lake: Lake) -> None:
    lake.table({"a": "bigint"}, "c")

    assert lake.reason("SELECT a FROM {table}") == "HIVE_METASTORE_ERROR"


@pytest.mark.parametrize("kind", ["struct<a-b:bigint>", "uuid", "array<bigint", "time"])
def test_a_type_that_hive_does_not_have_makes_the_table_unusable(lake: Lake, kind: str) -> None:
    lake.table({"id": "bigint", "odd": kind})

    assert lake.reason("SELECT id FROM {table}").startswith("HIVE_")


def test_a_view_is_read_like_a_table(lake: Lake, server: Server) -> None:
    lake.put("a.parquet", "SELECT i::BIGINT i FROM range(3) r(i)")
    lake.table({"i": "bigint"})
    definition = {
        "originalSql": f'SELECT i FROM "{DATABASE}"."{lake.name}" WHERE i > 0',
        "catalog": "awsdatacatalog",
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    server.client("glue", REGION).create_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": f"{lake.name}_view",
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true"},
            "PartitionKeys": [],
            "ViewOriginalText": f"/* Presto View: {encoded} */",
            "ViewExpandedText": "/* Presto View */",
            "StorageDescriptor": {"Columns": [{"Name": "i", "Type": "bigint"}]},
        },
    )

    assert lake.rows(f"SELECT sum(v.i) FROM awsdatacatalog.{DATABASE}.{lake.name}_view v") == [["3"]]
    ((created,),) = lake.rows(f"SHOW CREATE VIEW {lake.name}_view")
    assert created == (
        f"CREATE VIEW awsdatacatalog.{DATABASE}.{lake.name}_view SECURITY DEFINER AS\n"
        f'SELECT\n  i\nFROM "{DATABASE}"."{lake.name}"\nWHERE\n  i > 0'
    )
    assert lake.rows(f'show create view "{DATABASE}"."{lake.name}_view"') == [[created]]
    assert lake.reason(f"SHOW CREATE VIEW {lake.name}") == "NOT_SUPPORTED"
    assert lake.reason("SHOW CREATE VIEW nowhere") == "TABLE_NOT_FOUND"


def test_bytes_are_counted_for_the_columns_that_are_read(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT i::BIGINT i, repeat(md5(i::VARCHAR), 10) wide FROM range(2000) r(i)")
    lake.table({"i": "bigint", "wide": "string"})

    one, all_columns = lake.ask("SELECT max(i) FROM {table}"), lake.ask("SELECT * FROM {table}")

    scanned = [execution["Statistics"]["DataScannedInBytes"] for execution in (one, all_columns)]
    assert 0 < scanned[0] < scanned[1] / 2


def test_more_bytes_than_the_workgroup_allows_cancel_the_query(lake: Lake) -> None:
    lake.put("a.parquet", "SELECT i::BIGINT i, md5(i::VARCHAR) wide FROM range(400000) r(i)")
    lake.table({"i": "bigint", "wide": "string"})

    assert lake.ask("SELECT max(wide) FROM {table}")["Status"]["State"] == "CANCELLED"
    assert lake.ask("SELECT max(i) FROM {table}")["Status"]["State"] == "SUCCEEDED"


def test_what_is_not_there_is_named(lake: Lake) -> None:
    assert lake.reason("SELECT 1 FROM nowhere") == "TABLE_NOT_FOUND"
    assert lake.reason("SELECT 1 FROM other.public.nowhere") == "CATALOG_NOT_FOUND"
    assert lake.reason("DROP TABLE {table}") == "NOT_SUPPORTED"


def test_a_query_reads_with_the_callers_permissions(lake: Lake, server: Server) -> None:
    lake.put("a.parquet", "SELECT 1::BIGINT a")
    lake.table({"a": "bigint"})
    iam = server.client("iam", "us-east-1")
    iam.create_user(UserName=lake.name)
    key = iam.create_access_key(UserName=lake.name)["AccessKey"]
    reader = Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    def allow(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=lake.name, PolicyName="may", PolicyDocument=document)

    allow("athena:*", "glue:GetTable", "s3:ListBucket")
    assert lake.reason("SELECT a FROM {table}", reader) == "PERMISSION_DENIED"
    allow("athena:*", "glue:GetTable", "s3:ListBucket", "s3:GetObject")
    assert lake.rows("SELECT a FROM {table}", reader) == [["1"]]
    allow("glue:GetTable", "s3:ListBucket", "s3:GetObject")
    with pytest.raises(ClientError) as refused:
        lake.ask("SELECT a FROM {table}", reader)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)


def test_a_workgroup_in_use_is_not_deleted_unless_told_so(lake: Lake, server: Server) -> None:
    athena = server.client("athena", REGION)
    athena.create_work_group(
        Name=lake.name, Configuration={"ManagedQueryResultsConfiguration": {"Enabled": True}}
    )
    athena.create_named_query(Name="q", Database=DATABASE, QueryString="SELECT 1", WorkGroup=lake.name)

    with pytest.raises(ClientError) as refused:
        athena.delete_work_group(WorkGroup=lake.name)

    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
    athena.delete_work_group(WorkGroup=lake.name, RecursiveDeleteOption=True)


def test_results_have_one_home(server: Server) -> None:
    with pytest.raises(ClientError) as refused:
        server.client("athena", REGION).create_work_group(
            Name="two-homes",
            Configuration={
                "ManagedQueryResultsConfiguration": {"Enabled": True},
                "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/results/"},
            },
        )

    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


def test_a_deleted_database_leaves_no_tags(server: Server) -> None:
    glue, tagging = (server.client(service, REGION) for service in ("glue", "resourcegroupstaggingapi"))
    glue.create_database(DatabaseInput={"Name": "short_lived"}, Tags={"Environment": "short-lived"})
    filters = [{"Key": "Environment", "Values": ["short-lived"]}]
    assert len(tagging.get_resources(TagFilters=filters)["ResourceTagMappingList"]) == 1
    glue.delete_database(Name="short_lived")
    assert tagging.get_resources(TagFilters=filters)["ResourceTagMappingList"] == []
