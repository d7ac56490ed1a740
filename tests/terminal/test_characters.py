"""No uploaded text controls a terminal."""

import contextlib
import io
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from terminal.characters import visible
from terminal.command_line import Parser, print_error, run
from terminal.console import Console, plain
from terminal.machine import print_json
from terminal.records import Records, print_pairs

HOSTILE = (
    "\x1b[2J",  # clears the screen
    "\x1b]52;c;cm0gLXJmIH4=\x07",  # sets the clipboard
    "\x1b]8;;https://example.com\x1b\\link",
    "FAILED\rCOMPLETED",
    "FAILED\x08\x08\x08\x08\x08\x08",
    "line\nSTATUS COMPLETED",
    "\x9b31m",  # CSI in one character
    "\u202eDELIAF\u202c",  # written from right to left
    "a\u200bb\ufeff",
    "\u2028\u2029",
    "\ud83d",
    "\x7f",
    "[red]COMPLETED[/red] [/] :bomb:",
)
ACTS = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def acts(text: str) -> set[str]:
    return {character for character in text if unicodedata.category(character) in ACTS} - {"\n"}


def text_of(show: Callable[[Console], object]) -> str:
    console = Console()
    console.file = io.StringIO()
    show(console)
    return console.file.getvalue()


@given(st.text(alphabet=st.characters()))
def test_no_character_that_acts_is_left(text: str) -> None:
    shown = visible(text)
    assert not acts(shown)
    assert "\n" not in shown
    assert shown == text or acts(text) or "\n" in text
    assert visible(shown) == shown


def test_characters_are_escaped_as_in_python() -> None:
    assert visible("a\x1b[2J\u202e\n") == r"a\x1b[2J\u202e\n"
    assert visible("Größe 表 é [x]") == "Größe 表 é [x]"


def table(text: str) -> Table:
    made = Table(title=text)
    made.add_column(text)
    made.add_row(text)
    return made


def records(text: str) -> Records:
    made = Records("status", "n", numbers=("n",))
    made.add(text, plain(text, "red"), details={"key": text, "": plain(text)})
    return made


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "show",
    [
        lambda console, text: console.say(text),
        lambda console, text: console.print(text),
        lambda console, text: console.print(plain(text, "bold")),
        lambda console, text: console.print(table(text)),
        lambda console, text: records(text).print(console),
        lambda console, text: print_pairs(console, {text: text}),
    ],
)
def test_whatever_is_printed_acts_on_no_terminal(show: Callable[[Console, str], object], text: str) -> None:
    printed = text_of(lambda console: show(console, text))
    assert not acts(printed)
    if "[" in text:
        assert text.split("[")[-1].split("]")[0][:3] in printed, "square brackets are text"


@pytest.mark.parametrize("text", HOSTILE)
def test_colours_are_the_only_escapes_on_a_terminal(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console()
    console._force_terminal = True  # what a terminal would be sent
    console.file = io.StringIO()
    records(text).print(console)
    printed = console.file.getvalue()
    for style in ("\x1b[1m", "\x1b[31m", "\x1b[0m"):
        printed = printed.replace(style, "")
    assert not acts(printed)


@pytest.mark.parametrize("text", HOSTILE)
def test_errors_act_on_no_terminal_either(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    class UnexpectedError(Exception):
        pass

    def fail() -> int:
        raise UnexpectedError(text)

    print_error(text)
    assert run("ops", fail, str) == 2
    assert run("ops", fail, lambda _: None) == 2
    with pytest.raises(SystemExit):
        Parser(prog="ops").parse_args([text])
    printed = capsys.readouterr()
    assert not acts(printed.err)
    assert "Traceback" in printed.err
    assert printed.out == ""


@given(st.text(alphabet=st.characters()))
def test_json_is_ascii_without_controls(text: str) -> None:
    captured = io.StringIO()
    with contextlib.redirect_stdout(captured):
        print_json({text: [text]})
    line = captured.getvalue()
    assert line.isascii()
    assert not acts(line)
    assert line.count("\n") == 1
