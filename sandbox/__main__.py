"""`python -m sandbox`, run in the project's directory with the packages that `make install` installs."""

import sys

from terminal.entry_point import start

if __name__ == "__main__":
    sys.exit(start("sandbox"))
