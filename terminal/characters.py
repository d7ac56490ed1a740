"""Escape the characters that control a terminal or change how other text looks.

Keys, column names and rows come from uploads. Printed unchanged, they could clear the screen, show FAILED as
COMPLETED, or set the clipboard.
"""

import unicodedata

_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control and format characters (which include text directions), lone surrogates, line and paragraph
separators (Unicode Standard, "General Category Values")."""


def visible(text: str) -> str:
    r"""Return the text with each such character as a Python escape: `\x1b`, `\u202e`, `\n`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _CATEGORIES
        else character
        for character in text
    )
