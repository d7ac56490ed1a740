"""The command line of `python -m ops`."""

from collections.abc import Iterable, Iterator, Sequence

from ops.commands import COMMANDS
from ops.operator_errors import explain
from terminal import command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 for success, 1 for a finding such as an unhealthy region, 2 for an error."""
    parser = command_line.Parser(prog="python -m ops", description="Operate the deployed regions.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add_parser(commands)
    parsed = parser.parse_args(arguments)
    for name, value in vars(parsed).items():
        for text in _texts([value]):
            if not _is_unicode(text):
                parser.error(f"an argument must be UTF-8, got {text!r}")
            if not text and name != "prefix":  # every key begins with an empty prefix
                parser.error(f"an argument must not be empty, got {name} ''")
    return command_line.run("ops", lambda: parsed.run(parsed), explain)


def _texts(values: Iterable[object]) -> Iterator[str]:
    """Yield the arguments that AWS gets. Paths are not among them: a file's name can be any bytes."""
    for value in values:
        match value:
            case str():
                yield value
            case list():
                yield from _texts(value)
            case _:
                pass


def _is_unicode(text: str) -> bool:
    """Whether a text is Unicode; Python reads each byte that is not UTF-8 as a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
