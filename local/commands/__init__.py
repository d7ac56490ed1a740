"""The commands of `python -m local`, one module each: `add_parser` declares the arguments, `run` runs it."""

from local.commands import prepare, redeliver, run, serve

COMMANDS = (run, serve, redeliver, prepare)
