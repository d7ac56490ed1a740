"""The Pulumi program: the stack's settings, the region they describe, its outputs."""

import pulumi

from components import settings
from components.regional_analytics import RegionalAnalytics, RegionalAnalyticsArgs

analytics = RegionalAnalytics("analytics", RegionalAnalyticsArgs(settings=settings.load()))

for name, value in analytics.outputs.items():
    pulumi.export(name, value)
