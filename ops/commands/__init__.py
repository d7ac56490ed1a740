"""The commands of `python -m ops`, one module each: `add_parser` declares the arguments, `run` runs it."""

from ops.commands import (
    check_smoke,
    discard_dead_letters,
    erase_uploads,
    list_datasets,
    list_dead_letters,
    list_jobs,
    query_datasets,
    reconcile_objects,
    redrive_dead_letters,
    replay_objects,
    show_errors,
    show_job,
    show_status,
)

COMMANDS = (
    show_status,
    check_smoke,
    list_jobs,
    show_job,
    show_errors,
    list_dead_letters,
    redrive_dead_letters,
    discard_dead_letters,
    replay_objects,
    reconcile_objects,
    erase_uploads,
    list_datasets,
    query_datasets,
)
