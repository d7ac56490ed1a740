"""The one console that everything for people is printed to."""

import os
from collections.abc import Iterable

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

from terminal.characters import visible

PIPE_WIDTH = 240
"""Columns where no terminal says how many there are."""


class Console(RichConsole):
    """Prints text as it is: square brackets and `:words:` mean nothing, and no control character gets out."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Print to standard output, or to standard error."""
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = PIPE_WIDTH
        self.push_render_hook(_Edge())

    def on_broken_pipe(self) -> None:
        """Leave it to the caller, who knows what the exit status is: `... | head` has seen enough."""
        raise BrokenPipeError

    def say(self, text: RenderableType = "") -> None:
        """Print one line, and leave it to the terminal to wrap it: what is copied from it is whole."""
        self.print(text, soft_wrap=True)


def plain(value: object, style: str = "") -> Text:
    """Return one line of text for a table or a line, laid out as it will be seen."""
    return Text(visible(str(value)), style)


class _Edge(RenderHook):
    """Makes visible what any renderable is about to print."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Visible(renderable) for renderable in renderables]


class _Visible:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: RichConsole, options: ConsoleOptions) -> RenderResult:
        return _made_visible(console.render(self._renderable, options))

    def __rich_measure__(self, console: RichConsole, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._renderable)


def _made_visible(segments: Iterable[Segment]) -> Iterable[Segment]:
    for segment in segments:
        if segment.control:  # of the console itself: progress bars move the cursor
            yield segment
        else:
            # Line ends are the layout's own: a cell's text has none left here.
            yield Segment("\n".join(map(visible, segment.text.split("\n"))), segment.style)
