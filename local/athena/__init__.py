"""Athena's part of the embedded AWS: SQL over the tables of the catalog, answered by DuckDB."""
