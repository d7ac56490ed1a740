"""What is deployed: one region's chain, a part per file, composed by `RegionalAnalytics`."""
