"""Deploys a region into a real AWS account, tests it and destroys it."""
