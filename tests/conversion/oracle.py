"""A slow but simple reader for comparison: the standard library's csv and json, one row at a time.

It knows the values of a table, but not its types. Text columns are compared as text, others by their value.
"""

import csv
import io
import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

NULL_MARKERS = {"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "Null", "null", "None", "none", "#N/A", "\\N"}


def read_delimited(data: bytes, delimiter: str, quote: str) -> list[list[str]]:
    text = io.StringIO(data.decode(), newline="")
    return [row for row in csv.reader(text, delimiter=delimiter, quotechar=quote, strict=True) if row]


def read_json_lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line.strip()]


def same(text: str, type_: str, value: Any) -> bool:
    """Whether ``value``, of ``type_``, is the value of ``text``."""
    if type_ == "VARCHAR":
        return value == text or (text == "" and value is None)
    text = text.strip(" ")
    if value is None:
        return text in NULL_MARKERS
    if type_.startswith("DECIMAL"):
        return isinstance(value, Decimal) and str(value) == text
    if type_ == "BIGINT":
        return str(value) == text
    if type_ == "DOUBLE":
        digits = len(Decimal(text).as_tuple().digits)
        return Decimal(repr(value)) == Decimal(text) or Decimal(f"{value:.{digits - 1}e}") == Decimal(text)
    if type_ == "BOOLEAN":
        return text.lower() == str(value).lower()
    if type_ == "DATE":
        return value in {_day(text, order) for order in ((0, 1, 2), (2, 1, 0), (2, 0, 1))}
    if type_ == "TIME":
        return time.fromisoformat(value) == time.fromisoformat(text)
    if type_ == "TIMESTAMP":
        return value == datetime.fromisoformat(text)
    msg = f"the oracle knows no {type_}"
    raise AssertionError(msg)


def _day(text: str, order: tuple[int, int, int]) -> date | None:
    parts = [int(part) for part in text.replace("/", "-").replace(".", "-").split("-")]
    try:
        return date(*(parts[place] for place in order))
    except ValueError:
        return None
