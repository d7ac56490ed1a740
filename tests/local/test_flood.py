"""Many uploads in all regions at once; `python -m tests.benchmarks.flood` makes thousands."""

from local.cloud import Cloud
from tests.local.flood import expected, flood

FILES = 20


def test_no_file_is_lost_or_processed_twice(cloud: Cloud) -> None:
    seen, _ = flood(cloud, "flood", FILES)
    assert seen == dict.fromkeys(cloud.regions, expected("flood", FILES))
