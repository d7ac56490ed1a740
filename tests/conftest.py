"""Shared by all tests: clients that check their calls, and the embedded AWS, deployed once per worker."""

from __future__ import annotations

import functools
import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.loaders
import pytest

from local.embedded_lambda import execution_environment
from tests import checked_runtime, service_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import Cloud

# The embedded AWS is on this machine, also for the tests' own clients.
_direct = os.environ.get("no_proxy", os.environ.get("NO_PROXY"))
os.environ["no_proxy"] = ",".join(filter(None, (_direct, "127.0.0.1")))
# By default, Python visits the many objects of the service models and of Pulumi's modules very often.
gc.set_threshold(100_000, 50, 100)
# Read AWS's service models once per process, not once per boto3 session.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
service_models.hold_every_client()
execution_environment.RUNTIME = Path(checked_runtime.__file__)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The three stacks, deployed with IAM enforced. Functions run when a test calls `cloud.run_until_idle()`.

    Tests share the stacks: use unique keys, and restore the deployed resources that you change.
    """
    from local.cloud import Cloud  # Importing Pulumi takes a second, so only tests with the cloud do it

    with Cloud() as deployed:
        yield deployed


@pytest.fixture
def region(cloud: Cloud) -> str:
    """One of the deployed regions, for tests that need only one."""
    return cloud.regions[0]
