"""The operator's command line: what failed, why, and how to run it again. `python -m ops --help`."""
