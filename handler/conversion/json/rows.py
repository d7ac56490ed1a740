"""Read rows of JSON, check them against the planned shape, and reject what is not a row.

msgspec decodes whole blocks strictly against the shape, which is fast. Only blocks that it refuses are parsed
value by value with the standard library. That finds what is malformed, or how the shape must grow.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from conversion.findings import Findings, RefutedError
from conversion.json.exact import has_inexact, with_inexact_as_text
from conversion.json.layout import ELEMENTS_MIN, Layout
from conversion.json.parse import MALFORMED, ParseError, parsed
from conversion.json.shape import (
    JSON,
    Shape,
    accepts_repeated_keys,
    attribute_of,
    column_types,
    fitted,
    merged,
    model,
    shape_of,
    widths,
)
from conversion.json.values import Piece, Values
from conversion.model import UnreadableError
from conversion.passes import Resources
from conversion.refused import column_and_reason
from conversion.roundtrip import FLOAT_SHARE_MIN

VALUE = "value"
"""The column of rows that are not objects."""

_ESCAPED_SIGN = re.compile(rb"\\u00[0-3]")
"""An escape that may stand for a quote, a colon or a space, and is not written again as an escape."""
_SPACES = b" \t\r"
"""White space within a line of JSON."""
_ATTRIBUTES_MAX = 4_000_000
"""The most attributes of rows that are decoded together. Each takes 8 bytes, also without a value."""
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


class Rows:
    """One pass over an object of JSON.

    Attributes:
        rows: Rows yielded so far.
        beside: Rejected records that are not damaged rows. JSON has none.
    """

    beside = 0

    def __init__(
        self,
        layout: Layout,
        shape: Shape,
        findings: Findings,
        resources: Resources,
        *,
        mark_bytes: int,
        unsure: Sequence[str] = (),
    ) -> None:
        """Prepare a pass.

        Args:
            layout: The layout of the values.
            shape: The planned shape of the rows.
            findings: What earlier passes found.
            resources: The resources of the conversion.
            mark_bytes: The length of the byte-order mark before the text.
            unsure: Keys whose few floats may be exceptions among integers.
        """
        self.rows = 0
        self._refused = findings.refused
        self._dropped = 0
        """Refused rows so far."""
        self._layout = layout
        self._values = Values(layout, mark_bytes)
        self._rejects = resources.rejects
        self._budget = resources.budget
        self._line_bytes = findings.line_bytes
        self._types = column_types(shape)
        self._strictly = findings.strictly
        self._refuted = False
        self._floats = dict.fromkeys(unsure, 0)
        self._numbers = dict.fromkeys(unsure, 0)
        self._encode = msgspec.json.Encoder().encode_lines
        self._any = msgspec.json.Decoder(list[Any])
        self._hold(shape)

    @property
    def facts(self) -> Mapping[str, object]:
        """The members around the rows, for the profile."""
        return {"around_rows": dict(self._values.around)} if self._values.around else {}

    def read(self, text: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the rows of ``text``, each an object on a line of its own.

        Raises:
            RefutedError: They do not have the planned shape. It is raised at the end, with the shape of all.
            UnreadableError: After malformed JSON, nothing marks where the next value begins.
        """
        for piece in self._values.pieces(text):
            lines = self._read(piece)
            # After a refutation, the rest is read only for its shape.
            if lines and not self._refuted:
                if len(lines) > self._line_bytes:
                    raise RefutedError(long_records=True)
                yield lines
        if self._refuted:
            raise RefutedError(shape=self._shape)
        few = [key for key, floats in self._floats.items() if floats < self._numbers[key] * FLOAT_SHARE_MIN]
        if few and isinstance(self._shape, dict):
            raise RefutedError(shape=self._shape | dict.fromkeys(few, JSON))

    def _hold(self, shape: Shape) -> None:
        """Check the following rows against ``shape``."""
        self._shape = shape
        self._counting = self._strictly or accepts_repeated_keys(shape)
        self._widths = widths(shape)
        self._model = model(shape)
        self._decoder = msgspec.json.Decoder(self._model) if self._model else None

    def _read(self, piece: Piece) -> bytes:
        """Return the lines of the values that are rows."""
        if self._is_sparse(piece):
            halves = piece.halves()
            return b"".join(map(self._read, halves)) if halves else self._one_by_one(piece)
        if not piece.values:
            data = piece.raw.replace(b"\r\n", b"\n") if b"\r" in piece.raw else piece.raw
            count = piece.line_ends
        else:
            data = b"\n".join(piece.values) + b"\n"
            count = len(piece.values)
            if data.count(b"\n") > count or b"\r" in data:
                if not self._are_well_formed(piece.values):
                    return self._one_by_one(piece)
                data = b"\n".join(value.translate(_LINE_ENDS) for value in piece.values) + b"\n"
        if self._layout.whole_values:
            data = b'{"value":%b}\n' % data[:-1].replace(b"\n", b'}\n{"value":')
        if not self._refused.is_any(self.rows + self._dropped, count) and self._accepts(data, count):
            self.rows += count
            return data
        return self._one_by_one(piece)

    def _is_sparse(self, piece: Piece) -> bool:
        """Return whether the rows of a piece may have too many attributes when they are decoded."""
        rows = len(piece.values) or piece.line_ends
        width, width_inside = self._widths
        left = _ATTRIBUTES_MAX - rows * width
        # An object in a list has three bytes at least. Most pieces are too short for too many.
        return left < 0 or (
            len(piece.raw) // 3 * width_inside > left and (piece.raw.count(b"{") - rows) * width_inside > left
        )

    def _are_well_formed(self, values: Sequence[bytes]) -> bool:
        """Return whether values over several lines are well-formed.

        Joining their lines would hide a line end inside a string, which is an error.
        """
        try:
            return len(self._any.decode(b"[%b]" % b",".join(values))) == len(values)
        except MALFORMED:
            return False

    def _accepts(self, data: bytes, count: int) -> bool:
        """Count the floats of ``count`` lines if all are rows of the planned shape that DuckDB reads exactly.

        Return whether they are.
        """
        if self._decoder is None or (self._counting and not _are_lines(data, count)):
            return False
        try:
            rows = self._decoder.decode_lines(data)
        except MALFORMED:
            return False
        if (
            len(rows) != count
            or has_inexact(data)
            or (self._counting and not self._has_keys_once(data, rows))
        ):
            return False
        for key in self._floats:
            attribute = attribute_of(self._model, key)
            numbers = [number for row in rows if isinstance(number := getattr(row, attribute), float | int)]
            self._numbers[key] += len(numbers)
            self._floats[key] += sum(isinstance(number, float) for number in numbers)
        return True

    def _has_keys_once(self, data: bytes, rows: Sequence[Any]) -> bool:
        """Return whether no object has a repeated key: encoded again, the rows have as many keys."""
        if b"\\u00" in data and _ESCAPED_SIGN.search(data):
            return False
        again = self._encode(rows)
        if any(b'"%c' % space in data for space in _SPACES):
            data, again = data.translate(None, _SPACES), again.translate(None, _SPACES)
        return data.count(b'":') == again.count(b'":')

    def _one_by_one(self, piece: Piece) -> bytes:
        """Return the lines of the values that are rows, and reject the others."""
        kept: list[bytes] = []
        shape = deepcopy(self._shape)
        for value, line, offset in piece.lines():
            self._budget.check()
            column, reason = None, ""
            try:
                found = self._row(value, self.rows + len(kept))
                shape = merged(shape, shape_of(found))
                if refusal := self._refused.reason(self.rows + len(kept) + self._dropped + 1):
                    self._dropped += 1
                    column, reason = column_and_reason(refusal, line)
                else:
                    kept.append(self._written(value))
                    self._count(found)
            except ParseError as error:
                if piece.values and error.malformed:
                    raise UnreadableError(f"malformed JSON at line {line}, byte {offset}: {error}") from None
                reason = self._rejects.not_text_reason(value, offset) or str(error)
            if reason:
                self._rejects.add(
                    record=self.rows + len(kept) + self._rejects.count + 1,
                    line=line,
                    byte_offset=offset,
                    column=column,
                    reason=reason,
                    raw=value,
                )
        self.rows += len(kept)
        if shape != self._shape:
            self._grow(shape)
        return b"".join(kept)

    def _row(self, value: bytes, before: int) -> dict[str, Any]:
        """Return the row that ``value`` is; ``before`` rows precede it."""
        found = parsed(value)
        if self._layout.whole_values:
            return {VALUE: found}
        if not isinstance(found, dict):
            is_known = self._layout.columns is not None
            if self._layout.array_offset is not None and not is_known and before < ELEMENTS_MIN:
                raise RefutedError(one_value=True)
            raise ParseError("not a JSON object")
        return found

    def _written(self, value: bytes) -> bytes:
        """Return the line that DuckDB reads for a value."""
        if has_inexact(value):
            value = with_inexact_as_text(value)
        value = value.translate(_LINE_ENDS)
        return b'{"value":%b}\n' % value if self._layout.whole_values else value + b"\n"

    def _count(self, row: Mapping[str, Any]) -> None:
        for key in self._floats:
            number = row.get(key)
            if isinstance(number, float | int) and not isinstance(number, bool):
                self._numbers[key] += 1
                self._floats[key] += isinstance(number, float)

    def _grow(self, shape: Shape) -> None:
        """Check the following rows against a larger shape."""
        shape = fitted(shape, self._budget.columns_max)
        if shape == JSON:
            raise RefutedError(shape=JSON)
        self._hold(shape)
        self._refuted = self._refuted or column_types(shape) != self._types


def _are_lines(data: bytes, count: int) -> bool:
    """Return whether each line is one object. Strings have no line ends, so an object ends with its line."""
    return data.startswith(b"{") and data.count(b"\n{") == count - 1 and data.count(b"}\n") == count
