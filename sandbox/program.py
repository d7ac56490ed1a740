"""The Pulumi program of the sandbox: the project's region, with the contracts of `sandbox/datasets/`."""

from pathlib import Path

import pulumi

from components import settings
from components.regional_analytics import RegionalAnalytics, RegionalAnalyticsArgs

DATASETS_DIRECTORY = Path(__file__).resolve().parent / "datasets"


def main() -> None:
    """Declare the region, and export its outputs."""
    args = RegionalAnalyticsArgs(settings=settings.load(), datasets_directory=DATASETS_DIRECTORY)
    for name, value in RegionalAnalytics("analytics", args).outputs.items():
        pulumi.export(name, value)
