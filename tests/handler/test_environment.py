"""The environment is read once, and errors in it are described in one line."""

from pathlib import Path

import pytest

from environment import Settings, SettingsError
from tests.handler.aws import ENVIRONMENT

COMPLETE = {**ENVIRONMENT, "BUCKET_NAME": "lake", "TABLE_NAME": "jobs"}


def test_settings_are_typed() -> None:
    settings = Settings.from_environment(COMPLETE)
    assert (settings.bucket, settings.max_receive_count, settings.rejected_share_max) == ("lake", 3, 0.1)


@pytest.mark.parametrize(
    "name",
    [
        "BUCKET_NAME",
        "TABLE_NAME",
        "REGION",
        "MAX_RECEIVE_COUNT",
        "UPLOAD_PREFIXES",
        "SYSTEM_PREFIXES",
        "LAMBDA_TASK_ROOT",
    ],
)
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_environment({**COMPLETE, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_RECEIVE_COUNT", "three"),
        ("MAX_RECEIVE_COUNT", "0"),
        ("REJECTED_SHARE_MAX", "1.5"),
        ("REJECTED_SHARE_MAX", "nan"),
        ("MAX_DECOMPRESSED_BYTES", "1e9"),
        ("JOB_RETENTION_DAYS", "-1"),
    ],
)
def test_an_invalid_value_is_named_with_what_is_allowed(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} must be .* to .*, got '{value}'"):
        Settings.from_environment({**COMPLETE, name: value})


@pytest.mark.parametrize("value", ["flights", "{}", '[""]', "[1]", '"flights"'])
def test_a_value_that_is_not_a_list_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="UPLOAD_PREFIXES must be a JSON array of strings, got "):
        Settings.from_environment({**COMPLETE, "UPLOAD_PREFIXES": value})


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("SYSTEM_PREFIXES", '["processed/"]', "hold rejected/, which the function writes"),
        ("UPLOAD_PREFIXES", '["input/", "processed/x/"]', "be apart from SYSTEM_PREFIXES"),
    ],
)
def test_prefixes_of_uploads_and_results_do_not_overlap(name: str, value: str, right: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must {right}, got "):
        Settings.from_environment({**COMPLETE, name: value})


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_an_archive_without_its_version_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "VERSION").write_text(content)
    with pytest.raises(SettingsError, match=r"VERSION must hold the program's version, got "):
        Settings.from_environment({**COMPLETE, "LAMBDA_TASK_ROOT": str(tmp_path)})


def test_the_version_is_read_from_the_archive(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("2.1.0\n")
    read = Settings.from_environment({**COMPLETE, "LAMBDA_TASK_ROOT": str(tmp_path)})
    assert read.program_version == "2.1.0"
