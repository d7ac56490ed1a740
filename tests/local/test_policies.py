"""Policies are evaluated as by IAM."""

from typing import Any

import pytest

from local.policies import Decision, Request, evaluate

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
RULE = "arn:aws:events:eu-west-1:123456789012:rule/mine"
FROM_RULE = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
}


def decide(
    statements: Any, action: str = "s3:GetObject", resource: str = "arn:aws:s3:::data/k", **context: str
) -> Decision:
    principals = {"AWS": ("arn:aws:iam::123456789012:role/r",)}
    request = Request(
        action=action,
        resource=resource,
        principals=principals,
        context={name.replace("_", ":"): value for name, value in context.items()},
    )
    return evaluate({"Statement": statements}, request)


@pytest.mark.parametrize(
    ("statement", "request_", "decision"),
    [
        (READ, {}, Decision.ALLOW),
        (READ, {"action": "s3:PutObject"}, Decision.NONE),
        (READ, {"action": "s3:GetObjectVersion"}, Decision.NONE),
        (READ | {"Action": "s3:get*"}, {}, Decision.ALLOW),
        (READ | {"Action": ["s3:PutObject", "s3:GetObjec?"]}, {}, Decision.ALLOW),
        (READ, {"resource": "arn:aws:s3:::database/k"}, Decision.NONE),
        (READ, {"resource": "arn:aws:s3:::data/line\nbreak"}, Decision.ALLOW),
        (READ | {"Resource": "arn:aws:s3:::da.a/*"}, {}, Decision.NONE),
        ([READ, TLS_ONLY], {"aws_SecureTransport": "true"}, Decision.ALLOW),
        ([READ, TLS_ONLY], {"aws_SecureTransport": "false"}, Decision.DENY),
        ([READ, TLS_ONLY], {}, Decision.ALLOW),
        ({"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/in/*"}, {}, Decision.DENY),
        (
            {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::data/in/*"},
            {"resource": "arn:aws:s3:::data/in/k"},
            Decision.NONE,
        ),
        ({"Effect": "Allow", "NotAction": "s3:Delete*", "Resource": "*"}, {}, Decision.ALLOW),
        (READ | {"Principal": {"AWS": "arn:aws:iam::123456789012:role/r"}}, {}, Decision.ALLOW),
        (READ | {"Principal": {"AWS": ["arn:aws:iam::123456789012:role/other"]}}, {}, Decision.NONE),
        (READ | {"Principal": {"Service": "lambda.amazonaws.com"}}, {}, Decision.NONE),
        (READ | {"Condition": {"BoolIfExists": {"aws:Mfa": "false"}}}, {}, Decision.ALLOW),
        (READ | {"Condition": {"BoolIfExists": {"aws:Mfa": "false"}}}, {"aws_Mfa": "true"}, Decision.NONE),
        (READ | {"Condition": {"StringNotEquals": {"aws:X": "a"}}}, {}, Decision.ALLOW),
        (READ | {"Condition": {"StringNotEquals": {"aws:X": ["a", "b"]}}}, {"aws_X": "b"}, Decision.NONE),
        (READ | {"Condition": {"Null": {"aws:X": "true"}}}, {}, Decision.ALLOW),
        (READ | {"Condition": {"StringLike": {"aws:X": "a*"}}}, {"aws_X": "abc"}, Decision.ALLOW),
        (
            READ | {"Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}},
            {"s3_TlsVersion": "1.3"},
            Decision.NONE,
        ),
    ],
)
def test_statements(statement: Any, request_: dict[str, str], decision: Decision) -> None:
    assert decide(statement, **request_) is decision


@pytest.mark.parametrize(
    ("source", "decision"), [(RULE, Decision.ALLOW), (RULE + "-other", Decision.NONE), (None, Decision.NONE)]
)
def test_a_queue_admits_the_named_rule_alone(source: str | None, decision: Decision) -> None:
    request = Request(
        action="sqs:SendMessage",
        resource="arn:aws:sqs:eu-west-1:123456789012:queue",
        principals={"Service": ("events.amazonaws.com",)},
        context={"aws:SourceArn": source} if source else {},
    )
    assert evaluate({"Statement": FROM_RULE}, request) is decision


def test_an_unknown_operator_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="DateGreaterThan"):
        decide(READ | {"Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020"}}}, aws_CurrentTime="2021")
