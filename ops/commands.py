"""What each command does: find the stacks, ask, and show people (or a pipe) what came back."""

import json
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice

from rich.console import Console
from rich.progress import Progress

from ops import display, jobs, messages, replay, smoke, stacks, status
from ops.errors import OpsError
from ops.stacks import Stack

POLL_SECONDS = 5
SAMPLES = 10
"""Objects that a dry run shows."""


def show_status(arguments: Namespace) -> int:
    """Show one line for each region; return 1 while one of them is not well."""
    found = _stacks(arguments)
    deadline = time.monotonic() + arguments.wait
    while True:
        states = [status.of(stack, since=arguments.since) for stack in found]
        well = all(state.healthy for state in states)
        if well or time.monotonic() >= deadline:
            break
        time.sleep(POLL_SECONDS)
    if arguments.json:
        for state in states:
            _print_line(json.dumps({**asdict(state), "healthy": state.healthy}))
    else:
        display.console().print(display.statuses(states))
    return 0 if well else 1


def check_by_object(arguments: Namespace) -> int:
    """Have each region process one small object."""
    for stack in _stacks(arguments):
        passed = smoke.check(stack, seconds=arguments.within)
        uploads = f" and {passed.uploads} uploads" if passed.uploads > 1 else ""
        display.console().print(f"{stack.region}: {passed.output} after {passed.seconds:.0f} s{uploads}")
        display.console().print(smoke.missing_uploads(stack), soft_wrap=True)
    return 0


def list_jobs(arguments: Namespace) -> int:
    """List the jobs of each stack, newest first."""
    found = {
        stack: list(
            islice(
                jobs.find(
                    stack,
                    statuses=arguments.status or jobs.STATUSES,
                    since=arguments.since,
                    until=arguments.until,
                    prefix=arguments.prefix,
                ),
                arguments.limit,
            )
        )
        for stack in _stacks(arguments)
    }
    if arguments.json:
        for records in found.values():
            for job in records:
                _print_line(jobs.as_json(job))
        return 0
    console = display.console()
    console.print(display.jobs(found))
    for stack, records in found.items():
        if len(records) == arguments.limit:
            console.print(f"{stack.name}: the newest {arguments.limit}; --limit shows more")
    return 0


def show_job(arguments: Namespace) -> int:
    """Show everything known about one job, wherever it is."""
    asked = _stacks(arguments)
    for stack, job in _look_up(asked, arguments.job):
        since, until = jobs.lifetime(job)
        lines = jobs.log_lines(stack, job["job_id"], since=since, until=until)
        console = display.console()
        display.job(console, stack, job, jobs.stored_objects(stack, job), jobs.rejects(stack, job))
        display.log(console, lines)
        return 0
    raise OpsError(
        f"no job {arguments.job!r} in {', '.join(stack.name for stack in asked)}:"
        " `python -m ops jobs` lists those of the last day"
    )


def show_errors(arguments: Namespace) -> int:
    """Show the function's log lines that tell of errors."""
    console = display.console()
    for stack in _stacks(arguments):
        console.print(f"[bold]{stack.region}[/]")
        display.log(console, jobs.error_lines(stack, since=arguments.since, until=datetime.now(UTC)))
    return 0


def list_dead_letters(arguments: Namespace) -> int:
    """Show what lies in the dead-letter queues, and why."""
    found = {stack: messages.peek(stack, limit=arguments.limit) for stack in _stacks(arguments)}
    if arguments.json:
        for stack, letters in found.items():
            for letter in letters:
                _print_line(json.dumps({"stack": stack.name, **asdict(letter)}, default=str))
    else:
        display.console().print(display.dead_letters(found))
    return 0


def redrive(arguments: Namespace) -> int:
    """Send dead letters back, or say how many there are."""
    stack = _one_stack(arguments)
    queue_url = stack.delivery_dead_letter_queue_url if arguments.delivery else stack.dead_letter_queue_url
    waiting = messages.count(stack, queue_url)
    console = display.console()
    if not waiting:
        console.print(f"{stack.name}: no dead letters")
        return 0
    if not arguments.yes:
        console.print(
            f"{stack.name}: would send {waiting} dead letters back to be processed; do it with --yes"
        )
        return 0
    moves = (
        messages.redeliver(stack)
        if arguments.delivery
        else messages.redrive(stack, per_second=arguments.per_second)
    )
    moved = 0
    with _progress() as progress:
        task = progress.add_task("redriving", total=waiting)
        for move in moves:
            moved = move.moved
            progress.update(task, completed=move.moved, total=max(waiting, move.total))
    console.print(f"{stack.name}: sent {moved} dead letters back; follow them with `python -m ops status`")
    return 0


def discard(arguments: Namespace) -> int:
    """Delete dead letters that nothing can make right."""
    stack = _one_stack(arguments)
    console = display.console()
    if not arguments.yes:
        console.print(
            f"{stack.name}: would delete {len(arguments.messages)} messages for good; do it with --yes"
        )
        return 0
    gone = messages.discard(stack, arguments.messages)
    for missing in sorted(set(arguments.messages) - gone):
        raise OpsError(f"no dead letter {missing!r} in {stack.name}; deleted {len(gone)} others")
    console.print(f"{stack.name}: deleted {len(gone)} dead letters")
    return 0


def replay_objects(arguments: Namespace) -> int:
    """Send the events of existing objects again, or say which."""
    stack = _one_stack(arguments)
    console = display.console()
    replay_id = arguments.resume or replay.new_replay_id()
    found = list(
        replay.candidates(stack, arguments.prefix, statuses=() if arguments.resume else arguments.status)
    )
    wanted = [candidate for candidate in found if not replay.done(candidate, replay_id)]
    size = display.size(sum(candidate.size for candidate in wanted))
    what = f"{len(wanted)} objects ({size}) under {arguments.prefix!r}"
    if len(wanted) < len(found):
        what += f", {len(found) - len(wanted)} being done already"
    if not wanted:
        console.print(f"{stack.name}: nothing to replay: {what}")
        return 0
    if not arguments.yes:
        console.print(display.candidates(wanted[:SAMPLES], of=len(wanted)))
        console.print(f"{stack.name}: would process again {what}; do it with --yes")
        return 0
    console.print(f"{stack.name}: replay {replay_id} of {what}")
    try:
        with _progress() as progress:
            task = progress.add_task("sending", total=len(wanted))
            for sent in replay.send(stack, wanted, replay_id):
                progress.update(task, completed=sent)
    except BaseException:
        console.print(
            f"interrupted; go on with: python -m ops replay {arguments.prefix!r} --stack {stack.name}"
            f" --resume {replay_id} --yes"
        )
        raise
    console.print(
        f"{stack.name}: sent; follow it with: python -m ops jobs --prefix {arguments.prefix!r} --since 1h"
    )
    return 0


def _stacks(arguments: Namespace) -> list[Stack]:
    return stacks.find(names=arguments.stack, outputs_files=arguments.outputs, local=arguments.local)


def _one_stack(arguments: Namespace) -> Stack:
    found = _stacks(arguments)
    if len(found) > 1:
        raise OpsError(f"which region? name it with --stack: {', '.join(stack.name for stack in found)}")
    return found[0]


def _look_up(asked: Sequence[Stack], wanted: str) -> Iterator[tuple[Stack, jobs.Job]]:
    """Give the records that are meant; a key that only some regions have is no mistake while one has it."""
    mistakes: list[OpsError] = []
    for stack in asked:
        try:
            job = jobs.get(stack, jobs.identify(stack, wanted))
        except OpsError as mistake:
            mistakes.append(mistake)
            continue
        if job:
            yield stack, job
    if len(mistakes) == len(asked):
        raise mistakes[0]


def _progress() -> Progress:
    """A bar on a terminal, nothing in a pipe."""
    return Progress(
        console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal
    )


def _print_line(line: str) -> None:
    print(line)
