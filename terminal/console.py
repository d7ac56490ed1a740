"""The console that prints all output for people."""

import os
import textwrap
from collections.abc import Iterable

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

from terminal.characters import visible

PIPE_WIDTH = 240
"""Width in columns when the output is no terminal and `COLUMNS` gives none."""
INDENT = "  "


class Console(RichConsole):
    """A console that prints text unchanged: without markup and emoji, and with control characters escaped."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Print to standard output, or to standard error."""
        variables = dict(os.environ)
        columns = variables.pop("COLUMNS", "")
        if columns.isdecimal() and int(columns):  # otherwise ignored, as shutil.get_terminal_size does
            variables["COLUMNS"] = columns
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, _environ=variables)
        if not self.is_terminal and "COLUMNS" not in variables:
            self.width = PIPE_WIDTH
        self.push_render_hook(_EscapeHook())

    def on_broken_pipe(self) -> None:
        """Raise the error, so that the caller chooses the exit status."""
        raise BrokenPipeError

    def say(self, text: RenderableType = "") -> None:
        """Print one line without breaking it, so that what it holds can be copied."""
        self.print(text, soft_wrap=True)

    def explain(self, text: str, *, indent: str = "") -> None:
        """Print sentences, broken between words at the console's width; no word is cut."""
        for line in textwrap.wrap(
            visible(text),
            self.width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self.say(line)

    def suggest(self, purpose: str, command: str) -> None:
        """Print what a command is for, and below it the command, in one line that can be copied."""
        self.explain(f"{purpose}:")
        self.say(f"{INDENT}{command}")


def plain(value: object, style: str = "") -> Text:
    """Return one line of text with escaped control characters, so that its width is known."""
    return Text(visible(str(value)), style)


class _EscapeHook(RenderHook):
    """Escapes what any renderable prints."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Escaped(renderable) for renderable in renderables]


class _Escaped:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> RenderResult:
        return _escape(console.render(self._renderable, options))

    def __rich_measure__(self, console: RichConsole, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._renderable)


def _escape(segments: Iterable[Segment]) -> Iterable[Segment]:
    for segment in segments:
        if segment.control:  # the console's own: progress bars move the cursor
            yield segment
        else:
            # Line ends belong to the layout: text in cells has none left here.
            yield Segment("\n".join(map(visible, segment.text.split("\n"))), segment.style)
