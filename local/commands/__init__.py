"""The commands of `python -m local`, one module each: `add_parser` declares its arguments."""

from local.commands import dashboard, prepare, run, serve

COMMANDS = (run, serve, dashboard, prepare)
