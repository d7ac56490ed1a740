"""`python -m local`, run in the project's directory with the packages that `make install` installs."""

import sys

NEEDED = "python -m local needs Python 3.11 or newer and the project's packages: run `make install`, then "
INSTEAD = ".venv/bin/python -m local " + (" ".join(sys.argv[1:]) or "--help")

if sys.version_info < (3, 11):  # noqa: UP036 - the system's Python may be older
    sys.exit(f"{NEEDED}`{INSTEAD}`; this is Python {sys.version.split()[0]}")
try:
    from local.command_line import main
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] in ("local", "terminal"):  # the project's own
        raise
    sys.exit(f"{NEEDED}`{INSTEAD}`; this Python has no {error.name}")

if __name__ == "__main__":
    sys.exit(main())
