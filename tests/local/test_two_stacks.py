"""Two stacks of one region, development and production, do not interfere."""

import dataclasses

import pytest

from local.cloud import Cloud
from local.commands.serve import state_of
from local.errors import LocalError
from local.stacks import Stack, read_stacks
from tests.local.workload import GOOD


def stacks_of_one_region() -> list[Stack]:
    """The project's first stack, and one for production in its region, whose uploads have few prefixes.

    The embedded AWS still deploys all contracts to it, and takes their files.
    """
    first = read_stacks()[0]
    changed = {"environmentSuffix": "prod", "cidrBlock": "10.9.0.0/16"}
    config = {**first.config, **{f"{first.project}:{key}": value for key, value in changed.items()}}
    production = dataclasses.replace(first, name=f"{first.name}-prod", config=config)
    return [first, production.with_setting("uploadPrefixes", ["sales/"])]


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


def test_no_stack_is_deployed_if_the_settings_of_one_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right, other = stacks_of_one_region()
    wrong = other.with_setting("cidrBlock", "8.8.0.0/16")
    monkeypatch.setattr("local.cloud.read_stacks", lambda: [right, wrong])
    deployed: list[str] = []
    with pytest.raises(LocalError, match=rf"stack {wrong.name}: .*:cidrBlock: .*8\.8\.0\.0/16"):
        Cloud(progress=lambda stack: deployed.append(stack.name))
    assert deployed == []
