"""Names that Athena and the Glue Data Catalog accept without quotes."""

import re
from collections.abc import Iterator

NAME_LENGTH_MAX = 255
"""Athena user guide, "Name databases, tables, and columns"."""

_NAME = re.compile("[a-z][a-z0-9_]*")

_RESERVED = """
all alter and array as authorization between bigint binary boolean both by case cashe cast char column conf
constraint commit create cross cube current current_catalog current_date current_path current_schema
current_time current_timestamp current_user cursor database date dayofweek deallocate decimal delete
describe distinct div double drop else end escape except exchange execute exists extended external extract
false fetch first float floor following for foreign from full function grant group grouping having if import
in inner insert int integer intersect interval into is join json_array json_exists json_object json_query
json_table json_value last lateral left less like listagg local localtime localtimestamp macro map more
natural none normalize not null numeric of on only or order out outer over partialscan partition percent
preceding precision prepare preserve primary procedure range reads recursive reduce references regexp revoke
right rlike rollback rollup row rows select set skip smallint start table tablesample then time timestamp to
transform trigger trim true truncate uescape unbounded union uniquejoin unnest update user using
utc_timestamp values varchar views when where window with
"""

RESERVED = frozenset(_RESERVED.split())
"""Athena user guide, "Escape reserved keywords in queries": the lists for DDL and for SELECT, combined."""


def problems(name: str) -> Iterator[str]:
    """Yield the problem of a name, if it has one."""
    if not _NAME.fullmatch(name) or len(name) > NAME_LENGTH_MAX:
        yield (
            f"must be a lower-case letter and up to {NAME_LENGTH_MAX - 1} lower-case letters, digits and _"
            f" (Athena takes no other without quotes), got {name!r}"
        )
    elif name in RESERVED:
        yield f"must be no reserved word of Athena, for example {name}_, got {name!r}"
