"""`python -m sandbox STACK`: test a region in the AWS account of the environment's credentials."""

import argparse
import sys

from sandbox.deployment import PulumiDeployment, SandboxError
from sandbox.trial import Trial


def main() -> int:
    """Run the trial; return 0 if it passed, 1 if it failed, 2 if it could not begin."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("stack", metavar="STACK", help="the stack file whose region and settings to use")
    arguments = parser.parse_args()
    try:
        deployment = PulumiDeployment(arguments.stack, lambda line: print(line.rstrip(), file=sys.stderr))
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 1 if Trial(deployment, lambda line: print(line, flush=True)).run() else 0
