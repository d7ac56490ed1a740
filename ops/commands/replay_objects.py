"""`replay`: process existing objects again."""

import shlex
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ops import display, job_search, object_events, replay, uploads
from ops.commands.options import add_command, add_yes, chosen_stack, command_for
from ops.deployed_stacks import Stack
from ops.replay import Candidate
from terminal.console import INDENT, Console
from terminal.machine import print_json
from terminal.records import Records

SAMPLES = 10
"""Maximum number of objects that a dry run shows."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(commands, "replay", "process existing objects again")
    parser.add_argument(
        "prefix",
        metavar="PREFIX",
        help="the beginning of the objects' keys, or a whole key; '' is the whole bucket",
    )
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        choices=[*job_search.STATUSES, replay.MISSING, replay.EXPIRED],
        metavar="STATUS",
        help=f"only objects whose job has this status: {', '.join(job_search.STATUSES)}; or MISSING: the"
        " current version was never processed; or EXPIRED: its job record has expired",
    )
    parser.add_argument("--resume", metavar="REPLAY_ID", help="continue an interrupted replay")
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Send the events of existing objects again, or show the objects.

    Raises:
        OpsError: A new replay would be older than an earlier one, so the function would ignore it.
    """
    stack = chosen_stack(arguments)
    console = Console()
    if arguments.resume:
        replay_id = object_events.check_replay_id(stack, arguments.resume)
    else:
        replay_id = object_events.new_replay_id(stack)
    found = [
        candidate
        for candidate in replay.candidates(stack, arguments.prefix)
        if candidate.matches(arguments.status) or replay.done(candidate, replay_id)
    ]
    if not arguments.resume:
        object_events.check_newest(replay_id, map(replay.id_of, found), object_events.CLOCK_REMEDY)
    wanted, archived, newer = _parted(stack, found, replay_id)
    done = len(found) - len(wanted) - len(archived) - len(newer)
    sent = 0
    if arguments.yes and wanted:
        if not arguments.json:
            console.say(f"{stack.name}: replay {replay_id}: {_summary(wanted, done)}")
        sent = _send(arguments, stack, wanted, replay_id)
    if arguments.json:
        print_json(
            {
                "stack": stack.name,
                "replay_id": replay_id,
                "objects": len(wanted),
                "bytes": sum(candidate.size for candidate in wanted),
                "archived": len(archived),
                "newer": len(newer),
                "sent": sent,
            }
        )
    elif not wanted:
        console.say(f"{stack.name}: nothing to replay")
        console.say(f"{INDENT}{_why_nothing(arguments, stack, found, archived)}")
    elif arguments.yes:
        follow = command_for(arguments, stack, "jobs", "--prefix", arguments.prefix, "--since", "1h")
        console.suggest("Follow it with", follow)
    else:
        _show_samples(console, wanted)
        console.say(f"{stack.name}: would process again: {_summary(wanted, done)}")
        console.suggest("Process them with", _same_command(arguments, stack, arguments.resume))
    if not arguments.json:
        _explain_what_is_skipped(console, stack, archived, newer)
    return 0


def _parted(
    stack: Stack, found: Iterable[Candidate], replay_id: str
) -> tuple[Sequence[Candidate], Sequence[Candidate], Sequence[Candidate]]:
    """Return the objects to process, those that are archived, and those of newer replays.

    Objects that the replay has processed already are left out.
    """
    wanted: list[Candidate] = []
    archived: list[Candidate] = []
    newer: list[Candidate] = []
    for candidate in found:
        if replay.id_of(candidate) > replay_id:
            newer.append(candidate)
        elif not replay.done(candidate, replay_id):
            (archived if replay.is_archived(stack, candidate) else wanted).append(candidate)
    return wanted, archived, newer


def _send(arguments: Namespace, stack: Stack, wanted: Sequence[Candidate], replay_id: str) -> int:
    sent = 0
    try:
        with display.progress() as progress:
            task = progress.add_task("sending", total=len(wanted))
            for sent in replay.send(stack, wanted, replay_id):
                progress.update(task, completed=sent)
    except BaseException:
        again = _same_command(arguments, stack, replay_id)
        Console(stderr=True).suggest("Interrupted. Continue with", again)
        raise
    return sent


def _same_command(arguments: Namespace, stack: Stack, replay_id: str | None) -> str:
    options = [word for status in arguments.status for word in ("--status", status)]
    options += ["--resume", replay_id] if replay_id else []
    return command_for(arguments, stack, "replay", arguments.prefix, *options, "--yes")


def _summary(wanted: Sequence[Candidate], done: int) -> str:
    summary = f"{len(wanted):,} objects ({display.size(sum(candidate.size for candidate in wanted))})"
    if done:
        summary += f", {done:,} done already"
    return summary


def _explain_what_is_skipped(
    console: Console, stack: Stack, archived: Sequence[Candidate], newer: Sequence[Candidate]
) -> None:
    """Show what is skipped and how to replay it: an archived object must be restored first."""
    if newer:
        console.explain(
            f"{stack.name}: skipped {len(newer):,} objects of a newer replay, such as"
            f" {max(map(replay.id_of, newer))}. The function ignores older ones."
        )
    for storage_class, duration in replay.RESTORE_TIMES.items():
        skipped = [each for each in archived if each.version["StorageClass"] == storage_class]
        if skipped:
            size = display.size(sum(candidate.size for candidate in skipped))
            console.explain(
                f"{stack.name}: skipped {len(skipped):,} objects ({size}) in {storage_class}. Restore them,"
                f" and run the replay again. A restore takes {duration}. It is charged by size and speed."
            )
            restore = [
                *("aws", "s3api", "restore-object", "--region", stack.region),
                *("--bucket", stack.bucket, "--key", skipped[0].key),
                *("--restore-request", '{"Days": 7, "GlacierJobParameters": {"Tier": "Standard"}}'),
            ]
            console.suggest("Restore the first of them with", shlex.join(restore))


def _why_nothing(
    arguments: Namespace, stack: Stack, found: Sequence[Candidate], archived: Sequence[Candidate]
) -> str:
    prefix = repr(arguments.prefix)
    if archived:
        return f"the objects under {prefix} are archived"
    if found:
        return f"all {len(found):,} objects under {prefix} are done by this replay, or belong to a newer one"
    if arguments.prefix.startswith(uploads.prefixes(stack).system):
        return f"the objects under {prefix} are the system's results"
    counts = Counter(candidate.status() for candidate in replay.candidates(stack, arguments.prefix))
    if not counts:
        return f"no object's key begins with {prefix}"
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    return f"no object under {prefix} is {' or '.join(arguments.status)} (found: {statuses})"


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
