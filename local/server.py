"""Moto's server in a separate process, with the patches and with IAM enforced from the first call.

`Server` starts the process `python -m local.server`, which ends when its standard input is closed.
"""

from __future__ import annotations

import argparse
import functools
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
import botocore.session
from botocore.config import Config

from local.errors import LocalError

if TYPE_CHECKING:
    from types import TracebackType

HOST = "127.0.0.1"
SECRET_HEADER = "X-Embedded-Aws-Secret"  # noqa: S105 - the name of a header
OPERATOR = "operator"
LAMBDA_SERVICE = "lambda.amazonaws.com"
_SERVICE_ACTIONS = [
    "cloudwatch:PutMetricData",
    "lambda:Get*",
    "lambda:List*",
    "sqs:ChangeMessageVisibility",
    "sts:AssumeRole",
]

open_directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
"""Opens an address of the server. A proxy must not get the secrets in the address and the headers."""


@dataclass(frozen=True)
class Credentials:
    """Access keys; only those of a session have a token."""

    key_id: str
    secret: str
    token: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that SDKs and the AWS CLI read."""
        variables = {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret}
        return variables | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})


class Server:
    """The running server; a context manager.

    Attributes:
        endpoint: The server's URL.
        operator: Credentials of the account's administrator, who deploys and uploads.
        lambda_service: Credentials of the embedded Lambda service.
    """

    def __init__(self, port: int = 0) -> None:
        """Start the server on the port, by default a free one, and wait until it accepts requests.

        Raises:
            LocalError: The port is in use, or the server does not start.
        """
        _check_free(port)
        self._session = _session()
        self._clients: dict[tuple[str, str, Credentials], Any] = {}
        self._lock = threading.RLock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", "local.server", "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=Path(__file__).resolve().parent.parent,
            start_new_session=True,  # Ctrl-C ends the command line, which then ends the server
            env=os.environ
            | {
                "MOTO_DISABLE_GLOBAL_CORS": "true",
                "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
                "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
            },
        )
        try:
            started = self._hello()
        except BaseException:  # also an interrupt: the server must not keep the port
            self.stop()
            raise
        self.endpoint = f"http://{HOST}:{started['port']}"
        self.operator = Credentials(*started["operator"])
        self.lambda_service = Credentials(*started["lambda_service"])
        self._secret = started["secret"]

    def client(self, service: str, region: str, credentials: Credentials | None = None) -> Any:  # noqa: ANN401 - boto3
        """Return a shared boto3 client, with the operator's credentials or the given ones."""
        key = (service, region, credentials or self.operator)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self.new_client(*key)
            return self._clients[key]

    def new_client(self, service: str, region: str, credentials: Credentials) -> Any:  # noqa: ANN401 - boto3
        """Return a new boto3 client, to which event handlers can be added."""
        return self._session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id=credentials.key_id,
            aws_secret_access_key=credentials.secret,
            aws_session_token=credentials.token,
            config=Config(retries={"mode": "standard"}, max_pool_connections=32, proxies={}),
        )

    def steer(self, path: str, body: Any) -> Any:  # noqa: ANN401 - JSON
        """Call one of the server's functions that no API of AWS has, and return the answer.

        Args:
            path: A path below `local.gateway.steering.PATH`.
            body: The arguments, sent as JSON.
        """
        request = urllib.request.Request(  # noqa: S310 - the address of the embedded AWS
            f"{self.endpoint}{path}",
            data=json.dumps(body).encode(),
            headers={SECRET_HEADER: self._secret},
            method="POST",
        )
        with open_directly(request) as response:
            return json.load(response)

    def stop(self) -> None:
        """End the server; everything that it stored is lost."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._log.close()

    def _hello(self) -> dict[str, Any]:
        """Wait for the line that the server's process prints when it accepts requests."""
        stdout = self._process.stdout
        hello = stdout.readline() if stdout else b""
        if not hello:
            self._process.wait()
            raise LocalError(f"the embedded AWS did not start: {self._last_log_line()}")
        return json.loads(hello)

    def _last_log_line(self) -> str:
        """Return the last line that the server's process wrote to standard error."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it wrote no reason")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _session() -> boto3.Session:
    """Return a session that does not read the user's AWS configuration."""
    unread = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=unread))


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LocalError(
                f"port {port} of {HOST} cannot be used: {error.strerror}; choose another port"
            ) from None
        except OverflowError:
            raise LocalError(
                f"the port must be a number from 0 (any free port) to 65535, got {port}"
            ) from None


def _create_users() -> dict[str, tuple[str, str]]:
    """Create the first users: the operator and Lambda's service."""
    from moto.iam.models import iam_backends

    from local.moto_patches.moto_account import ACCOUNT, PARTITION

    iam = iam_backends[ACCOUNT][PARTITION]
    keys = {}
    for user, actions in {OPERATOR: ["*"], LAMBDA_SERVICE: _SERVICE_ACTIONS}.items():
        iam.create_user("us-east-1", user)
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        iam.put_user_policy(user, "access", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        key = iam.create_access_key(user)
        keys[user] = (key.access_key_id, key.secret_access_key)
    return keys


def _end_with_the_input() -> None:
    """End this process when its standard input is closed, also while it starts."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)


def _serve(port: int) -> None:
    threading.Thread(target=_end_with_the_input, daemon=True).start()

    from moto import settings
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    from local import moto_patches
    from local.gateway.application import Gateway

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto_patches.install()
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    users = _create_users()
    dispatcher = DomainDispatcherApplication(create_backend_app)
    # Without a cache, it searches the folders of all of moto's services for every request.
    dispatcher.get_backend_for_host = functools.cache(dispatcher.get_backend_for_host)
    secret = secrets.token_urlsafe(32)
    application = Gateway(dispatcher, secret)
    server = make_server(HOST, port, application, threaded=True, request_handler=MotoRequestHandler)
    hello = {
        "port": server.port,
        "operator": users[OPERATOR],
        "lambda_service": users[LAMBDA_SERVICE],
        "secret": secret,
    }
    print(json.dumps(hello), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    _serve(parser.parse_args().port)
