"""Datasets as code: data contracts, read from YAML, checked, and compiled for the function."""
