import tempfile

import pytest


@pytest.fixture(autouse=True)
def working_directories(tmp_path, monkeypatch):
    """Remove the directories of a test's conversions with the test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
