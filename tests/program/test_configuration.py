"""Pulumi.yaml and the stack files, as Pulumi's engine reads them."""

import dataclasses
import json
from typing import Any

import pytest
import yaml

from components.settings import Settings
from tests.program.evaluation import PROJECT, PROJECT_DIRECTORY, STACKS, evaluate, stack_config

PULUMI = yaml.safe_load((PROJECT_DIRECTORY / "Pulumi.yaml").read_text())
SCHEMA: dict[str, dict[str, Any]] = PULUMI["config"]

# What the engine's schema of Pulumi.yaml takes as a type ("number" is refused), and how it checks a default.
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list}


def test_project_runs_in_its_virtual_environment() -> None:
    assert PULUMI["name"] == PROJECT
    assert PULUMI["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}


def test_every_setting_is_declared_and_nothing_else() -> None:
    names = {field.name.replace("_", "") for field in dataclasses.fields(Settings)} - {"secrets"}
    assert {key.removeprefix(f"{PROJECT}:").lower() for key in SCHEMA} == names
    assert all(key.startswith(f"{PROJECT}:") for key in SCHEMA)


@pytest.mark.parametrize("key", SCHEMA)
def test_declaration_is_one_that_pulumi_takes(key: str) -> None:
    declaration = SCHEMA[key]
    assert set(declaration) <= {"type", "items", "default", "description"}
    assert declaration["description"]
    assert declaration["type"] in TYPES
    assert ("items" in declaration) is (declaration["type"] == "array")
    if "default" in declaration:
        assert type(declaration["default"]) is TYPES[declaration["type"]]


CLASSES = ("Fixed.", "Changed in place.", "Changed by replacement.", "Changed in place to true; then fixed.")


@pytest.mark.parametrize("key", SCHEMA)
def test_description_ends_with_what_a_change_does(key: str) -> None:
    meaning, _, change = SCHEMA[key]["description"].partition(". ")
    assert meaning
    assert change in CLASSES


def test_page_of_the_settings_is_the_schema() -> None:
    rows = [row for row in rows_of_the_page() if len(row) == 4]
    declared = []
    for key, declaration in SCHEMA.items():
        meaning, _, change = declaration["description"].replace("<", "&lt;").partition(". ")
        default = declaration.get("default")
        shown = f"`{default if isinstance(default, str) and default else json.dumps(default)}`"
        name = f"`{key.removeprefix(f'{PROJECT}:')}`"
        declared.append([name, shown if "default" in declaration else "*must be set*", meaning, change])
    assert rows == declared


def rows_of_the_page() -> list[list[str]]:
    page = (PROJECT_DIRECTORY / "docs" / "settings.md").read_text(encoding="utf-8")
    return [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]


def test_page_lists_every_output() -> None:
    listed = [row[0].strip("`") for row in rows_of_the_page() if len(row) == 2]
    exported = evaluate("us-east-1", {"regional-analytics:datasets": '["*"]'}).outputs
    assert listed == list(exported)


def test_only_region_and_range_must_be_set() -> None:
    required = {key for key, declaration in SCHEMA.items() if "default" not in declaration}
    assert required == {f"{PROJECT}:region", f"{PROJECT}:cidrBlock"}


def test_the_regions_that_the_project_must_have() -> None:
    ranges = {stack: stack_config(stack)[f"{PROJECT}:cidrBlock"] for stack in STACKS}
    assert (
        ranges.items()
        >= {
            "us-east-1": "10.0.0.0/16",
            "eu-west-1": "10.1.0.0/16",
            "ap-southeast-1": "10.2.0.0/16",
        }.items()
    )


@pytest.mark.parametrize("stack", STACKS)
def test_stack_file_sets_declared_keys_and_the_provider_s_region(stack: str) -> None:
    config = yaml.safe_load((PROJECT_DIRECTORY / f"Pulumi.{stack}.yaml").read_text())["config"]
    assert set(config) - set(SCHEMA) == {"aws:region"}
    assert config["aws:region"] == config[f"{PROJECT}:region"] == stack
