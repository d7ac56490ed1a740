"""Two stacks of one region, development and production, do not interfere."""

import dataclasses

import pytest

from local.cloud import Cloud
from local.commands.serve import state_of
from local.stacks import Stack, read_stacks
from tests.local.workload import GOOD


def test_a_stack_of_few_prefixes_takes_the_files_of_all_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = read_stacks()[0].with_setting("uploadPrefixes", ["sales/"])
    monkeypatch.setattr("local.cloud.read_stacks", lambda: [narrow])
    with Cloud() as cloud:
        assert "flights" in cloud.outputs[narrow.name]["datasets"]
        cloud.upload(narrow.name, "input/a.csv", GOOD)
        cloud.run_until_idle()
        (job,) = cloud.jobs(narrow.name)
        assert job["status"] == "COMPLETED"


def stacks_of_one_region() -> list[Stack]:
    """The project's first stack, and one for production in its region."""
    first = read_stacks()[0]
    changed = {"environmentSuffix": "prod", "cidrBlock": "10.9.0.0/16"}
    config = {**first.config, **{f"{first.project}:{key}": value for key, value in changed.items()}}
    return [first, dataclasses.replace(first, name=f"{first.name}-prod", config=config)]


def test_neither_overwrites_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stacks = stacks_of_one_region()
    monkeypatch.setattr("local.cloud.read_stacks", lambda: stacks)
    with Cloud() as cloud:
        assert cloud.stacks == tuple(stack.name for stack in stacks)
        assert cloud.regions == (stacks[0].region,)
        for stack in cloud.stacks:
            cloud.upload(stack, f"input/of-{stack}.csv", GOOD)
        cloud.run_until_idle()
        for stack in cloud.stacks:
            (job,) = cloud.jobs(stack)
            assert (job["input_path"], job["status"]) == (f"input/of-{stack}.csv", "COMPLETED")
            assert f"processed/input/of-{stack}.csv.parquet" in cloud.keys(stack, "processed/")
        tables = [outputs["tableName"] for outputs in state_of(cloud)["stacks"].values()]
        assert [table.rpartition("-")[2] for table in tables] == ["dev", "prod"]
