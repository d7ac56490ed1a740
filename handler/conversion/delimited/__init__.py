"""Delimited text: how a file is written, where its table begins, and its records."""
