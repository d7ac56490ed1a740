"""`reconcile`: find what no event told the function of, and have it healed."""

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

SAMPLES = 10
"""Keys that a dry run shows."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(
        commands, "reconcile", "compare the bucket with the registers, and heal what no event told of"
    )
    parser.add_argument("prefix", metavar="PREFIX", help="of the uploads' keys; '' is the whole bucket")
    parser.add_argument(
        "--older-than",
        type=moment,
        default="15m",
        metavar="TIME",
        help="leave alone what changed later than this: its event may be on its way (default 15m)",
    )
    parser.add_argument(
        "--withdraw-expired",
        action="store_true",
        help="also withdraw results of uploads that a lifecycle rule of the bucket may have ended",
    )
    parser.add_argument("--resume", metavar="ID", help="go on with a reconciliation that was interrupted")
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Compare, and send the events that heal what differs, or say what does."""
    stack = chosen_stack(arguments)
    console = Console()
    if arguments.resume:
        replay_id = object_events.check_replay_id(arguments.resume)
    else:
        replay_id = object_events.new_replay_id()
    found = _compare(arguments, stack)
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
                "sent": sent,
            }
        )
        return 0
    _show(console, found)
    _say_what_is_left_alone(console, stack, found)
    what = f"{found.keys:,} keys compared, {len(found.differences):,} differ"
    if not found.differences:
        console.say(f"{stack.name}: {what}")
    elif arguments.yes:
        follow = command_for(arguments, stack, "jobs", "--prefix", arguments.prefix, "--since", "1h")
        console.say(f"{stack.name}: {what}; sent {sent:,} events; follow them with: {follow}")
    else:
        console.say(f"{stack.name}: {what}")
        console.say(f"heal them with: {_same_command(arguments, stack, arguments.resume)}")
    return 0


def _compare(arguments: Namespace, stack: Stack) -> Comparison:
    found = Comparison()
    older_than = datetime.now(UTC) - arguments.older_than
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
        Console(stderr=True).say(f"interrupted; go on with: {_same_command(arguments, stack, replay_id)}")
        raise
    return sent


def _same_command(arguments: Namespace, stack: Stack, replay_id: str | None) -> str:
    options = ["--resume", replay_id] if replay_id else []
    options += ["--withdraw-expired"] if arguments.withdraw_expired else []
    return command_for(arguments, stack, "reconcile", arguments.prefix, *options, "--yes")


def _counts(found: Comparison) -> Counter[str]:
    return Counter(difference.finding.value for difference in found.differences)


def _show(console: Console, found: Comparison) -> None:
    """Show how many keys differ in what, and the first of each."""
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


def _say_what_is_left_alone(console: Console, stack: Stack, found: Comparison) -> None:
    if found.recent:
        console.say(
            f"left alone: {found.recent:,} keys that changed lately; their events may be on their way"
        )
    if found.working:
        console.say(
            f"left alone: {found.working:,} keys that are at work, or are dead letters to be redriven"
        )
    if found.expired:
        console.say(
            f"left alone: {found.expired:,} deleted keys that a lifecycle rule may have ended, whose results"
            " stay; --withdraw-expired withdraws them"
        )
    waiting = dead_letters.count(stack, stack.queue_url) if found.differences else 0
    if waiting:
        console.say(f"{waiting:,} events wait in the queue: what they are about may be among what differs")
