"""`python -m ops`: the arguments, and one line instead of a traceback when something is wrong."""

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops import commands, jobs, replay, smoke
from ops.errors import explain

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is done, 1 is done and not well (`status`), 2 is not done."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough: `... | head`
        sys.stderr.close()
        return 0
    except Exception as error:
        text = explain(error)
        if text is None:
            raise
        print(f"ops: {text}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False)
    group = where.add_argument_group("which stacks")
    group.add_argument("--stack", action="append", default=[], metavar="NAME", help="a stack, by default all")
    group.add_argument(
        "--outputs",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="what `pulumi stack output --json` printed; used instead of asking Pulumi",
    )
    group.add_argument("--local", action="store_true", help="the embedded AWS of `python -m local serve`")

    parser = argparse.ArgumentParser(prog="python -m ops", description="Operate the deployed regions.")
    add = parser.add_subparsers(required=True, metavar="COMMAND", title="commands").add_parser

    command = add(
        "status", parents=[where], help="all regions side by side; exit status 1 if one is not well"
    )
    command.add_argument("--since", type=_moment, default="24h", help="counts since (default 24h)")
    command.add_argument(
        "--wait", type=_seconds, default=0, metavar="S", help="wait up to S seconds to be well"
    )
    command.add_argument("--json", action="store_true", help="one line of JSON for each region")
    command.set_defaults(run=commands.show_status)

    command = add("smoke", parents=[where], help="process one small object, to see that a region works")
    command.add_argument(
        "--within", type=_seconds, default=smoke.WITHIN_SECONDS, metavar="S", help="seconds (default 900)"
    )
    command.set_defaults(run=commands.check_by_object)

    command = add("jobs", parents=[where], help="jobs by status, time and key")
    command.add_argument("--status", action="append", choices=jobs.STATUSES, help="by default any")
    command.add_argument(
        "--since", type=_moment, default="24h", help="30m, 24h, 7d or ISO 8601 (default 24h)"
    )
    command.add_argument("--until", type=_moment, default="0m", help="likewise (default now)")
    command.add_argument("--prefix", default="", help="of the object's key")
    command.add_argument("--limit", type=_positive, default=100, help="of each stack (default 100)")
    command.add_argument("--json", action="store_true", help="one line of JSON for each job")
    command.set_defaults(run=commands.list_jobs)

    command = add("job", parents=[where], help="everything known about one job, with its log lines")
    command.add_argument("job", metavar="ID", help="the job's id, or the object's key")
    command.set_defaults(run=commands.show_job)

    command = add("errors", parents=[where], help="the function's log lines that tell of errors")
    command.add_argument("--since", type=_moment, default="1h", help="30m, 24h, 7d or ISO 8601 (default 1h)")
    command.set_defaults(run=commands.show_errors)

    command = add("dead-letters", parents=[where], help="look at the dead letters, and leave them there")
    command.add_argument("--limit", type=_positive, default=50, help="of each queue (default 50)")
    command.add_argument("--json", action="store_true", help="one line of JSON for each message")
    command.set_defaults(run=commands.list_dead_letters)

    command = add("redrive", parents=[where], help="send the dead letters back to be processed")
    command.add_argument("--delivery", action="store_true", help="those that the rule could not deliver")
    command.add_argument("--per-second", type=_positive, help="messages a second at the most (1 to 500)")
    command.add_argument("--yes", action="store_true", help="do it; otherwise only say what would be done")
    command.set_defaults(run=commands.redrive)

    command = add("discard", parents=[where], help="delete dead letters that nothing can make right")
    command.add_argument("messages", nargs="+", metavar="MESSAGE", help="a message's id, by dead-letters")
    command.add_argument("--yes", action="store_true", help="do it; otherwise only say what would be done")
    command.set_defaults(run=commands.discard)

    command = add("replay", parents=[where], help="process objects again that are in the bucket")
    command.add_argument("prefix", metavar="PREFIX", help="of the objects' keys; a whole key is one object")
    command.add_argument(
        "--status",
        action="append",
        default=[],
        choices=[*jobs.STATUSES, replay.MISSING],
        help="only objects whose job ended so; MISSING: that have none",
    )
    command.add_argument("--resume", metavar="REPLAY_ID", help="go on with a replay that was interrupted")
    command.add_argument("--yes", action="store_true", help="do it; otherwise only say what would be done")
    command.set_defaults(run=commands.replay_objects)
    return parser


def _moment(text: str) -> datetime:
    if relative := re.fullmatch(r"(\d+)([mhd])", text):
        return datetime.now(UTC) - timedelta(**{UNITS[relative[2]]: int(relative[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be like 30m, 24h, 7d or 2030-12-31T23:59Z, got {text!r}"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


def _seconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number of seconds, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
