"""The sentences of a Markdown page."""

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^ *(`{3,}|~{3,})")
_TABLE_RULE = re.compile(r"^\|[-:| ]+\|$")
_BLOCK_START = re.compile(r"^\s*(#+ |[-*+] |\d+\. |> )")
_SENTENCE_END = re.compile(r"(?<=[.?!])[\")]*\s+(?=[\"(]*[A-Z0-9\[])")


def sentences(page: str) -> Iterator[str]:
    """Yield the sentences of a page, without its code blocks.

    A heading, a list item and a cell of a table begin a sentence of their own. A code span, an image and the
    address of a link count as one word or none, so that only prose is measured.
    """
    for block in _blocks(page):
        yield from (part for part in _SENTENCE_END.split(_plain(block)) if part.strip())


def words(sentence: str) -> list[str]:
    """Return the words of a sentence; punctuation alone is none."""
    return [word for word in sentence.split() if re.search(r"\w", word)]


def _blocks(page: str) -> Iterator[str]:
    lines: list[str] = []
    fenced = False
    for line in page.splitlines():
        if is_fence := bool(_FENCE.match(line)):
            fenced = not fenced
        is_code = fenced or is_fence
        if is_code or not line.strip() or line.startswith("|") or _BLOCK_START.match(line):
            yield " ".join(lines)
            lines = []
        if is_code or _TABLE_RULE.match(line):
            continue
        if line.startswith("|"):
            yield from re.split(r"(?<!\\)\|", line)
        elif line.startswith("#"):
            yield line.lstrip("# ")
        else:
            lines.append(_BLOCK_START.sub("", line).strip())
    yield " ".join(lines)


def _plain(block: str) -> str:
    text = re.sub(r"`[^`]+`", "CODE", block).replace("**", "")
    text = re.sub(r"!?(\[[^\]]*\])\([^)]*\)", r"\1", text)
    return re.sub(r"https?://\S+", "URL", text)
