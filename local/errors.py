"""What the embedded AWS refuses, said in one line."""


class LocalError(Exception):
    """Something the user can put right; the message names the thing, the value it had and what would do."""
