"""The part of the Logs Insights query language that the dashboard's tables use.

`SOURCE 'group' | fields a, b | filter c = 'd' | sort e desc | limit n`, over structured (JSON) log lines.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_QUERY = re.compile(
    r"SOURCE '(?P<source>[^']+)' \| fields (?P<fields>[\w@, ]+?)"
    r" \| filter (?P<filter>\w+) = '(?P<value>[^']*)'"
    r" \| sort (?P<sort>[\w@]+) (?P<order>asc|desc) \| limit (?P<limit>\d+)"
)


@dataclass(frozen=True, kw_only=True)
class Query:
    """A parsed query."""

    log_group: str
    fields: tuple[str, ...]
    where: tuple[str, str]
    """A field and its required value."""
    sort: str
    newest_first: bool
    limit: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a query; raise ValueError for one of another form."""
        found = _QUERY.fullmatch(text)
        if found is None:
            raise ValueError(f"logs insights: cannot evaluate {text!r}")
        return cls(
            log_group=found["source"],
            fields=tuple(name.strip() for name in found["fields"].split(",")),
            where=(found["filter"], found["value"]),
            sort=found["sort"],
            newest_first=found["order"] == "desc",
            limit=int(found["limit"]),
        )

    def select(self, events: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
        """Return the rows that the query selects from events of CloudWatch Logs."""
        entries = [
            {**entry, "@timestamp": _time(event["timestamp"])}
            for event in events
            if (entry := _structured(event["message"])).get(self.where[0]) == self.where[1]
        ]
        entries.sort(key=lambda entry: str(entry.get(self.sort, "")), reverse=self.newest_first)
        return [{name: str(entry.get(name, "")) for name in self.fields} for entry in entries[: self.limit]]


def _structured(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
