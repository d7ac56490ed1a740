"""Projections of a partition column, each with values, some of which are in the projection."""

from collections.abc import Sequence
from typing import Any

PROJECTIONS: Sequence[tuple[dict[str, Any], Sequence[str]]] = [
    (
        {"type": "date", "first": "2026-01-01", "last": "NOW+1DAY"},
        ["2026-01-01", "2025-12-31", "2026-1-2", "2026-02-30", "today", "2999-01-01", "2026-03-01"],
    ),
    (
        {"type": "date", "first": "20260101", "last": "20260131", "format": "yyyyMMdd", "interval": 7},
        ["20260101", "20260102", "20260108", "20260129", "20260131"],
    ),
    (
        {
            "type": "date", "first": "2026-01-01-00", "last": "2026-01-02-23", "format": "yyyy-MM-dd-HH",
            "intervalUnit": "HOURS",
        },
        ["2026-01-01-00", "2026-01-01-23", "2026-01-01-24", "2026-01-03-00"],
    ),
    ({"type": "integer", "first": "1", "last": "12", "digits": 2}, ["01", "1", "12", "13", "-01", "001"]),
    ({"type": "integer", "first": "-2", "last": "8", "interval": 5}, ["-2", "3", "8", "0", "03"]),
    ({"type": "enum", "values": ["de", "fr"]}, ["de", "fr", "DE", "it"]),
]  # fmt: skip

NOT_OF_TRINO: Sequence[tuple[dict[str, Any], Sequence[str]]] = [
    (
        {"type": "date", "first": "2026-01", "last": "2026-12", "format": "yyyy-MM"},
        ["2026-01", "2025-12", "2026-13", "2026-12", "2027-01", "2026-1"],
    ),
    (
        {
            "type": "date", "first": "2026-01", "last": "2026-12", "format": "yyyy-MM", "interval": 3,
            "intervalUnit": "MONTHS",
        },
        ["2026-01", "2026-02", "2026-04", "2026-10", "2026-12"],
    ),
    (
        {"type": "date", "first": "2020", "last": "2030", "format": "yyyy"},
        ["2020", "2030", "2031", "20"],
    ),
    (
        {"type": "date", "first": "2026-01-15", "last": "2026-12-31", "intervalUnit": "MONTHS"},
        ["2026-01-15", "2026-02-15", "2026-02-16"],
    ),
    (
        {"type": "date", "first": "2026-01-05", "last": "2026-12-31", "intervalUnit": "WEEKS"},
        ["2026-01-05", "2026-01-12", "2026-01-13"],
    ),
    (
        {"type": "date", "first": "NOW-1MONTH", "last": "NOW+1MONTH"},
        ["2026-04-29", "2026-04-30", "2026-06-30", "2026-07-01", "2026-10-27", "2026-10-28", "2026-12-29"],
    ),
]  # fmt: skip
"""Projections with units that Athena supports and Trino does not."""
