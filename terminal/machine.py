"""Output for other programs: JSON in ASCII."""

import json
from collections.abc import Callable


def print_json(
    value: object, *, default: Callable[[object], object] = str, indent: int | None = None
) -> None:
    """Print one JSON document, on one line unless it is indented.

    Args:
        value: The document.
        default: Converts values of types that JSON does not have.
        indent: Spaces for each level.
    """
    text = json.dumps(value, default=default, ensure_ascii=True, indent=indent)
    # The only control character that `json` does not escape.
    print(text.replace("\x7f", "\\u007f"))
