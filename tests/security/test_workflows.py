"""What jactionlint (actionlint's checks), shellcheck and zizmor find in the workflows: nothing.

They run from `.venv-scan`, without the network.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
SCANNERS = PROJECT / ".venv-scan" / "bin"
WORKFLOWS = PROJECT / ".github" / "workflows"

FAULTS = {
    "undefined-job-needs": ("workflows/deploy.yml", "needs: first", "needs: frist"),
    "undefined-property": ("workflows/drift.yml", "${{ matrix.stack }}", "${{ matrix.region }}"),
    "unknown-action-input": ("workflows/preview.yml", "policyPacks:", "policy-packs:"),
    "unknown-runner-label": ("workflows/test.yml", "ubuntu-24.04", "ubuntu-24.40"),
    "invalid-permissions": ("workflows/preview.yml", "pull-requests: write", "pull-request: write"),
    "invalid-cron": ("workflows/drift.yml", "17 3 * * *", "17 25 * * *"),
    "SC2086": ("workflows/deploy.yml", '"$STACK"', "$STACK"),
    "action-syntax": ("actions/setup/action.yml", "      shell: bash\n", ""),
}
"""What the linter must find once a file is broken so."""

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
"""What zizmor must find once a file is weakened so."""


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
def test_each_stack_has_its_turn(name: str) -> None:
    stacks = [path.name.split(".")[1] for path in PROJECT.glob("Pulumi.*.yaml")]
    assert stacks
    named = []
    for job in yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("pulumi/actions@"):
                one = step["with"]["stack-name"]
                named += job["strategy"]["matrix"]["stack"] if one == "${{ matrix.stack }}" else [one]
    assert sorted(named) == sorted(stacks)


@pytest.mark.parametrize("name", ["preview", "deploy", "drift"])
def test_the_cli_is_as_new_as_the_pinned_sdk(name: str) -> None:
    """What the tests are run with is what deploys."""
    pins = (line.split() for line in (PROJECT / "requirements.txt").read_text().splitlines())
    (pinned,) = [pin[0].removeprefix("pulumi==") for pin in pins if pin and pin[0].startswith("pulumi==")]
    text = (WORKFLOWS / f"{name}.yml").read_text()
    assert text.count(f"pulumi-version: {pinned}\n") == text.count("uses: pulumi/actions@") > 0


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
    """Run zizmor, its pedantic audits too; a file that it cannot read is an error, not left out."""
    options = ("--offline", "--strict-collection", "--persona=pedantic", "--no-progress", "--color=never")
    said = run(folder.parent, "zizmor", *options, str(folder))
    return "" if said.startswith("No findings to report") else said


def run(where: Path, scanner: str, *arguments: str) -> str:
    """Run a scanner and give what it says of the files; a failure with nothing said is the scanner's own."""
    program = SCANNERS / scanner
    assert program.exists(), f"{program}: missing; `make test` installs it"
    done = subprocess.run(
        [program, *arguments], cwd=where, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout or done.returncode == 0, done.stderr
    return done.stdout
