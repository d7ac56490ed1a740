"""Names that several folders repeat, because they must not import each other, are equal."""

from components import names, processing
from components.jobs import EXPIRY_ATTRIBUTE, INDEX_NAME
from handler import outputs as function_outputs
from handler.job_records import job_id
from handler.register import register_id
from ops import job_search, outputs, region_status, table

OBJECT = ("bucket", "input/ä b+c%.csv", "version")


def test_the_system_s_prefixes() -> None:
    assert set(function_outputs.PREFIXES) == set(names.SYSTEM_PREFIXES)
    prefixes = {prefix for prefix, _ in outputs.LAYOUT.values()}
    assert {prefix for prefix in names.SYSTEM_PREFIXES if prefix in prefixes} == set(names.SYSTEM_PREFIXES)
    assert all(prefix.startswith(names.SYSTEM_PREFIXES) for prefix in prefixes)


def test_ids_of_jobs_and_registers() -> None:
    assert table.job_id(*OBJECT) == job_id(*OBJECT)
    assert table.register_id(*OBJECT[:2]) == register_id(*OBJECT[:2])


def test_the_index_and_the_expiry_of_job_records() -> None:
    assert job_search.INDEX == INDEX_NAME
    record = {"job_id": "1", EXPIRY_ATTRIBUTE: 0}
    assert not table._lives(record)


def test_the_namespace_of_the_metrics() -> None:
    assert region_status.NAMESPACE == processing.METRICS_NAMESPACE
