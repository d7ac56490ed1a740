"""The CPU time of evaluating the program, compared with importing the SDK modules that it uses."""

import resource
import statistics
import subprocess
import sys
from pathlib import Path

PROJECT_DIRECTORY = Path(__file__).resolve().parents[2]
ROUNDS = 9
RATIO_MAX = 1.5

IMPORT = """
import pulumi, pulumi_aws
from pulumi_aws import cloudwatch, dynamodb, ec2, iam, lambda_, s3, sns, sqs, vpc
pulumi_aws.Provider, pulumi_aws.Region, cloudwatch.EventRule, dynamodb.Table, ec2.Vpc, iam.Role
lambda_.Function, s3.Bucket, sns.Topic, sqs.Queue, vpc.SecurityGroupEgressRule
"""
EVALUATE = """
import sys
sys.path.insert(0, ".")
from tests.program.evaluation import evaluate
evaluate("us-east-1")
"""


def cpu_seconds(code: str) -> float:
    """Return the CPU time of a new interpreter that runs the code, which other load hardly changes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=PROJECT_DIRECTORY, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_evaluation_costs_at_most_half_of_the_import_again() -> None:
    cpu_seconds(EVALUATE)  # The first run builds the layer and compiles modules.
    pairs = [(cpu_seconds(IMPORT), cpu_seconds(EVALUATE)) for _ in range(ROUNDS)]
    imported, evaluated = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = evaluated / imported
    print(f"import {imported:.2f} s, evaluation {evaluated:.2f} s of CPU time: {ratio:.2f}")
    assert ratio <= RATIO_MAX
