"""The commands of `python -m local`, one module each: `add_parser` declares its arguments and what runs it."""

from local.commands import prepare, run, serve

COMMANDS = (run, serve, prepare)
