"""What other programs read: JSON in ASCII."""

import json
from collections.abc import Callable


def print_json(
    value: object, *, default: Callable[[object], object] = str, indent: int | None = None
) -> None:
    """Print one JSON document; on one line, unless it is indented.

    Args:
        value: The document.
        default: Makes what JSON has no form for something that it has.
        indent: Spaces to indent each level by.
    """
    text = json.dumps(value, default=default, ensure_ascii=True, indent=indent)
    # The one control character that JSON may hold as it is.
    print(text.replace("\x7f", "\\u007f"))
