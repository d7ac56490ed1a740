"""Findings of cfn-lint in the evaluated program as CloudFormation. Each accepted one has a reason.

CloudFormation's schemas are AWS's own: they hold the patterns, lengths, ranges, enumerations and required
properties that the services check when a resource is created. cfn-lint runs from `.venv-scan`, without the
network.
"""

import dataclasses
import functools
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.program.evaluation import STACKS, Evaluation, evaluate
from tests.security import cloudformation, cloudformation_kinds
from tests.security.cloudformation_kinds import KINDS, LEFT_OUT

CFN_LINT = Path(__file__).resolve().parents[2] / ".venv-scan" / "bin" / "cfn-lint"

MODES: dict[str, dict[str, Any]] = {
    "default": {},
    "most": {
        "customerManagedKey": True,
        "alarmSubscribers": ["team@example.com", "https://example.com/alarms"],
        "freshnessHours": 24,
        "datasets": ["*"],
        "jobRetentionDays": 30,
        "administratorRoleArns": ["arn:aws:iam::123456789012:role/administrators"],
        "uploadPrefixes": ["input/"],
        "protect": False,
        "forceDestroy": True,
    },
    "largest": {
        "environmentSuffix": "twelve-chars",
        "memorySize": 10240,
        "timeout": 900,
        "ephemeralStorage": 10240,
        "maximumConcurrency": 40,
        "logRetentionDays": 3653,
        "archivePrefixes": [f"prefix-{number}/" for number in range(9)],
    },
}
"""Settings that change what is deployed, by the name of their combination."""

ACCEPTED = {
    r"W3010 .*/AvailabilityZone": "A stack is of one region, and its zones are a setting that names them.",
    r"E3021 .*/SSESpecification .*SSEType": "The provider sends the type KMS by itself when there is a key.",
}
"""Accepted findings, with the reasons."""

FAULTS: dict[str, tuple[str, str, Any]] = {
    "E3031 .*/GroupDescription": ("ec2/securityGroup:SecurityGroup", "description", "The function's group"),
    "E3031 .*/FunctionName": ("lambda/function:Function", "name", "a function"),
    "E3030 .*/State": ("cloudwatch/eventRule:EventRule", "state", "ON"),
    "E3030 .*/RetentionInDays": ("cloudwatch/logGroup:LogGroup", "retentionInDays", 31),
    "E3034 .*/MaximumConcurrency": (
        "lambda/eventSourceMapping:EventSourceMapping",
        "scalingConfig",
        {"maximumConcurrency": 1},
    ),
    "E2533 .*/Runtime": ("lambda/function:Function", "runtime", "python3.6"),
    "E3033 .*/Description": ("lambda/function:Function", "description", "d" * 257),
    "E3003 .*'FunctionName' is a required": (
        "lambda/eventSourceMapping:EventSourceMapping",
        "functionName",
        None,
    ),
    "W3037 .*/PolicyDocument": (
        "iam/rolePolicy:RolePolicy",
        "policy",
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:GetObjct", "Resource": "arn:aws:s3:::b/*"}],
            }
        ),
    ),
}
"""The rule of cfn-lint that must fail if a property of one resource has this value."""


def test_every_stack_and_every_mode_match_the_schemas(tmp_path: Path) -> None:
    """One run for all, because cfn-lint takes a second to start. Only the longest region has each mode."""
    longest = max(STACKS, key=len)
    cases = {(stack, "default") for stack in STACKS} | {(longest, mode) for mode in MODES}
    found = lint(tmp_path, {f"{stack}-{mode}": evaluated(stack, mode) for stack, mode in sorted(cases)})
    matched = {finding: [pattern for pattern in ACCEPTED if re.search(pattern, finding)] for finding in found}
    assert [finding for finding, patterns in matched.items() if not patterns] == []
    assert {pattern for patterns in matched.values() for pattern in patterns} == ACCEPTED.keys()


def test_violations_of_the_schemas_are_found(tmp_path: Path) -> None:
    stack = evaluated("us-east-1", "default")
    for fault in FAULTS.values():
        stack = changed(stack, *fault)
    found = lint(tmp_path, {"broken": stack})
    unseen = [
        pattern for pattern in FAULTS if not any(re.match(f"broken {pattern}", finding) for finding in found)
    ]
    assert unseen == [], "\n".join(found)


def test_a_misspelled_name_of_the_table_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = dataclasses.replace(
        KINDS["sqs/queue:Queue"], renamed={**KINDS["sqs/queue:Queue"].renamed, "name": "QueueNam"}
    )
    monkeypatch.setitem(cloudformation_kinds.KINDS, "sqs/queue:Queue", queue)
    with pytest.raises(cloudformation.UnknownPropertyError, match=r"AWS::SQS::Queue: no property 'QueueNam'"):
        cloudformation.template(evaluated("us-east-1", "default"))


def test_a_property_that_the_table_does_not_know_is_an_error() -> None:
    stack = changed(evaluated("us-east-1", "default"), "sqs/queue:Queue", "color", "red")
    with pytest.raises(cloudformation.UnknownPropertyError, match=r"AWS::SQS::Queue: no property 'color'"):
        cloudformation.template(stack)


def test_the_table_knows_the_types_of_the_program_and_no_others() -> None:
    stacks = [evaluated("us-east-1", mode) for mode in MODES]
    used = {resource.type.removeprefix("aws:") for stack in stacks for resource in stack.custom}
    assert used == {*KINDS, *LEFT_OUT}


@functools.cache
def evaluated(stack: str, mode: str) -> Evaluation:
    return evaluate(
        stack,
        {
            f"regional-analytics:{name}": value if isinstance(value, str) else json.dumps(value)
            for name, value in MODES[mode].items()
        },
    )


def changed(stack: Evaluation, type_: str, name: str, value: object) -> Evaluation:
    """Change one input of the first resource of the type."""
    first = stack.all(f"aws:{type_}")[0]
    replaced = dataclasses.replace(first, inputs={**first.inputs, name: value})
    return dataclasses.replace(
        stack, resources=[replaced if one is first else one for one in stack.resources]
    )


def lint(folder: Path, stacks: Mapping[str, Evaluation]) -> list[str]:
    """Run cfn-lint over the stacks' templates; return stack, rule, place and message of each finding."""
    assert CFN_LINT.exists(), f"{CFN_LINT}: missing; `make test` installs it"
    by_region: dict[str, list[str]] = {}
    for name, stack in stacks.items():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(cloudformation.template(stack)))
        by_region.setdefault(stack.stack, []).append(str(path))
    found = []
    for region, paths in by_region.items():
        options = ("--regions", region, "--format", "json")
        done = subprocess.run(
            [CFN_LINT, *options, "--template", *paths],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.stdout.startswith("["), done.stderr or done.stdout
        found += json.loads(done.stdout)
    return sorted(map(_described, found))


def _described(finding: Mapping[str, Any]) -> str:
    place = "/".join(map(str, finding["Location"]["Path"] or ()))
    return f"{Path(finding['Filename']).stem} {finding['Rule']['Id']} {place} {finding['Message']}"
