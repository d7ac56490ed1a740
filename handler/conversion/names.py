"""Column names that Parquet's readers can use, from whatever a header says."""

import re
from collections.abc import Iterable

_NAME_LENGTH_MAX = 255
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ufeff\ufffe\uffff]+")


def column_names(sources: Iterable[str]) -> tuple[str, ...]:
    """Give each column a name of its own, as near as possible to its name in the source.

    Names are unique without regard to case, as Athena and the engine want them. An empty name becomes
    ``column_3`` (by its position), a second ``id`` becomes ``id_2``.
    """
    taken: set[str] = set()
    names: list[str] = []
    wanted = [_cleaned(source) or f"column_{number}" for number, source in enumerate(sources, 1)]
    originals = {name.casefold() for name in wanted}
    for want in wanted:
        name, number = want, 1
        while name.casefold() in taken or (number > 1 and name.casefold() in originals):
            number += 1
            name = f"{want}_{number}"
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)


def _cleaned(source: str) -> str:
    return _CONTROL.sub(" ", source).strip()[:_NAME_LENGTH_MAX].strip()
