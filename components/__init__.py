"""The AWS resources of one region: `RegionalAnalytics` and its parts, one file each."""
