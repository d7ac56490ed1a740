"""The gateway refuses callers without a key: other users of the machine, and web pages."""

import concurrent.futures
import contextlib
import http.client
import io
import itertools
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Keys
from botocore.exceptions import ClientError
from moto import backends
from moto.backend_index import backend_url_patterns
from moto.core.base_backend import BackendDict
from moto.iam.models import iam_backends

from local.cloud import Cloud
from local.gateway import browsers
from local.gateway.application import Gateway
from local.moto_patches.moto_account import ACCOUNT, PARTITION
from local.server import SECRET_HEADER, Credentials

PORT = 4566
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
COGNITO_PUBLIC_CALL = ("X-Amz-Target", "AWSCognitoIdentityService.GetId")
UNKNOWN = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
"""The example key of AWS's documentation, which does not exist here."""

Answer = tuple[int, dict[str, str], bytes]


def signed(
    credentials: Credentials, service: str, method: str, url: str, body: bytes, headers: dict[str, str]
) -> dict[str, str]:
    """Return the headers with a signature of version 4."""
    asked = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    keys = Keys(credentials.key_id, credentials.secret, credentials.token)
    kind = S3SigV4Auth if service == "s3" else SigV4Auth
    kind(keys, service, "us-east-1").add_auth(asked)
    return dict(asked.headers)


def environ(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return a request in the format of WSGI."""
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": urllib.parse.unquote(path),
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(PORT),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "CONTENT_LENGTH": "0",
        "HTTP_HOST": f"127.0.0.1:{PORT}",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }


def status_of(gateway: Gateway, request: dict[str, Any]) -> str:
    said: list[str] = []
    list(gateway(request, lambda status, _: said.append(status)))
    return said[0]


def paths_of_moto() -> Iterator[str]:
    """Yield one path for each route of moto's services, with its variables replaced."""
    services = sorted({service for service, _ in backend_url_patterns})
    for service in services:
        every = backends.get_backend(service)  # type: ignore[arg-type]
        account: Any = every[ACCOUNT] if isinstance(every, BackendDict) else every
        backend = next(account[name] for name in ("us-east-1", "aws", "global") if name in account)
        for path in backend.flask_paths:
            yield re.sub(r"<[^>]*>", "x", path) or "/"


def test_no_path_of_moto_is_reached_without_a_signature() -> None:
    reached: list[str] = []

    def moto(request: dict[str, Any], _: Any) -> list[bytes]:
        reached.append(f"{request['REQUEST_METHOD']} {request['PATH_INFO']}")
        return []

    gateway = Gateway(moto, "secret")
    paths = {*paths_of_moto(), "/latest/meta-data/iam/security-credentials/default-role", "/latest/api/token"}
    made_up = signed(UNKNOWN, "lambda", "GET", f"http://127.0.0.1:{PORT}/", b"", {})["Authorization"]
    openings: list[dict[str, str]] = [
        {},
        dict([COGNITO_PUBLIC_CALL]),
        {"Authorization": "AWS4-HMAC-SHA256 nothing"},
        {"Authorization": made_up},
    ]
    methods = itertools.cycle(METHODS)
    answers = {
        status_of(gateway, environ(next(methods), path, headers)) for path in paths for headers in openings
    }
    assert len(paths) > 500
    assert "/moto-api/reset-auth" in paths
    assert not reached
    assert answers == {"403 Forbidden"}


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("127.0.0.1:4566", True),
        ("localhost:4566", True),
        ("bucket.localhost:4566", True),
        ("a.bucket.127.0.0.1:4566", True),
        ("", False),
        ("127.0.0.1", False),
        ("127.0.0.1:80", False),
        ("localhost:45660", False),
        ("example.com:4566", False),
        ("localhost.example.com:4566", False),
        ("127.0.0.1.example.com:4566", False),
        ("notlocalhost:4566", False),
        (".localhost:4566", False),
        ("a@localhost:4566", False),
        ("example.com/.localhost:4566", False),
        ("0.0.0.0:4566", False),
        ("[::1]:4566", False),
        ("127.0.0.1:4566,example.com", False),
    ],
)
def test_only_its_own_hosts_are_answered(host: str, admitted: bool) -> None:
    assert (browsers.reason_to_refuse({"HTTP_HOST": host}, PORT) is None) == admitted


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("127.0.0.1", True),
        ("bucket.localhost", True),
        ("localhost:80", True),
        ("localhost:4566", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_clients_leave_port_80_out(host: str, admitted: bool) -> None:
    for request in ({"HTTP_HOST": host}, {"HTTP_HOST": host, "HTTP_ORIGIN": "http://localhost"}):
        assert (browsers.reason_to_refuse(request, 80) is None) == admitted


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({}, True),
        ({"HTTP_ORIGIN": "http://localhost:4566", "HTTP_SEC_FETCH_SITE": "same-origin"}, True),
        ({"HTTP_SEC_FETCH_SITE": "none"}, True),
        ({"HTTP_ORIGIN": "https://example.com"}, False),
        ({"HTTP_ORIGIN": "null"}, False),
        ({"HTTP_ORIGIN": ""}, False),
        ({"HTTP_ORIGIN": "http://localhost:3000"}, False),
        ({"HTTP_ORIGIN": "https://localhost:4566"}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, False),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, False),
    ],
)
def test_what_a_page_of_another_origin_sends_is_refused(headers: dict[str, str], admitted: bool) -> None:
    request = {"HTTP_HOST": f"localhost:{PORT}", **headers}
    assert (browsers.reason_to_refuse(request, PORT) is None) == admitted


def test_calls_are_answered_one_at_a_time() -> None:
    user = f"gateway-{threading.get_ident()}"
    iam = iam_backends[ACCOUNT][PARTITION]
    iam.create_user("us-east-1", user)
    key = iam.create_access_key(user)
    credentials = Credentials(key.access_key_id, key.secret_access_key)
    headers = signed(credentials, "sqs", "POST", f"http://127.0.0.1:{PORT}/", b"", {})
    meeting, inside, met = threading.Barrier(2), list[bool](), list[bool]()

    def moto(_: dict[str, Any], __: Any) -> list[bytes]:
        inside.append(True)
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=0.2)  # two calls inside at once would meet here
            met.append(True)
        return []

    gateway = Gateway(moto, "secret")
    requests = [environ("POST", "/", headers) for _ in range(2)]
    with concurrent.futures.ThreadPoolExecutor(2) as clients:
        list(clients.map(lambda request: list(gateway(request, print)), requests))
    assert (len(inside), met) == (2, [])


# --- over HTTP ------------------------------------------------------------------------------------------


@pytest.fixture
def ask(cloud: Cloud) -> Callable[..., Answer]:
    """Sends one request without an SDK."""
    address = urllib.parse.urlsplit(cloud.server.endpoint)

    def send(method: str, path: str, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()) -> Answer:
        assert address.hostname is not None
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        with contextlib.closing(connection):
            given = {"Host": address.netloc, "Content-Length": str(len(body)), **dict(headers)}
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()

    return send


@pytest.mark.parametrize(
    "path",
    [
        "/moto-api/",
        "/moto-api/data.json",
        "/moto-api/reset",
        "/moto-api/config",
        "/moto-api/recorder/start-recording",
        "/moto-api/recorder/download-recording",
        "//moto-api/reset",
        "/%6doto-api/reset",
        "/./moto-api/reset",
        "/x/../moto-api/reset",
        "/latest/meta-data/iam",
    ],
)
def test_administration_is_closed_even_to_who_signs(
    cloud: Cloud, ask: Callable[..., Answer], path: str
) -> None:
    url = f"{cloud.server.endpoint}{path}"
    for service in ("s3", "lambda", "motoapi", "moto_api"):
        headers = signed(cloud.server.operator, service, "POST", url, b"", {})
        status, _, body = ask("POST", path, headers=headers.items())
        assert status >= 400, (service, body)
    assert ask("POST", path)[0] == 403
    assert cloud.client("s3", cloud.regions[0]).list_buckets()["Buckets"], "nothing was reset"


def test_iam_cannot_be_switched_off(cloud: Cloud, region: str, ask: Callable[..., Answer]) -> None:
    path = "/moto-api/reset-auth"
    headers = signed(cloud.server.operator, "s3", "POST", f"{cloud.server.endpoint}{path}", b"1000000", {})
    assert ask("POST", path, b"1000000")[0] == 403
    assert ask("POST", path, b"1000000", headers.items())[0] == 403
    with pytest.raises(ClientError):
        cloud.client("s3", region, UNKNOWN).list_buckets()


CALLS: dict[tuple[str, str], dict[str, Any]] = {
    ("lambda", "update_function_code"): {"FunctionName": "{function}", "ZipFile": b"PK"},
    ("lambda", "update_function_configuration"): {"FunctionName": "{function}", "Handler": "os.system"},
    ("lambda", "get_function"): {"FunctionName": "{function}"},
    ("sqs", "send_message"): {"QueueUrl": "{queue}", "MessageBody": "{}"},
    ("s3", "put_object"): {"Bucket": "{bucket}", "Key": "input/x.csv", "Body": b"a\n1\n"},
    ("s3", "get_object"): {"Bucket": "{bucket}", "Key": "input/x.csv"},
    ("s3", "list_buckets"): {},
    ("dynamodb", "scan"): {"TableName": "{table}"},
    ("iam", "create_access_key"): {"UserName": "operator"},
    ("iam", "create_user"): {"UserName": "intruder"},
    ("sts", "assume_role"): {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/x", "RoleSessionName": "intruder"},
    ("events", "list_rules"): {},
    ("logs", "describe_log_groups"): {},
    ("cloudwatch", "describe_alarms"): {},
    ("sns", "list_topics"): {},
    ("kms", "list_keys"): {},
    ("ec2", "describe_vpcs"): {},
}


@pytest.mark.parametrize(("service", "call"), CALLS, ids=lambda value: value)
def test_no_call_succeeds_with_a_key_that_nobody_gave_out(
    cloud: Cloud, region: str, service: str, call: str
) -> None:
    outputs = cloud.outputs[region]
    names = {
        "{function}": outputs["functionArn"],
        "{queue}": outputs["queueUrl"],
        "{bucket}": outputs["bucketName"],
        "{table}": outputs["tableName"],
    }
    arguments = {
        name: names.get(value, value) if isinstance(value, str) else value
        for name, value in CALLS[service, call].items()
    }
    wrong_secret = Credentials(cloud.server.operator.key_id, UNKNOWN.secret)
    told = {
        UNKNOWN: {"InvalidAccessKeyId", "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"},
        wrong_secret: {"SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"},
    }
    for credentials, codes in told.items():
        client = cloud.server.new_client(service, region, credentials)
        with pytest.raises(ClientError) as refused:
            getattr(client, call)(**arguments)
        answer = refused.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert answer["Error"]["Code"] in codes


def test_a_signature_is_good_for_its_own_request_alone(
    cloud: Cloud, region: str, ask: Callable[..., Answer]
) -> None:
    bucket, key = cloud.outputs[region]["bucketName"], "gateway/a+b c%.csv"
    cloud.upload(region, key, b"a\n1\n")
    path = f"/{bucket}/{urllib.parse.quote(key)}"
    headers = signed(cloud.server.operator, "s3", "GET", f"{cloud.server.endpoint}{path}", b"", {})
    assert ask("GET", path, headers=headers.items())[::2] == (200, b"a\n1\n")
    assert ask("DELETE", path, headers=headers.items())[0] == 403
    assert ask("GET", path.replace("a%2Bb", "a+b"), headers=headers.items())[0] == 403
    assert ask("GET", f"{path}?versionId=null", headers=headers.items())[0] == 403
    with_other_date = headers | {"X-Amz-Date": "20300101T000000Z"}
    assert ask("GET", path, headers=with_other_date.items())[0] == 403


def test_a_bucket_s_own_host_is_answered(cloud: Cloud, region: str, ask: Callable[..., Answer]) -> None:
    cloud.upload(region, "gateway/host.csv", b"a\n1\n")
    port = cloud.server.endpoint.rpartition(":")[2]
    host = f"{cloud.outputs[region]['bucketName']}.localhost:{port}"
    headers = signed(cloud.server.operator, "s3", "GET", f"http://{host}/gateway/host.csv", b"", {})
    answer = ask("GET", "/gateway/host.csv", headers=[("Host", host), *headers.items()])
    assert answer[::2] == (200, b"a\n1\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "example.com"),
        ("Origin", "https://example.com"),
        ("Sec-Fetch-Site", "cross-site"),
    ],
)
def test_not_even_a_signed_request_of_a_page_is_answered(
    cloud: Cloud, ask: Callable[..., Answer], name: str, value: str
) -> None:
    port = cloud.server.endpoint.rpartition(":")[2]
    host = f"{value}:{port}" if name == "Host" else cloud.server.endpoint.removeprefix("http://")
    headers = signed(cloud.server.operator, "s3", "GET", f"http://{host}/", b"", {})
    answer = ask(
        "GET", "/", headers=[*headers.items(), ("Host", host), (name, host if name == "Host" else value)]
    )
    assert answer[0] == 403
    assert name.encode() in answer[2]


def test_no_answer_lets_pages_of_other_origins_read_it(cloud: Cloud, ask: Callable[..., Answer]) -> None:
    headers = signed(cloud.server.operator, "s3", "GET", f"{cloud.server.endpoint}/", b"", {})
    preflight = [("Origin", "https://example.com"), ("Access-Control-Request-Method", "PUT")]
    answers = [
        ask("GET", "/", headers=headers.items()),
        ask("GET", "/"),
        ask("OPTIONS", "/bucket/key", headers=preflight),
    ]
    assert [status for status, *_ in answers] == [200, 403, 403]
    assert not [name for _, given, _ in answers for name in given if name.startswith("Access-Control-")]


def test_public_calls_of_cognito_open_nothing_to_a_role(
    cloud: Cloud, region: str, ask: Callable[..., Answer]
) -> None:
    """For moto, this header alone makes a request one of these calls, with any path."""
    role = cloud.assume_function_role(region)
    name = cloud.outputs[region]["functionArn"].rpartition(":")[2]
    path = f"/2015-03-31/functions/{name}/code"
    body = json.dumps({"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}).encode()
    headers = signed(
        role, "lambda", "PUT", f"{cloud.server.endpoint}{path}", body, dict([COGNITO_PUBLIC_CALL])
    )
    status, _, said = ask("PUT", path, body, headers.items())
    assert status == 403, said


def test_the_server_is_steered_by_who_knows_its_secret_alone(
    cloud: Cloud, ask: Callable[..., Answer]
) -> None:
    body = b'{"offset": 0}'
    assert ask("POST", "/_steering/clock", body)[0] == 403
    assert ask("POST", "/_steering/clock", body, [(SECRET_HEADER, "guess")])[0] == 403
    assert ask("POST", "/_steering/clock", body, [(SECRET_HEADER, "\xe9")])[0] == 403
    assert "now" in cloud.server.steer("/_steering/clock", {"offset": 0})


def test_archives_of_code_are_at_addresses_that_nobody_guesses(
    cloud: Cloud, region: str, ask: Callable[..., Answer]
) -> None:
    function = cloud.client("lambda", region).get_function(FunctionName=cloud.outputs[region]["functionArn"])
    path = urllib.parse.urlsplit(function["Code"]["Location"]).path
    *_, secret, digest = path.split("/")
    assert ask("GET", path)[2].startswith(b"PK")
    assert len(secret) >= 32
    for guessed in (f"/_lambda/{digest}", f"/_lambda/{'x' * len(secret)}/{digest}", f"/_lambda/{secret}/x"):
        assert ask("GET", guessed)[0] == 403


def test_boto3_gets_the_reason_when_it_does_not_sign(cloud: Cloud, region: str) -> None:
    anonymous = boto3.client(
        "s3",
        region_name=region,
        endpoint_url=cloud.server.endpoint,
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError, match="Authorization"):
        anonymous.list_objects_v2(Bucket=cloud.outputs[region]["bucketName"])
