"""Data contracts: reading them from YAML, checking them, and compiling them for the function."""
