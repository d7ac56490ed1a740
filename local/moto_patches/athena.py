"""Queries of Athena. In moto, every query succeeds and returns no rows."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.athena.models import athena_backends
from moto.athena.responses import AthenaResponse
from moto.core.exceptions import JsonRESTError
from moto.glue.exceptions import DatabaseNotFoundException, TableNotFoundException
from moto.glue.models import glue_backends
from moto.glue.responses import GlueResponse
from moto.s3.models import FakeDeleteMarker, s3_backends

from local.athena import query
from local.athena.catalog import QueryFailedError, Table
from local.moto_patches.iam_enforcement import caller_may
from local.moto_patches.moto_account import ACCOUNT, PARTITION

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE_ROWS_MAX = 1000
"""Maximum rows of a page. The first row has the column names (Athena API reference, GetQueryResults)."""

QUERY_BYTES_MAX = 262_144
"""Maximum length of a query in bytes (Athena user guide, "Service quotas")."""


class InvalidRequestError(JsonRESTError):
    """A request that Athena refuses."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("InvalidRequestException", message)


@dataclass
class _Execution:
    """One query and its result."""

    query: str
    database: str
    workgroup: str
    submitted: float = field(default_factory=time.time)
    state: str = "SUCCEEDED"
    reason: str | None = None
    result: query.Result | None = None

    def described(self, identity: str) -> dict[str, Any]:
        """Return the query's entry in a response of GetQueryExecution."""
        status = {
            "State": self.state,
            "SubmissionDateTime": self.submitted,
            "CompletionDateTime": self.submitted,
        }
        return {
            "QueryExecutionId": identity,
            "Query": self.query,
            "StatementType": "DML",
            "ManagedQueryResultsConfiguration": {"Enabled": True},
            "QueryExecutionContext": {"Database": self.database, "Catalog": "awsdatacatalog"},
            "Status": status | ({"StateChangeReason": self.reason} if self.reason else {}),
            "Statistics": {
                "DataScannedInBytes": self.result.scanned_bytes if self.result else 0,
                "TotalExecutionTimeInMillis": 0,
            },
            "WorkGroup": self.workgroup,
            "EngineVersion": {"EffectiveEngineVersion": "Athena engine version 3"},
        }


_executions: dict[str, _Execution] = {}


def install() -> None:
    """Apply the patch; call this once, before the server handles requests."""
    _name_the_resource_of_each_call()
    for action in (
        _start_query_execution,
        _get_query_execution,
        _batch_get_query_execution,
        _get_query_results,
        _list_query_executions,
        _stop_query_execution,
        _batch_get_named_query,
        _update_named_query,
        _delete_named_query,
        _update_work_group,
        _delete_work_group,
    ):
        setattr(AthenaResponse, action.__name__.removeprefix("_"), action)
    create = AthenaResponse.create_work_group

    def create_work_group(self: AthenaResponse) -> Any:  # noqa: ANN401 - moto's response
        _check_results(self._get_param("Configuration") or {})
        return create(self)

    AthenaResponse.create_work_group = create_work_group


def _name_the_resource_of_each_call() -> None:
    """Compare policies with the ARN of each call. Moto compares them with "*", which no exact ARN matches."""

    def athena(self: AthenaResponse) -> str:
        action = self._get_action()
        if action == "GetDataCatalog":
            return f"arn:aws:athena:{self.region}:{ACCOUNT}:datacatalog/{self._get_param('Name')}"
        name = self._get_param("WorkGroup") or self._get_param("Name")
        if identity := self._get_param("QueryExecutionId"):
            name = _executions[identity].workgroup if identity in _executions else "*"
        if identity := self._get_param("NamedQueryId"):
            named = athena_backends[ACCOUNT][self.region].named_queries.get(identity)
            name = named.workgroup.name if named else "*"
        return f"arn:aws:athena:{self.region}:{ACCOUNT}:workgroup/{name or 'primary'}"

    def glue(self: GlueResponse) -> str:
        database, table = (
            self._get_param("DatabaseName"),
            self._get_param("TableName") or self._get_param("Name"),
        )
        if self._get_action() in ("GetDatabase", "GetDatabases"):
            database, table = table, None
        arn = f"arn:aws:glue:{self.region}:{ACCOUNT}:"
        if database is None:
            return f"{arn}catalog"
        return f"{arn}table/{database}/{table}" if table else f"{arn}database/{database}"

    AthenaResponse._determine_resource = athena  # type: ignore[attr-defined]  # noqa: SLF001 - moto's hook for it
    GlueResponse._determine_resource = glue  # type: ignore[attr-defined]  # noqa: SLF001 - moto's hook for it


class _CallersView:
    """The catalog and the buckets, with the caller's permissions."""

    def __init__(self, region: str) -> None:
        self._region = region

    def table(self, database: str, name: str) -> Table | None:
        self._require("glue:GetTable", f"arn:aws:glue:{self._region}:{ACCOUNT}:table/{database}/{name}")
        try:
            return Table.read(glue_backends[ACCOUNT][self._region].get_table(database, name).as_dict())
        except (DatabaseNotFoundException, TableNotFoundException):
            return None

    def keys(self, bucket: str, prefix: str) -> Iterator[str]:
        self._require("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix})
        for key, version in s3_backends[ACCOUNT][PARTITION].get_bucket(bucket).keys.items():
            # Athena does not read archived objects.
            if (
                key.startswith(prefix)
                and not isinstance(version, FakeDeleteMarker)
                and version.storage_class
                not in (
                    "GLACIER",
                    "DEEP_ARCHIVE",
                )
            ):
                yield key

    def read(self, bucket: str, key: str) -> bytes:
        self._require("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
        found = s3_backends[ACCOUNT][PARTITION].get_object(bucket, key)
        if found is None:
            raise QueryFailedError(f"HIVE_CANNOT_OPEN_SPLIT: key does not exist: {key}")
        return found.value

    @staticmethod
    def _require(action: str, resource: str, context: dict[str, str] | None = None) -> None:
        if not caller_may(action, resource, context or {}):
            raise QueryFailedError(
                f"PERMISSION_DENIED: not authorized to perform: {action} on resource: {resource}"
            )


def _start_query_execution(self: AthenaResponse) -> str:
    statement, context = self._get_param("QueryString"), self._get_param("QueryExecutionContext") or {}
    name = self._get_param("WorkGroup") or "primary"
    workgroup = athena_backends[ACCOUNT][self.region].work_groups.get(name)
    if workgroup is None:
        raise InvalidRequestError(f"WorkGroup {name} is not found.")
    if len(statement.encode()) > QUERY_BYTES_MAX:
        raise InvalidRequestError(f"QueryString must be up to {QUERY_BYTES_MAX} bytes")
    configuration = workgroup.configuration
    managed = (configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled")
    location = (configuration.get("ResultConfiguration") or {}).get("OutputLocation")
    if (
        not managed
        and not location
        and not (self._get_param("ResultConfiguration") or {}).get("OutputLocation")
    ):
        raise InvalidRequestError("No output location provided.")
    execution = _Execution(query=statement, database=context.get("Database") or "default", workgroup=name)
    limit = configuration.get("BytesScannedCutoffPerQuery")
    try:
        execution.result = query.run(
            statement, execution.database, _CallersView(self.region), datetime.now(UTC), limit
        )
    except QueryFailedError as failed:
        execution.state, execution.reason = "FAILED", str(failed)
    except query.ScanLimitError as cancelled:
        execution.state, execution.reason = "CANCELLED", str(cancelled)
    identity = str(uuid.uuid4())
    _executions[identity] = execution
    return json.dumps({"QueryExecutionId": identity})


def _find(identity: str) -> _Execution:
    if identity not in _executions:
        raise InvalidRequestError(f"QueryExecution {identity} was not found")
    return _executions[identity]


def _get_query_execution(self: AthenaResponse) -> str:
    identity = self._get_param("QueryExecutionId")
    return json.dumps({"QueryExecution": _find(identity).described(identity)})


def _batch_get_query_execution(self: AthenaResponse) -> str:
    identities = self._get_param("QueryExecutionIds")
    found = [_executions[identity].described(identity) for identity in identities if identity in _executions]
    return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": []})


def _list_query_executions(self: AthenaResponse) -> str:
    name = self._get_param("WorkGroup") or "primary"
    found = [identity for identity, execution in _executions.items() if execution.workgroup == name]
    return json.dumps({"QueryExecutionIds": found})


def _stop_query_execution(self: AthenaResponse) -> str:
    _find(self._get_param("QueryExecutionId"))  # Every query has already ended.
    return "{}"


def _get_query_results(self: AthenaResponse) -> str:
    execution = _find(self._get_param("QueryExecutionId"))
    result = execution.result
    if result is None:
        raise InvalidRequestError(f"Query did not finish successfully. Final query state: {execution.state}")
    rows: list[tuple[str | None, ...]] = [tuple(name for name, _ in result.columns), *result.rows]
    first = int(self._get_param("NextToken") or 0)
    last = first + min(int(self._get_param("MaxResults") or PAGE_ROWS_MAX), PAGE_ROWS_MAX)
    answer: dict[str, Any] = {
        "ResultSet": {
            "Rows": [
                {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
                for row in rows[first:last]
            ],
            "ResultSetMetadata": {
                "ColumnInfo": [
                    {"CatalogName": "hive", "Name": name, "Label": name, "Type": kind, "Nullable": "UNKNOWN"}
                    for name, kind in result.columns
                ]
            },
        }
    }
    if last < len(rows):
        answer["NextToken"] = str(last)
    return json.dumps(answer)


def _named_query(self: AthenaResponse, identity: str) -> Any:  # noqa: ANN401 - moto's class
    named = athena_backends[ACCOUNT][self.region].named_queries.get(identity)
    if named is None:
        raise InvalidRequestError(f"Named query {identity} was not found")
    return named


def _batch_get_named_query(self: AthenaResponse) -> str:
    found = [_named_query(self, identity) for identity in self._get_param("NamedQueryIds")]
    queries = [
        {
            "NamedQueryId": named.id,
            "Name": named.name,
            "Description": named.description,
            "Database": named.database,
            "QueryString": named.query_string,
            "WorkGroup": named.workgroup.name,
        }
        for named in found
    ]
    return json.dumps({"NamedQueries": queries, "UnprocessedNamedQueryIds": []})


def _update_named_query(self: AthenaResponse) -> str:
    named = _named_query(self, self._get_param("NamedQueryId"))
    named.name = self._get_param("Name") or named.name
    named.description = self._get_param("Description") or named.description
    named.query_string = self._get_param("QueryString") or named.query_string
    return "{}"


def _delete_named_query(self: AthenaResponse) -> str:
    named = _named_query(self, self._get_param("NamedQueryId"))
    del athena_backends[ACCOUNT][self.region].named_queries[named.id]
    return "{}"


def _update_work_group(self: AthenaResponse) -> str:
    """Apply updates. Some fields have other names (Athena API reference, WorkGroupConfigurationUpdates)."""
    workgroup = athena_backends[ACCOUNT][self.region].work_groups.get(self._get_param("WorkGroup"))
    if workgroup is None:
        raise InvalidRequestError(f"WorkGroup {self._get_param('WorkGroup')} is not found.")
    updates = dict(self._get_param("ConfigurationUpdates") or {})
    if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
        workgroup.configuration.pop("BytesScannedCutoffPerQuery", None)
    managed = updates.pop("ManagedQueryResultsConfigurationUpdates", None)
    if managed is not None:
        updates["ManagedQueryResultsConfiguration"] = managed
    _check_results(workgroup.configuration | updates)
    workgroup.configuration |= updates
    workgroup.description = self._get_param("Description") or workgroup.description
    workgroup.state = self._get_param("State") or workgroup.state
    return "{}"


def _delete_work_group(self: AthenaResponse) -> str:
    backend, name = athena_backends[ACCOUNT][self.region], self._get_param("WorkGroup")
    used = any(named.workgroup.name == name for named in backend.named_queries.values()) or any(
        execution.workgroup == name for execution in _executions.values()
    )
    if used and not self._get_param("RecursiveDeleteOption"):
        raise InvalidRequestError(f"WorkGroup {name} is not empty")
    for identity in [key for key, named in backend.named_queries.items() if named.workgroup.name == name]:
        del backend.named_queries[identity]
    backend.delete_work_group(name)
    return "{}"


def _check_results(configuration: dict[str, Any]) -> None:
    """Refuse two locations for results (Athena user guide, "Managed query results")."""
    managed = (configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled")
    if managed and (configuration.get("ResultConfiguration") or {}).get("OutputLocation"):
        raise InvalidRequestError(
            "ManagedQueryResultsConfiguration and ResultConfiguration cannot be set together"
        )
