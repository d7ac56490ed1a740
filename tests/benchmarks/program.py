"""The processor time of evaluating the program, compared with importing the SDK modules that it uses."""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_ROUNDS = 5
_IMPORT = """
import pulumi, pulumi_aws
from pulumi_aws import athena, cloudwatch, dynamodb, ec2, glue, iam, lambda_, s3, sns, sqs, vpc
pulumi_aws.Provider, pulumi_aws.Region, athena.Workgroup, cloudwatch.EventRule, dynamodb.Table, ec2.Vpc
glue.CatalogTable, iam.Role, lambda_.Function, s3.Bucket, sns.Topic, sqs.Queue, vpc.SecurityGroupEgressRule
"""
"""Each module of the SDK is loaded by its first use."""
_EVALUATE = """
import sys
sys.path.insert(0, ".")
from tests.program.evaluation import evaluate
evaluate("us-east-1")
"""


def measure() -> float:
    """Return the processor time of an evaluation as a multiple of that of the imports alone."""
    _cpu_seconds(_EVALUATE)  # The first run compiles the modules.
    return statistics.median(_cpu_seconds(_EVALUATE) / _cpu_seconds(_IMPORT) for _ in range(_ROUNDS))


def _cpu_seconds(code: str) -> float:
    """Return the processor time of a new process that runs ``code``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=_ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
