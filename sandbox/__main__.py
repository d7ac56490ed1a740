"""`python -m sandbox STACK`: the trial in the account of the environment's credentials."""

import argparse
import sys

from sandbox.deployment import PulumiDeployment, SandboxError
from sandbox.trial import Trial


def main() -> int:
    """Try a region; 0 if all went as it must, 1 if not, 2 if nothing could be tried."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="the project's stack whose region and settings to use")
    arguments = parser.parse_args()
    try:
        deployment = PulumiDeployment(arguments.stack, lambda line: print(line.rstrip(), file=sys.stderr))
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 1 if Trial(deployment, lambda line: print(line, flush=True)).run() else 0


if __name__ == "__main__":
    sys.exit(main())
