"""Names that several folders repeat, because they must not import each other, are equal."""

from components import configuration, names, processing
from components.configuration import Configuration
from components.jobs import EXPIRY_ATTRIBUTE, INDEX_NAME
from components.settings import from_configuration
from handler import outputs as function_outputs
from handler.job_records import job_id
from handler.register import register_id
from local.stacks import read_stacks
from ops import job_search, outputs, region_status, smoke, table

OBJECT = ("bucket", "input/ä b+c%.csv", "version")


def test_the_system_s_prefixes() -> None:
    assert set(function_outputs.PREFIXES) == set(names.SYSTEM_PREFIXES)
    prefixes = {prefix for prefix, _ in outputs.LAYOUT.values()}
    assert {prefix for prefix in names.SYSTEM_PREFIXES if prefix in prefixes} == set(names.SYSTEM_PREFIXES)
    assert all(prefix.startswith(names.SYSTEM_PREFIXES) for prefix in prefixes)


def test_the_prefix_of_the_smoke_test() -> None:
    assert smoke.KEY.startswith(names.SMOKE_TEST_PREFIX)


def test_the_stacks_and_their_settings() -> None:
    """The embedded AWS reads the stack files itself, because it must not import the program."""
    configured = {stack.name: Configuration(values=stack.config) for stack in read_stacks()}
    expected = configuration.stack_configurations()
    assert {name: from_configuration(one) for name, one in configured.items()} == {
        name: from_configuration(one) for name, one in expected.items()
    }


def test_ids_of_jobs_and_registers() -> None:
    assert table.job_id(*OBJECT) == job_id(*OBJECT)
    assert table.register_id(*OBJECT[:2]) == register_id(*OBJECT[:2])


def test_the_index_and_the_expiry_of_job_records() -> None:
    assert job_search.INDEX == INDEX_NAME
    record = {"job_id": "1", EXPIRY_ATTRIBUTE: 0}
    assert not table._is_current(record)


def test_the_namespace_of_the_metrics() -> None:
    assert region_status.NAMESPACE == processing.METRICS_NAMESPACE
