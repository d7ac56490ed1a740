"""jactionlint (actionlint's checks), shellcheck and zizmor find nothing in the workflows.

They run from `.venv-scan`, without the network.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.program.evaluation import STACKS

PROJECT = Path(__file__).resolve().parents[2]
SCANNERS = PROJECT / ".venv-scan" / "bin"
WORKFLOWS = PROJECT / ".github" / "workflows"

MATRIX = "${{ fromJSON(needs.stacks.outputs.stacks) }}"
"""How a job runs once for each stack."""

FAULTS = {
    "undefined-job-needs": ("workflows/deploy.yml", "needs: [stacks, first]", "needs: [stacks, frist]"),
    "undefined-property": ("workflows/drift.yml", "${{ matrix.stack }}", "${{ matrix.region }}"),
    "unknown-action-input": ("workflows/preview.yml", "policyPacks:", "policy-packs:"),
    "unknown-runner-label": ("workflows/test.yml", "ubuntu-24.04", "ubuntu-24.40"),
    "invalid-permissions": ("workflows/preview.yml", "pull-requests: write", "pull-request: write"),
    "invalid-cron": ("workflows/drift.yml", "17 3 * * *", "17 25 * * *"),
    "SC2086": ("workflows/deploy.yml", '"$STACK"', "$STACK"),
    "action-syntax": ("actions/setup/action.yml", "      shell: bash\n", ""),
}
"""The rule of the linter that must fail after this change of a file."""

WEAKNESSES = {
    "template-injection": ("workflows/deploy.yml", '"$STACK"', "${{ github.head_ref }}"),
    "unpinned-uses": ("workflows/test.yml", "@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "@v5"),
    "artipacked": ("workflows/preview.yml", "        with:\n          persist-credentials: false\n", ""),
    "excessive-permissions": ("workflows/drift.yml", "contents: read\n\n", "contents: write\n\n"),
    "dangerous-triggers": ("workflows/preview.yml", "  pull_request:", "  pull_request_target:"),
    "concurrency-limits": (
        "workflows/drift.yml",
        "concurrency:\n  group: drift\n  cancel-in-progress: false\n",
        "",
    ),
}
"""The rule of zizmor that must fail after this change of a file."""


def test_the_linter_finds_nothing() -> None:
    assert lint(PROJECT / ".github") == ""


def test_zizmor_finds_nothing() -> None:
    assert audit(PROJECT / ".github") == ""


@pytest.mark.parametrize("rule", FAULTS)
def test_the_linter_finds_a_fault(tmp_path: Path, rule: str) -> None:
    assert rule in lint(broken(tmp_path, *FAULTS[rule]))


@pytest.mark.parametrize("rule", WEAKNESSES)
def test_zizmor_finds_a_weakness(tmp_path: Path, rule: str) -> None:
    assert f"[{rule}]" in audit(broken(tmp_path, *WEAKNESSES[rule]))


@pytest.mark.parametrize("name", ["preview", "deploy", "drift"])
def test_each_stack_has_a_run(name: str) -> None:
    workflow = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"]
    (listing,) = [step for step in workflow["stacks"]["steps"] if step["uses"] == "./.github/actions/stacks"]
    listed = stacks_listed(except_=listing.get("with", {}).get("except", ""))
    named: dict[str, list[str]] = {}
    for job in workflow.values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("pulumi/actions@"):
                names = [step["with"]["stack-name"]]
                if names == ["${{ matrix.stack }}"]:
                    assert job["strategy"]["matrix"] == {"stack": MATRIX}
                    names = listed
                named.setdefault(step["with"]["command"], []).extend(names)
    assert named
    for command, turns in named.items():
        assert sorted(turns) == sorted(STACKS), command


def test_a_job_s_region_is_that_of_its_stack_s_file(tmp_path: Path) -> None:
    """Two stacks of one region have other names than their region."""
    action = yaml.safe_load((PROJECT / ".github" / "actions" / "setup" / "action.yml").read_text())
    (step,) = (step for step in action["runs"]["steps"] if step.get("id") == "stack")
    (credentials,) = (step for step in action["runs"]["steps"] if "credentials" in step.get("uses", ""))
    assert credentials["with"]["aws-region"] == "${{ steps.stack.outputs.region }}"
    (tmp_path / ".venv").symlink_to(PROJECT / ".venv")
    (tmp_path / "Pulumi.europe.production.yaml").write_text("config:\n  aws:region: eu-west-1\n")
    output = tmp_path / "output"
    environment = os.environ | {"STACK": "europe.production", "GITHUB_OUTPUT": str(output)}
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=environment, check=True)
    assert output.read_text() == "region=eu-west-1\n"


def test_a_stack_s_name_may_have_dots(tmp_path: Path) -> None:
    for stack in ("europe.production", "europe.staging", "us"):
        (tmp_path / f"Pulumi.{stack}.yaml").touch()
    assert stacks_listed(except_="us", project=tmp_path) == ["europe.production", "europe.staging"]


def stacks_listed(*, except_: str, project: Path = PROJECT) -> list[str]:
    """Run the action that lists the stacks, and return its output."""
    action = yaml.safe_load((PROJECT / ".github" / "actions" / "stacks" / "action.yml").read_text())
    (step,) = action["runs"]["steps"]
    with tempfile.NamedTemporaryFile("r") as output:
        environment = os.environ | {"EXCEPT": except_, "GITHUB_OUTPUT": output.name}
        subprocess.run(["bash", "-e", "-c", step["run"]], cwd=project, env=environment, check=True)
        name, _, value = output.read().strip().partition("=")
    assert action["outputs"][name]["value"] == "${{ steps.list.outputs.stacks }}"
    return json.loads(value)


@pytest.mark.parametrize("name", ["preview", "deploy", "drift", "sandbox"])
def test_the_cli_is_as_new_as_the_pinned_sdk(name: str) -> None:
    """The tests and the deployments use the same version."""
    pins = (line.split() for line in (PROJECT / "requirements.txt").read_text().splitlines())
    (pinned,) = [pin[0].removeprefix("pulumi==") for pin in pins if pin and pin[0].startswith("pulumi==")]
    text = (WORKFLOWS / f"{name}.yml").read_text()
    assert text.count(f"pulumi-version: {pinned}\n") == text.count("uses: pulumi/actions@") > 0


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(WORKFLOWS.glob("*.yml")):
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield f"{path.stem}.{name}", job


def test_jobs_with_credentials_run_in_an_environment() -> None:
    """An environment limits who may run a job, and from which branch, and has its own secrets."""
    given = {
        name: job.get("environment")
        for name, job in jobs()
        if "secrets." in str(job) or job.get("permissions", {}).get("id-token") == "write"
    }
    assert given.keys() == {
        "deploy.first",
        "deploy.others",
        "drift.drift",
        "preview.preview",
        "sandbox.sandbox",
    }
    assert [name for name, environment in given.items() if not environment] == []


def test_no_secret_is_read_outside_of_a_job() -> None:
    for path in WORKFLOWS.glob("*.yml"):
        outside = {key: value for key, value in yaml.safe_load(path.read_text()).items() if key != "jobs"}
        assert "secrets." not in str(outside), path.name


def test_a_deployment_previews_with_the_rules_before_it_changes_anything() -> None:
    for name, job in jobs():
        commands = [
            (step["with"]["command"], step["with"].get("policyPacks"))
            for step in job["steps"]
            if step.get("uses", "").startswith("pulumi/actions@") and "command" in step["with"]
        ]
        if "up" in dict(commands):
            assert commands == [("preview", "policy"), ("up", "policy")], name


def test_a_job_that_changes_a_network_waits_longer_than_the_provider() -> None:
    """The provider waits 45 minutes for a function's interfaces; credentials last as long as the job."""
    changing = [job for name, job in jobs() if name in {"deploy.first", "deploy.others", "sandbox.sandbox"}]
    assert changing
    assert {job["timeout-minutes"] for job in changing} == {120}
    setup = (PROJECT / ".github" / "actions" / "setup" / "action.yml").read_text()
    assert f"role-duration-seconds: {120 * 60}\n" in setup


def broken(folder: Path, file: str, good: str, bad: str) -> Path:
    """Copy `.github` and change one of its files."""
    copy = folder / ".github"
    shutil.copytree(PROJECT / ".github", copy)
    text = (copy / file).read_text()
    assert good in text, f"{file} has no {good!r} to break"
    (copy / file).write_text(text.replace(good, bad))
    return copy


def lint(folder: Path) -> str:
    """Run jactionlint over workflows and actions, with shellcheck over their scripts."""
    files = [*folder.glob("workflows/*.yml"), *folder.glob("actions/*/action.yml")]
    shellcheck = f"--shellcheck={SCANNERS / 'shellcheck'}"
    options = ("--profile=correctness", "--no-online", "--no-color", shellcheck)
    return run(folder.parent, "jactionlint", *options, *map(str, files))


def audit(folder: Path) -> str:
    """Run zizmor with its pedantic audits; an unreadable file is an error."""
    options = ("--offline", "--strict-collection", "--persona=pedantic", "--no-progress", "--color=never")
    said = run(folder.parent, "zizmor", *options, str(folder))
    return "" if said.startswith("No findings to report") else said


def run(where: Path, scanner: str, *arguments: str) -> str:
    """Run a scanner and return its output; a failure without output is an error of the scanner."""
    program = SCANNERS / scanner
    assert program.exists(), f"{program}: missing; `make test` installs it"
    done = subprocess.run(
        [program, *arguments], cwd=where, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout or done.returncode == 0, done.stderr
    return done.stdout
