"""The environment is read once, and what is wrong with it is said in one line."""

import pytest

from settings import Settings, SettingsError
from tests.handler.aws import ENVIRONMENT

COMPLETE = {**ENVIRONMENT, "BUCKET_NAME": "lake", "TABLE_NAME": "jobs"}


def test_settings_are_typed() -> None:
    settings = Settings.from_environment(COMPLETE)
    assert (settings.bucket, settings.max_receive_count, settings.rejected_share_max) == ("lake", 3, 0.1)


@pytest.mark.parametrize(
    "name", ["BUCKET_NAME", "TABLE_NAME", "REGION", "MAX_RECEIVE_COUNT", "PROGRAM_VERSION"]
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
    ],
)
def test_a_wrong_value_is_told_with_what_is_right(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} must be .* to .*, got '{value}'"):
        Settings.from_environment({**COMPLETE, name: value})
