"""Start a command line, or say how to install what it needs.

The system's Python may be old, so this module has only old syntax.
"""

import importlib
import importlib.util
import sys


def start(package: str) -> int:
    """Run `main` of the package's module `command_line`, and return its exit status."""
    arguments = " ".join(sys.argv[1:]) or "--help"
    needed = (
        f"python -m {package} needs Python 3.11 or newer and the project's packages: run `make install`,"
        f" then `.venv/bin/python -m {package} {arguments}`"
    )
    if sys.version_info < (3, 11):  # noqa: UP036 - the system's Python may be older
        sys.exit(f"{needed}; this is Python {sys.version.split()[0]}")
    try:
        command_line = importlib.import_module(f"{package}.command_line")
    except KeyboardInterrupt:  # while the modules are imported, which takes a second
        sys.stderr.write(f"python -m {package}: stopped\n")
        return 130
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if importlib.util.find_spec(missing.partition(".")[0]):  # a module of an existing package: a bug
            raise
        sys.exit(f"{needed}; this Python has no {missing}")
    return command_line.main()
