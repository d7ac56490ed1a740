"""`python -m ops query` runs SQL in Athena, in each region or in one."""

import csv
import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from local.cloud import Cloud
from ops import athena
from ops.athena import Answer
from ops.commands import query_datasets
from ops.operator_errors import OpsError
from tests.ops.conftest import Run
from tests.terminal.width import check_width

HEADER = "faa,name,lat,lon,alt,tz,dst,tzone\n"
LONG_NAME = "A name that is longer than a terminal is wide " * 3


def table(code: str, *names: str) -> bytes:
    rows = [f"{code}{number},{name},40.5,-73.25,{number},-5,A,NA\n" for number, name in enumerate(names)]
    return (HEADER + "".join(rows)).encode()


@pytest.fixture
def code(cloud: Cloud, region: str) -> Iterator[str]:
    """The beginning of the airports' codes that the test has uploaded in a region."""
    code = uuid.uuid4().hex[:8]
    key = f"input/airports/{code}.csv"
    cloud.upload(region, key, table(code, "Kennedy", 'La "Guardia"', "Ñewark [EWR]"))
    cloud.run_until_idle()
    yield code
    cloud.delete(region, key)
    cloud.run_until_idle()


def select(code: str, what: str = "faa, airport, altitude, time_zone") -> str:
    return f"SELECT {what} FROM airports WHERE faa LIKE '{code}%' ORDER BY 1"


def test_a_table_shows_names_values_and_the_price(code: str, region: str, ops: Run) -> None:
    answer = ops("query", select(code), "--region", region)
    assert answer.status == 0, answer.err
    stack, headings, *rows, scanned = answer.out.splitlines()
    assert stack == region
    assert headings.split() == ["faa", "airport", "altitude", "time_zone"]
    assert rows[0].split() == [f"{code}0", "Kennedy", "0", "NULL"]
    assert rows[2].split() == [f"{code}2", "Ñewark", "[EWR]", "2", "NULL"]
    assert "about 0.000050 US dollars" in scanned, "Athena bills at least 10 MB"


def test_csv_is_read_back_as_it_was(code: str, region: str, ops: Run) -> None:
    answer = ops("query", select(code), "--region", region, "--csv")
    assert list(csv.reader(io.StringIO(answer.out))) == [
        ["faa", "airport", "altitude", "time_zone"],
        [f"{code}0", "Kennedy", "0", ""],
        [f"{code}1", 'La "Guardia"', "1", ""],
        [f"{code}2", "Ñewark [EWR]", "2", ""],
    ]


def test_a_time_with_a_zone_is_written_as_athena_does(code: str, region: str, ops: Run) -> None:
    moment = "from_iso8601_timestamp('2024-01-31T10:00:00Z') AS moment"
    answer = ops("query", select(code, moment), "--region", region, "--csv")
    assert answer.out.splitlines()[1] == "2024-01-31 10:00:00.000 UTC"


def test_json_has_null_and_the_stack(code: str, region: str, ops: Run) -> None:
    answer = ops("query", select(code, "faa, time_zone"), "--region", region, "--json")
    assert [json.loads(line) for line in answer.out.splitlines()] == [
        {"stack": region, "faa": f"{code}{number}", "time_zone": None} for number in range(3)
    ]


@pytest.mark.parametrize("columns", ["faa AS stack", "faa AS name, airport AS name"])
def test_json_needs_names_that_differ(code: str, region: str, ops: Run, columns: str) -> None:
    answer = ops("query", select(code, columns), "--region", region, "--json")
    assert (answer.status, answer.out) == (2, "")
    assert f"got 2 columns '{columns.split()[2].strip(',')}': rename them with AS" in answer.err


def test_csv_needs_the_same_columns_in_each_stack(capsys: pytest.CaptureFixture[str]) -> None:
    table = query_datasets._Csv(with_stack=True)
    stacks: list[Any] = [SimpleNamespace(name="one"), SimpleNamespace(name="other")]
    table.write(stacks[0], Answer(columns=["a"], rows=iter([["表"]]), scanned_bytes=0))
    with pytest.raises(OpsError, match="got a, b in other"):
        table.write(stacks[1], Answer(columns=["a", "b"], rows=iter([]), scanned_bytes=0))
    assert capsys.readouterr().out == "stack,a\none,表\n"


def test_each_region_answers_for_its_own_rows(cloud: Cloud, code: str, region: str, ops: Run) -> None:
    answer = ops("query", select(code, "count(*) AS n"), "--csv")
    header, *rows = csv.reader(io.StringIO(answer.out))
    assert header == ["stack", "n"]
    counts = dict(rows)
    assert counts == {stack: "3" if stack == region else "0" for stack in cloud.stacks}


def test_a_table_is_limited_and_says_so(code: str, region: str, ops: Run) -> None:
    answer = ops("query", select(code), "--region", region, "--limit", "2")
    assert f"{code}1" in answer.out
    assert f"{code}2" not in answer.out
    assert "first 2 rows" in answer.out


def test_wide_results_fit_80_columns_and_cut_no_value(cloud: Cloud, region: str, ops: Run) -> None:
    code = uuid.uuid4().hex[:8]
    key = f"input/airports/{code}.csv"
    cloud.upload(region, key, table(code, LONG_NAME))
    cloud.run_until_idle()
    try:
        answer = ops("query", select(code, "*"), "--region", region)
    finally:
        cloud.delete(region, key)
        cloud.run_until_idle()
    check_width(answer.out, [LONG_NAME.strip()])
    for value in (f"{code}0", LONG_NAME.strip(), "40.5", "-73.25", "utc_offset -5", "time_zone NULL"):
        assert value in answer.out


def test_a_wrong_query_is_one_line_with_athenas_reason(region: str, ops: Run) -> None:
    answer = ops("query", "SELECT no_such_column FROM airports", "--region", region)
    assert (answer.status, answer.out) == (2, "")
    (line,) = answer.err.splitlines()
    assert "SYNTAX_ERROR" in line
    assert "no_such_column" in line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["SELECT 1 FROM nowhere"], "no dataset of stack"),
        (["SELECT 1 FROM airports", "--dataset", "nowhere"], "no dataset 'nowhere'"),
        (["SELECT 1 FROM airports", "--region", "eu-west-9"], "no stack is in region 'eu-west-9'"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(ops: Run, arguments: list[str], said: str) -> None:
    answer = ops("query", *arguments)
    assert answer.status == 2
    assert said in answer.err
    assert "eu-west-1" in answer.err if "eu-west-9" in said else "airports" in answer.err


def test_a_query_over_the_scan_limit_is_cancelled(
    cloud: Cloud, region: str, ops: Run, tmp_path: Path
) -> None:
    """The workgroup's limit is the smallest that Athena has: 10 MB."""
    code = uuid.uuid4().hex[:8]
    wide = tmp_path / "wide.parquet"
    columns = (
        "md5(i::VARCHAR) AS airport, 1::DOUBLE AS latitude, 1::DOUBLE AS longitude, 1::BIGINT AS altitude"
    )
    duckdb.sql(f"COPY (SELECT '{code}' AS faa, {columns} FROM range(400000) r(i)) TO '{wide}'")
    s3, bucket = cloud.client("s3", region, cloud.assume_function_role(region)), cloud.outputs[region]
    place = {"Bucket": bucket["bucketName"], "Key": f"processed/input/airports/{code}.csv.parquet"}
    workgroup = bucket["datasets"]["airports"]["workgroup"]
    client = cloud.client("athena", region)
    limit = client.get_work_group(WorkGroup=workgroup)["WorkGroup"]["Configuration"].get(
        "BytesScannedCutoffPerQuery"
    )
    s3.put_object(**place, Body=wide.read_bytes())
    try:
        set_limit(client, workgroup, 10_000_000)
        answer = ops("query", select(code, "max(airport)"), "--region", region)
        small = ops("query", select(code, "max(altitude)"), "--region", region, "--csv")
    finally:
        set_limit(client, workgroup, limit)
        s3.delete_object(**place)
    assert answer.status == 2
    assert "cancelled" in answer.err
    assert "Bytes scanned limit was exceeded" in answer.err
    assert small.out.splitlines()[1] == "1"


def set_limit(client: Any, workgroup: str, limit: int | None) -> None:
    change = {"BytesScannedCutoffPerQuery": limit} if limit else {"RemoveBytesScannedCutoffPerQuery": True}
    client.update_work_group(WorkGroup=workgroup, ConfigurationUpdates=change)


def test_progress_is_shown_on_a_terminal_alone(
    code: str, region: str, ops: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("query", select(code), "--region", region, "--json")
    in_a_pipe = ops(*arguments)
    assert in_a_pipe.err == ""
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes the output for a terminal
    on_a_terminal = ops(*arguments)
    assert f"{region}: succeeded" in on_a_terminal.err
    assert on_a_terminal.out == in_a_pipe.out


@pytest.mark.parametrize(
    ("reasons", "status", "runs"),
    [
        (["HIVE_CANNOT_OPEN_SPLIT: key does not exist: processed/x"], 0, 2),
        (["HIVE_CANNOT_OPEN_SPLIT: Incorrect fileSize 7 for file (7)"], 0, 2),
        (["HIVE_CANNOT_OPEN_SPLIT: key does not exist: processed/x"] * 2, 2, 2),
        (["HIVE_BAD_DATA: Field altitude's type BYTE_ARRAY is incompatible"], 2, 1),
    ],
)
def test_a_query_is_repeated_once_if_an_object_was_replaced_meanwhile(
    code: str,
    region: str,
    ops: Run,
    monkeypatch: pytest.MonkeyPatch,
    reasons: list[str],
    status: int,
    runs: int,
) -> None:
    execute, started = athena._execute, list[str]()

    def fail_at_first(*arguments: Any) -> dict[str, Any]:
        started.append(arguments[1])
        if len(started) > len(reasons):
            return execute(*arguments)
        return {"Status": {"State": "FAILED", "StateChangeReason": reasons[len(started) - 1]}}

    monkeypatch.setattr(athena, "_execute", fail_at_first)
    answer = ops("query", select(code), "--region", region, "--csv")
    assert (answer.status, len(started)) == (status, runs)
    assert (f"{code}0" in answer.out) == (status == 0)


def test_an_interrupted_query_is_stopped() -> None:
    stopped: list[str] = []
    client = SimpleNamespace(
        start_query_execution=lambda **_: {"QueryExecutionId": "id"},
        get_query_execution=lambda **_: {"QueryExecution": {"Status": {"State": "RUNNING"}}},
        stop_query_execution=lambda **call: stopped.append(call["QueryExecutionId"]),
    )
    stack: Any = SimpleNamespace(client=lambda _: client, database="d", region="eu-west-1")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        athena.run_query(stack, "SELECT 1 FROM airports", "workgroup", interrupt)
    assert stopped == ["id"]
