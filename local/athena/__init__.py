"""The embedded Athena: DuckDB runs SQL queries on the tables of the catalog."""
