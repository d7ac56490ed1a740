"""Write characters that a terminal acts on, or that change how other text looks, so that they can be seen.

Keys, column names and rows are what somebody uploaded. Printed as they are, they could clear the screen,
show FAILED as COMPLETED, or set the clipboard.
"""

import unicodedata

_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, formats (directions of writing among them), lone surrogates, line and paragraph separators
(Unicode Standard, "General Category Values")."""


def visible(text: str) -> str:
    r"""Return the text with each such character as Python writes it: `\x1b`, `\u202e`, `\n`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _CATEGORIES
        else character
        for character in text
    )
