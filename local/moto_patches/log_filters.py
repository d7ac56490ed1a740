"""Filter patterns of CloudWatch Logs that moto does not support."""

from __future__ import annotations

import re

from moto.logs.utils import EventMessageFilter, UnsupportedFilterPattern


def install() -> None:
    """Apply the patch; call this once, before the server handles requests."""
    _filter_logs_by_alternatives()


class _AnyTerm(UnsupportedFilterPattern):
    def __init__(self, terms: list[str]) -> None:
        self._terms = terms

    def matches(self, message: str) -> bool:
        return any(term in message for term in self._terms)


def _filter_logs_by_alternatives() -> None:
    """A filter pattern like `?"a" ?"b"` matches lines with either term; in moto, it matches every line."""
    create = EventMessageFilter.__init__

    def init(self: EventMessageFilter, pattern: str) -> None:
        create(self, pattern)
        if terms := re.findall(r'\?"([^"]+)"', pattern or ""):
            self.filter_type = _AnyTerm(terms)

    EventMessageFilter.__init__ = init
