"""The operator's command line (`python -m ops --help`): find failures and their causes, and repeat work."""
