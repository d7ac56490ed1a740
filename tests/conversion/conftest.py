import tempfile

import pytest


@pytest.fixture(autouse=True)
def working_directories(tmp_path, monkeypatch):
    """Each conversion's directory goes with its test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
