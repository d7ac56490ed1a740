"""Rules for Glue tables and Athena workgroups: settings that Athena accepts, and locations in S3."""

import re
from collections.abc import Iterator

from .documents import values
from .model import UNKNOWN, Resource, Stack, resource_rule, stack_rule

BUCKET = "aws:s3/bucket:Bucket"
CATALOG_DATABASE = "aws:glue/catalogDatabase:CatalogDatabase"
CATALOG_TABLE = "aws:glue/catalogTable:CatalogTable"
WORKGROUP = "aws:athena/workgroup:Workgroup"

SCAN_LIMIT_BYTES_MIN = 10_000_000
"""The minimum of BytesScannedCutoffPerQuery (Athena API reference, "WorkGroupConfiguration")."""

_NAME = re.compile("[a-z0-9_]{1,255}")
_LOCATION = re.compile(r"s3://(?P<bucket>[^/]+)/(?:[^/]+/)*")


@stack_rule()
def tables_in_the_stack(stack: Stack) -> Iterator[tuple[Resource | None, str]]:
    """Athena can read buckets of other regions, so tables must lie in folders of the stack's bucket."""
    buckets = {bucket.at("bucket") for bucket in stack.of(BUCKET)}
    if UNKNOWN in buckets:
        return
    for resource in stack.resources:
        for path, text in _locations(resource):
            location = _LOCATION.fullmatch(text)
            if not location or location["bucket"] not in buckets:
                yield resource, f"{path} is {text}; it should be s3://<the stack's bucket>/<folders>/"


@resource_rule(CATALOG_DATABASE, CATALOG_TABLE)
def catalog_names(resource: Resource, _region: str) -> Iterator[str]:
    """Glue converts names to lower case, and Athena accepts no special character in them except _."""
    named = [("name", resource.at("name"))]
    for path in (("storageDescriptor", "columns"), ("partitionKeys",)):
        named += [
            (f"{'.'.join(path)}[{number}].name", column.get("name"))
            for number, column in enumerate(resource.listed(*path))
        ]
    for path, name in named:
        if isinstance(name, str) and not _NAME.fullmatch(name):
            yield f"{path} is {name!r}; use up to 255 lower-case letters, digits and _"


@resource_rule(CATALOG_TABLE)
def table_readable(table: Resource, _region: str) -> Iterator[str]:
    """Athena needs a type for a table, a partition list for a view and a projection for each partition."""
    kind, parameters = table.at("tableType"), table.at("parameters")
    if kind not in ("EXTERNAL_TABLE", "VIRTUAL_VIEW", UNKNOWN):
        yield f"tableType is {kind}; use EXTERNAL_TABLE or VIRTUAL_VIEW"
    if kind == "VIRTUAL_VIEW" and table.at("partitionKeys") not in ([], UNKNOWN):
        yield f"partitionKeys is {table.at('partitionKeys')}; a view has an empty list"
    if not isinstance(parameters, dict):
        return
    for column in table.listed("partitionKeys"):
        name = column.get("name")
        if f"projection.{name}.type" not in parameters:
            yield f"parameters has no projection.{name}.type; every partition needs a projection"
        if f"${{{name}}}/" not in str(parameters.get("storage.location.template")):
            yield f"storage.location.template has no ${{{name}}}/; every partition has a folder in it"


@resource_rule(WORKGROUP)
def workgroup_accepted(workgroup: Resource, _region: str) -> Iterator[str]:
    """Athena refuses some settings of a workgroup, and deletes a workgroup with queries only if forced."""
    limit = workgroup.at("configuration", "bytesScannedCutoffPerQuery")
    if isinstance(limit, int | float) and limit < SCAN_LIMIT_BYTES_MIN:
        yield f"bytesScannedCutoffPerQuery is {limit:g}; use {SCAN_LIMIT_BYTES_MIN} or more"
    location = workgroup.at("configuration", "resultConfiguration", "outputLocation")
    if location not in (None, UNKNOWN):
        yield f"outputLocation is {location}; managed query results exclude one"
    engine = workgroup.at("configuration", "engineVersion", "selectedEngineVersion")
    if engine not in ("Athena engine version 3", UNKNOWN):
        yield f"selectedEngineVersion is {engine}; use Athena engine version 3"
    if workgroup.at("forceDestroy") not in (True, UNKNOWN):
        yield f"forceDestroy is {workgroup.at('forceDestroy')}; set it, or a destroy fails after a query"


def _locations(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield the property and the value of each S3 location in the catalog. Placeholders count as folders."""
    if resource.type not in (CATALOG_DATABASE, CATALOG_TABLE):
        return
    for path, value in values(resource.properties):
        is_location = path.rpartition(".")[2] in ("location", "locationUri")
        if isinstance(value, str) and value and (is_location or value.startswith(("s3:", "s3a:", "s3n:"))):
            yield path, value
