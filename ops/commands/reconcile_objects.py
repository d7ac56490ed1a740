"""`reconcile`: find changes whose events the function has not handled, and repair them."""

from argparse import Namespace
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from ops import dead_letters, display, object_events, reconcile
from ops.commands.options import add_command, add_yes, chosen_stack, command_for, moment
from ops.deployed_stacks import Stack
from ops.reconcile import Comparison
from terminal.console import Console
from terminal.machine import print_json
from terminal.records import Records

OLDER_THAN = "15m"
"""Default of `--older-than`."""
SAMPLES = 10
"""Maximum number of keys that a dry run shows."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(
        commands, "reconcile", "compare the bucket with the registers, and repair what differs"
    )
    parser.add_argument(
        "prefix", metavar="PREFIX", help="the beginning of the uploads' keys; '' is the whole bucket"
    )
    parser.add_argument(
        "--older-than",
        type=moment,
        metavar="TIME",
        help=f"skip keys that changed after this time: their events may still arrive (default {OLDER_THAN})",
    )
    parser.add_argument(
        "--withdraw-expired",
        action="store_true",
        help="also withdraw the results of uploads that a lifecycle rule may have expired",
    )
    parser.add_argument("--resume", metavar="ID", help="continue an interrupted reconciliation")
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Compare, and send the events that repair what differs, or show what differs.

    Raises:
        OpsError: A newer replay has processed an object, so the function would ignore this one.
    """
    stack = chosen_stack(arguments)
    console = Console()
    if arguments.resume:
        replay_id = object_events.check_replay_id(stack, arguments.resume)
    else:
        replay_id = object_events.new_replay_id(stack)
    found = _compare(arguments, stack)
    remedy = "leave out --resume" if arguments.resume else object_events.CLOCK_REMEDY
    object_events.check_newest(replay_id, (one.replay_id for one in found.differences), remedy)
    sent = _send(arguments, stack, found, replay_id) if arguments.yes else 0
    if arguments.json:
        print_json(
            {
                "stack": stack.name,
                "replay_id": replay_id,
                "keys": found.keys,
                "differences": dict(_counts(found)),
                "recent": found.recent,
                "working": found.working,
                "expired": found.expired,
                "outside": found.outside,
                "sent": sent,
            }
        )
        return 0
    _show(console, found)
    _explain_what_is_skipped(console, stack, found)
    what = f"{found.keys:,} keys compared, {len(found.differences):,} differ"
    if not found.differences:
        console.say(f"{stack.name}: {what}")
    elif arguments.yes:
        follow = command_for(arguments, stack, "jobs", "--prefix", arguments.prefix, "--since", "1h")
        console.say(f"{stack.name}: {what}; sent {sent:,} events")
        console.suggest("Follow them with", follow)
    else:
        console.say(f"{stack.name}: {what}")
        console.suggest("Repair them with", _same_command(arguments, stack, arguments.resume))
    return 0


def _compare(arguments: Namespace, stack: Stack) -> Comparison:
    found = Comparison()
    older_than = datetime.now(UTC) - (arguments.older_than or moment(OLDER_THAN))
    with display.progress() as progress:
        task = progress.add_task("comparing", total=None)
        for found in reconcile.compare(
            stack, arguments.prefix, older_than=older_than, keep_expired=not arguments.withdraw_expired
        ):
            progress.update(task, description=f"comparing: {found.keys:,} keys")
    return found


def _send(arguments: Namespace, stack: Stack, found: Comparison, replay_id: str) -> int:
    sent = 0
    events = (difference.event(stack, replay_id) for difference in found.differences)
    try:
        with display.progress() as progress:
            task = progress.add_task("sending", total=len(found.differences))
            for sent in object_events.send(stack, events):
                progress.update(task, completed=sent)
    except BaseException:
        again = _same_command(arguments, stack, replay_id)
        Console(stderr=True).suggest("Interrupted. Continue with", again)
        raise
    return sent


def _same_command(arguments: Namespace, stack: Stack, replay_id: str | None) -> str:
    options = ["--resume", replay_id] if replay_id else []
    options += ["--withdraw-expired"] if arguments.withdraw_expired else []
    if arguments.older_than:
        options += ["--older-than", arguments.older_than.isoformat(timespec="seconds")]
    return command_for(arguments, stack, "reconcile", arguments.prefix, *options, "--yes")


def _counts(found: Comparison) -> Counter[str]:
    return Counter(difference.finding.value for difference in found.differences)


def _show(console: Console, found: Comparison) -> None:
    """Show the number of keys for each finding, and the first keys."""
    for finding, count in sorted(_counts(found).items()):
        console.say(f"{finding}: {count:,}")
    records = Records("finding", "job so far")
    for difference in found.differences[:SAMPLES]:
        job = difference.state.job
        records.add(
            difference.finding.value,
            display.status(str(job["status"])) if job else "",
            details={"key": difference.state.key},
        )
    if found.differences:
        records.print(console)
    if len(found.differences) > SAMPLES:
        console.say(f"... and {len(found.differences) - SAMPLES:,} more")


def _explain_what_is_skipped(console: Console, stack: Stack, found: Comparison) -> None:
    if found.recent:
        console.explain(
            f"Skipped {found.recent:,} keys that changed recently: their events may still arrive."
        )
    if found.working:
        console.explain(f"Skipped {found.working:,} keys whose jobs are running or are dead letters.")
    if found.expired:
        console.explain(
            f"Skipped {found.expired:,} deleted keys that a lifecycle rule may have expired: their results"
            " stay. --withdraw-expired withdraws them."
        )
    if found.outside:
        console.explain(
            f"Skipped {found.outside:,} keys with results outside of uploadPrefixes: the function ignores"
            " their events. Their results stay."
        )
    waiting = dead_letters.count(stack, stack.queue_url) if found.differences else 0
    if waiting:
        console.explain(f"{waiting:,} events are in the queue: they may be about keys that differ.")
