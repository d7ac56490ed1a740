"""The questions about a dataset, about its readers and about deleted versions, on the embedded AWS."""

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import duckdb
import pytest

from local.server import Server
from ops import job_search
from ops.deployed_stacks import Stack
from sandbox import deletions, foreign_files, orders, readers, temporary_role
from tests.sandbox.embedded import REGION, EmbeddedDeployment, passing_minutes


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A region in which the dataset's files were converted."""
    with pytest.MonkeyPatch.context() as patched, Server() as server:
        deployment = EmbeddedDeployment(server, patched)
        session = boto3.Session(server.operator.key_id, server.operator.secret)
        stack = Stack.from_outputs(deployment.suffix, deployment.up(), session, server.endpoint)
        jobs = orders.upload(stack)
        with passing_minutes(server, REGION) as wait:
            wait(0)
        statuses = {key: (job_search.get(stack, job) or {})["status"] for key, job in jobs.items()}
        assert statuses == dict.fromkeys(orders.UPLOADS, "COMPLETED")
        yield stack


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def wait(waits: list[float]) -> Callable[[float], None]:
    return waits.append


def roles(stack: Stack) -> list[str]:
    return [role["RoleName"] for role in stack.client("iam").list_roles()["Roles"]]


def without(policy: dict[str, Any], *actions: str) -> dict[str, Any]:
    """Return a policy without some actions."""
    changed = copy.deepcopy(policy)
    for statement in changed["Statement"]:
        allowed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [action for action in allowed if action not in actions]
    changed["Statement"] = [statement for statement in changed["Statement"] if statement["Action"]]
    return changed


def test_a_key_with_a_space_a_percent_sign_and_a_plus_sign_is_found(
    stack: Stack, wait: Callable[[float], None]
) -> None:
    (special,) = (key for key in orders.UPLOADS if "day=2026-01-01" in key)
    assert {" ", "%", "+"} <= set(special)
    assert orders.table_rows(stack, wait) == "yes"


def test_missing_and_other_rows_are_the_answer(stack: Stack) -> None:
    another_day = orders.OF_TABLE.statement.replace("2026-01-01", "2026-01-03")
    missing = dataclasses.replace(orders.OF_TABLE, statement=another_day)
    assert orders.outcome(stack, missing) == "no: []"
    others = dataclasses.replace(orders.OF_VIEW, rows=orders.OF_VIEW.rows[:1])
    assert orders.outcome(stack, others).startswith("no: [('1', '3.75', '2026-01-02'), (")


def test_the_view_returns_the_newest_rows(stack: Stack, wait: Callable[[float], None]) -> None:
    assert orders.view_rows(stack, wait) == "yes"


def test_the_view_s_statement_is_shown_in_one_line(stack: Stack, wait: Callable[[float], None]) -> None:
    shown = orders.view_statement(stack, wait)
    assert shown.startswith(
        f"Create View CREATE VIEW awsdatacatalog.{stack.database}.orders_current SECURITY DEFINER AS SELECT"
    )
    assert len(shown) == orders.SHOWN_CHARACTERS


def test_a_reader_queries_table_and_view_with_the_policy_alone(
    stack: Stack, wait: Callable[[float], None], waits: list[float]
) -> None:
    before = roles(stack)
    assert readers.with_policy(stack, wait) == readers.QUERIES_SUCCEED
    assert readers.with_fewer_actions(stack, wait) == readers.QUERIES_SUCCEED
    assert waits == []
    assert roles(stack) == before


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("glue:GetTable", "PERMISSION_DENIED: not authorized to perform: glue:GetTable"),
        ("s3:GetObject", "PERMISSION_DENIED: not authorized to perform: s3:GetObject"),
        ("athena:StartQueryExecution", "is not authorized to perform: athena:StartQueryExecution"),
    ],
)
def test_a_missing_permission_of_a_reader_is_named(
    stack: Stack,
    wait: Callable[[float], None],
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    said: str,
) -> None:
    policy = readers._policy(stack)
    monkeypatch.setattr(readers, "_policy", lambda _: without(policy, action))
    monkeypatch.setattr(temporary_role, "POLLS", 2)
    before = roles(stack)
    answer = readers.with_policy(stack, wait)
    assert answer.startswith("table: no: ")
    assert answer.count(said) == len(("table", "view"))
    assert waits == [temporary_role.POLL_SECONDS] * 2
    assert roles(stack) == before


def test_fewer_actions_are_fewer(stack: Stack) -> None:
    policy = readers._policy(stack)
    fewer = json.dumps(readers._without(policy, readers.MAYBE_UNUSED))
    assert [action for action in readers.MAYBE_UNUSED if action not in json.dumps(policy)] == []
    assert [action for action in readers.MAYBE_UNUSED if f'"{action}"' in fewer] == []
    assert '"Action": []' not in fewer


def test_a_role_is_deleted_after_an_error_too(
    stack: Stack, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = roles(stack)

    def ask(_reader: Stack, _query: orders.Query) -> str:
        assert roles(stack) != before
        raise ValueError("of the question")

    monkeypatch.setattr(orders, "outcome", ask)
    with pytest.raises(ValueError, match="of the question"):
        readers.with_policy(stack, wait)
    assert roles(stack) == before


def test_a_role_that_iam_does_not_know_yet_is_assumed_again(
    stack: Stack, wait: Callable[[float], None], waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    sts = stack.client("sts")
    assume, refused = sts.assume_role, ["AccessDenied", "AccessDenied"]

    def refuse_at_first(**call: str) -> Any:
        if refused:
            raise sts.exceptions.ClientError({"Error": {"Code": refused.pop()}}, "AssumeRole")
        return assume(**call)

    monkeypatch.setattr(sts, "assume_role", refuse_at_first)
    assert readers.with_policy(stack, wait) == readers.QUERIES_SUCCEED
    assert waits == [temporary_role.POLL_SECONDS] * 2
    refused += ["AccessDenied"] * temporary_role.POLLS
    before = roles(stack)
    with pytest.raises(sts.exceptions.ClientError, match="AccessDenied"):
        readers.with_policy(stack, wait)
    assert roles(stack) == before


def test_a_deleted_version_is_read_with_all_permissions_and_with_the_function_s(
    stack: Stack, wait: Callable[[float], None]
) -> None:
    before = roles(stack)
    assert deletions.deleted_version(stack, wait) == "404 NoSuchVersion"
    assert deletions.deleted_version_for_function(stack, wait) == "404 NoSuchVersion"
    assert roles(stack) == before


@pytest.mark.parametrize(
    ("denied", "expected"),
    [("s3:ListBucket", "403 AccessDenied"), ("s3:GetObjectVersion", "not answered: the current version")],
)
def test_the_answer_depends_on_the_function_s_permissions(
    stack: Stack,
    wait: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    denied: str,
    expected: str,
) -> None:
    monkeypatch.setattr(temporary_role, "POLLS", 1)
    iam, role = stack.client("iam"), stack.physical("lambda-role")
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policies = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    (name,) = (name for name, policy in policies.items() if denied in json.dumps(policy))
    read = {"RoleName": role, "PolicyName": name}
    iam.put_role_policy(**read, PolicyDocument=json.dumps(without(policies[name], denied)))
    try:
        assert deletions.deleted_version_for_function(stack, wait).startswith(expected)
    finally:
        iam.put_role_policy(**read, PolicyDocument=json.dumps(policies[name]))


def test_versions_of_results_are_counted(stack: Stack, wait: Callable[[float], None]) -> None:
    s3 = stack.client("s3")
    listed = s3.list_object_versions(Bucket=stack.bucket)
    kinds = [
        [one for one in listed.get(kind, ()) if one["Key"].startswith(("processed/", "rejected/"))]
        for kind in ("Versions", "DeleteMarkers")
    ]
    assert len(kinds[0]) >= len(orders.UPLOADS)
    assert len(kinds[0]) < len(listed["Versions"])
    expected = f"{len(kinds[0])} versions and {len(kinds[1])} delete markers"
    assert deletions.protected_versions(stack, wait) == expected


def rows(statement: str) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute(statement).fetchall()


def test_each_file_has_the_timestamp_that_its_question_names() -> None:
    for file, adjusted in (("microseconds", 0), ("adjusted_to_utc", 1)):
        path = foreign_files.FILES / f"{file}.parquet"
        ((kind,),) = rows(f"SELECT logical_type FROM parquet_schema('{path}') WHERE name = 'moment'")
        assert f"isAdjustedToUTC={adjusted}" in kind
        assert "MICROS=MicroSeconds()" in kind
        assert rows(f"SELECT epoch_us(moment), id FROM '{path}'") == [(1767261600123600, 1)]


def test_timestamps_and_missing_columns_are_read_as_athena_reads_them(
    stack: Stack, wait: Callable[[float], None]
) -> None:
    assert foreign_files.microseconds(stack, wait) == "2026-01-01 10:00:00.124"
    assert foreign_files.missing_column(stack, wait) == "null"


def test_a_table_exists_for_its_question_only(stack: Stack, wait: Callable[[float], None]) -> None:
    """The embedded Athena refuses this file."""
    tables = stack.client("glue").get_tables
    with pytest.raises(Exception, match="HIVE_BAD_DATA"):
        foreign_files.adjusted_to_utc(stack, wait)
    names = {table["Name"] for table in tables(DatabaseName=stack.database)["TableList"]}
    assert names == {"orders", "orders_current"}
