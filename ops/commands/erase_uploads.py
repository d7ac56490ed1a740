"""`erase`: permanently delete uploads and all their results."""

import uuid
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops import certificate, display, erase
from ops.certificate import Certificate
from ops.commands.options import (
    add_command,
    add_yes,
    chosen_stack,
    command_for,
    file,
    refuse_beside,
    seconds,
)
from ops.deployed_stacks import Stack
from ops.erase import Left, Target
from ops.operator_errors import OpsError
from terminal.console import INDENT, Console
from terminal.machine import print_json


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse does not export its type
    """Declare the command."""
    parser = add_command(
        commands, "erase", "permanently delete uploads and all their results, and certify it"
    )
    parser.add_argument(
        "target", metavar="KEY|PREFIX", help="an upload's key, or a prefix of keys that ends with /"
    )
    parser.add_argument(
        "--verify", action="store_true", help="only show what is left; exit status 1 if anything is"
    )
    parser.add_argument(
        "--wait",
        type=seconds,
        metavar="S",
        help="seconds without anything new after which to stop, even if the queue may hold messages about"
        " what was erased (default: the queue's visibility timeout)",
    )
    parser.add_argument(
        "--certificate", type=file, metavar="FILE", help="the file to write the certificate to"
    )
    parser.add_argument(
        "--resume",
        type=file,
        metavar="FILE",
        help="continue an interrupted erasure; FILE is the certificate that it wrote",
    )
    add_yes(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Erase, or show what would be erased."""
    refuse_beside(arguments, "--verify", "--yes", "--wait", "--certificate", "--resume")
    refuse_beside(arguments, "--resume", "--certificate")
    stack = chosen_stack(arguments)
    target = erase.target(stack, arguments.target)
    console = Console()
    if arguments.verify:
        return _verify(arguments, console, stack, target)
    if missing := erase.missing_rights(stack, target):
        raise OpsError(
            f"these credentials lack permissions that an erasure needs: {', '.join(missing)}. Grant them to"
            " your role, and add the role to the setting administratorRoleArns"
        )
    if arguments.yes:
        return _erase(arguments, console, stack, target)
    left = erase.find(stack, target)
    if arguments.json:
        print_json({"stack": stack.name, "found": left.counts, "keys": len(left.by_key())})
    elif left:
        _show(console, stack, left)
        console.suggest("Erase them with", _same_command(arguments, stack, arguments.resume))
    else:
        console.say(f"{stack.name}: nothing to erase: found nothing of {arguments.target!r}")
    return 0


def _verify(arguments: Namespace, console: Console, stack: Stack, target: Target) -> int:
    left = erase.find(stack, target)
    if arguments.json:
        print_json({"stack": stack.name, "left": left.counts})
    elif left:
        _show(console, stack, left)
    else:
        console.say(f"{stack.name}: nothing is left of {arguments.target!r}")
    return 1 if left else 0


def _erase(arguments: Namespace, console: Console, stack: Stack, target: Target) -> int:
    now = datetime.now(UTC)
    path = arguments.certificate or Path(f"erasure-{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}.json")
    certified = certificate.begin(stack, target, path, arguments.resume)
    certified.write()
    try:
        with display.progress() as progress:
            task = progress.add_task("erasing", total=None)
            for certified.erasure in erase.erase(stack, target, wait_seconds=arguments.wait):
                certified.write()
                progress.update(task, description=f"erased: {sum(certified.erasure.erased.values()):,}")
    except BaseException:
        again = _same_command(arguments, stack, certified.path)
        Console(stderr=True).suggest("Interrupted. Continue with", again)
        raise
    certified.ended_at = datetime.now(UTC)
    certified.verified = not erase.find(stack, target)
    certified.write()
    if arguments.json:
        print_json(certified.document())
    else:
        _show_certificate(arguments, console, certified)
    return 0 if certified.verified and certified.erasure.complete else 1


def _same_command(arguments: Namespace, stack: Stack, resumed: Path | None) -> str:
    options = ["--resume", str(resumed)] if resumed else []
    options += ["--certificate", str(arguments.certificate)] if arguments.certificate and not resumed else []
    options += [] if arguments.wait is None else ["--wait", str(arguments.wait)]
    return command_for(arguments, stack, "erase", arguments.target, *options, "--yes")


def _show(console: Console, stack: Stack, left: Left) -> None:
    """Show the counts by kind."""
    console.say(f"{stack.name}: {len(left.by_key()):,} keys")
    for what, count in left.counts.items():
        if count:
            console.say(f"  {what}: {display.size(count) if what == 'bytes' else display.number(count)}")


def _show_certificate(arguments: Namespace, console: Console, certified: Certificate) -> None:
    document = certified.document()
    console.say("Certificate of erasure")
    for name in ("stack", "account", "region", "bucket", "table", "by", "began_at", "ended_at"):
        console.say(f"  {name.replace('_', ' ')}: {document[name]}")
    console.say(f"  {document['target']['kind']}, SHA-256: {document['target']['sha256']}")
    console.say("Permanently deleted")
    for what, count in document["erased"].items():
        console.say(f"  {what}: {display.size(count) if what == 'bytes' else display.number(count)}")
    console.say("Expires later")
    for each in document["fades"]:
        console.explain(f"{each['what']}: until {each['until'] or 'it is deleted'}", indent=INDENT)
    console.say("Not deleted")
    for each in document["not_erased"]:
        console.explain(each, indent=INDENT)
    console.say(f"Written to {certified.path}")
    if not (certified.verified and certified.erasure.complete):
        again = _same_command(arguments, certified.stack, certified.path)
        console.suggest("Messages in the queue may be about what was erased. Continue with", again)
