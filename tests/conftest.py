"""What tests of several parts share: checked clients, and the embedded AWS, deployed once per worker."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.loaders
import pytest

from local.embedded_lambda import execution_environment
from tests import checked_runtime, service_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.cloud import Cloud

# AWS's service models are read once for each process, not once for each session of boto3.
botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
service_models.hold_every_client()
execution_environment.RUNTIME = Path(checked_runtime.__file__)


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """The three stacks, deployed with IAM enforced; functions run when a test calls `cloud.run_until_idle()`.

    It is shared: use keys of your own, and put back what you change of the deployed resources.
    """
    from local.cloud import Cloud  # Pulumi takes a second to import: not for tests that need no cloud

    with Cloud() as deployed:
        yield deployed


@pytest.fixture
def region(cloud: Cloud) -> str:
    """One of the deployed regions, for tests that need but one."""
    return cloud.regions[0]
