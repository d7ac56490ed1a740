"""`replay`: process objects again that are in the bucket."""

import shlex
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ops import display, job_search, object_events, replay, uploads
from ops.commands.options import add_command, add_yes, chosen_stack, command_for
from ops.deployed_stacks import Stack
from ops.replay import Candidate
from terminal.console import Console
from terminal.machine import print_json
from terminal.records import Records

SAMPLES = 10
"""Objects that a dry run shows."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "replay", "process objects again that are in the bucket")
    parser.add_argument("prefix", metavar="PREFIX", help="of the objects' keys; a whole key is one object")
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        choices=[*job_search.STATUSES, replay.MISSING],
        help="only objects whose job ended so; MISSING: whose current version was never taken",
    )
    parser.add_argument("--resume", metavar="REPLAY_ID", help="go on with a replay that was interrupted")
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Send the events of existing objects again, or say which."""
    stack = chosen_stack(arguments)
    console = Console()
    replay_id = (
        object_events.check_replay_id(arguments.resume) if arguments.resume else object_events.new_replay_id()
    )
    statuses = () if arguments.resume else arguments.status
    found = list(replay.candidates(stack, arguments.prefix, statuses=statuses))
    open_ = [candidate for candidate in found if not replay.done(candidate, replay_id)]
    wanted = [candidate for candidate in open_ if not candidate.archived]
    archived = [candidate for candidate in open_ if candidate.archived]
    sent = 0
    if arguments.yes and wanted:
        if not arguments.json:
            console.say(f"{stack.name}: replay {replay_id} of {_what(arguments, wanted, open_, found)}")
        sent = _send(arguments, stack, wanted, replay_id)
    if arguments.json:
        print_json(
            {
                "stack": stack.name,
                "replay_id": replay_id,
                "objects": len(wanted),
                "bytes": sum(candidate.size for candidate in wanted),
                "archived": len(archived),
                "sent": sent,
            }
        )
    elif not wanted:
        console.say(f"{stack.name}: nothing to replay: {_why_nothing(arguments, stack, found)}")
    elif arguments.yes:
        follow = command_for(arguments, stack, "jobs", "--prefix", arguments.prefix, "--since", "1h")
        console.say(f"{stack.name}: sent; follow it with: {follow}")
    else:
        _show_samples(console, wanted)
        console.say(f"{stack.name}: would process again {_what(arguments, wanted, open_, found)}")
        console.say(f"do it with: {_same_command(arguments, stack, arguments.resume)}")
    if archived and not arguments.json:
        _say_what_is_archived(console, stack, archived)
    return 0


def _send(arguments: Namespace, stack: Stack, wanted: Sequence[Candidate], replay_id: str) -> int:
    sent = 0
    try:
        with display.progress() as progress:
            task = progress.add_task("sending", total=len(wanted))
            for sent in replay.send(stack, wanted, replay_id):
                progress.update(task, completed=sent)
    except BaseException:
        Console(stderr=True).say(f"interrupted; go on with: {_same_command(arguments, stack, replay_id)}")
        raise
    return sent


def _same_command(arguments: Namespace, stack: Stack, replay_id: str | None) -> str:
    statuses = [word for status in arguments.status for word in ("--status", status)]
    which = ["--resume", replay_id] if replay_id else statuses
    return command_for(arguments, stack, "replay", arguments.prefix, *which, "--yes")


def _what(
    arguments: Namespace,
    wanted: Sequence[Candidate],
    open_: Sequence[Candidate],
    found: Sequence[Candidate],
) -> str:
    what = f"{len(wanted)} objects ({display.size(sum(candidate.size for candidate in wanted))})"
    what += f" under {arguments.prefix!r}"
    if len(open_) < len(found):
        what += f", {len(found) - len(open_)} being done already"
    return what


def _say_what_is_archived(console: Console, stack: Stack, archived: Sequence[Candidate]) -> None:
    """Say what is left out and what it takes to replay it: an archived object must be restored first."""
    for storage_class, takes in replay.RESTORE_TIMES.items():
        kept = [each for each in archived if each.version["StorageClass"] == storage_class]
        if kept:
            size = display.size(sum(candidate.size for candidate in kept))
            console.say(
                f"{stack.name}: left out {len(kept):,} objects ({size}) in {storage_class}: restore them, and"
                f" replay again. A restore takes {takes}, and is charged by size and speed. For one of them:"
            )
            console.say(
                shlex.join(
                    [
                        *("aws", "s3api", "restore-object", "--region", stack.region),
                        *("--bucket", stack.bucket, "--key", kept[0].key),
                        *("--restore-request", '{"Days": 7, "GlacierJobParameters": {"Tier": "Standard"}}'),
                    ]
                )
            )


def _why_nothing(arguments: Namespace, stack: Stack, found: Sequence[Candidate]) -> str:
    prefix = repr(arguments.prefix)
    if any(candidate.archived for candidate in found):
        return f"what is left under {prefix} is archived"
    if found:
        return f"all {len(found):,} objects under {prefix} are done by this replay"
    if arguments.prefix.startswith(uploads.prefixes(stack).system):
        return f"what is under {prefix} was written by the system itself"
    counts = Counter(candidate.status() for candidate in replay.candidates(stack, arguments.prefix))
    if not counts:
        return f"no object's key begins with {prefix}"
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    return f"no object under {prefix} is {' or '.join(arguments.status)} (there are {statuses})"


def _show_samples(console: Console, wanted: Sequence[Candidate]) -> None:
    records = Records("job so far", "uploaded (UTC)", "size", numbers=("size",))
    for candidate in wanted[:SAMPLES]:
        records.add(
            display.status(candidate.status()),
            display.time(candidate.modified_at),
            display.size(candidate.size),
            details={"key": candidate.key},
        )
    records.print(console)
    if len(wanted) > SAMPLES:
        console.say(f"... and {len(wanted) - SAMPLES:,} more")
