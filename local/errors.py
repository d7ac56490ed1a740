"""Errors of the embedded AWS, reported in one line."""


class LocalError(Exception):
    """An error that the user can correct; the message has the name, the wrong value and what is right."""
