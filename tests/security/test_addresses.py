"""The function only calls addresses of its own region."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.handler.deliveries import eventbridge
from tests.policy.stacks import evaluated, one
from tests.program.evaluation import ACCOUNT_ID, STACKS

HANDLER = Path(__file__).resolve().parents[2] / "handler"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_CONFIG_FILE": os.devnull}


@pytest.mark.parametrize("region", STACKS)
def test_every_address_names_the_region(region: str, tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(HANDLER, code)
    (code / "VERSION").write_text("1", encoding="utf-8")
    variables = one(evaluated(region), "lambda/function:Function").at("environment", "variables")
    event = eventbridge("input/a.csv", bucket=variables["BUCKET_NAME"], region=region, account=ACCOUNT_ID)
    probe = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("address_probe.py"))],
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=True,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(code),
            "AWS_REGION": region,
            "LAMBDA_TASK_ROOT": str(code),
            **CREDENTIALS,
            **variables,
        },
    )
    hosts = {urlsplit(address).hostname for address in json.loads(probe.stdout.splitlines()[-1])}
    assert hosts == {
        f"{variables['BUCKET_NAME']}.s3.{region}.amazonaws.com",
        f"dynamodb.{region}.amazonaws.com",
    }
