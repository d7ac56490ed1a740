"""The bucket policy, which only denies."""

from collections.abc import Sequence
from typing import Any

from components.names import SYSTEM_PREFIXES


def bucket_policy(
    bucket_arn: str,
    role_arn: str,
    key_arn: str | None,
    administrator_arns: Sequence[str],
    *,
    protect: bool,
) -> dict[str, Any]:
    """Return the policy of the bucket. Its denials apply whatever the callers' own policies allow.

    Whoever may change this policy or the lifecycle can bypass it. The policy does not deny its own change,
    because then nobody could correct it.

    Args:
        bucket_arn: The bucket.
        role_arn: The function's role.
        key_arn: The KMS key that encrypts the bucket; None for S3's own keys.
        administrator_arns: Roles that may change results and delete versions.
        protect: Whether to deny the deletion of versions to all others.
    """
    objects, everything = [f"{bucket_arn}/*"], [bucket_arn, f"{bucket_arn}/*"]
    results = [f"{bucket_arn}/{prefix}*" for prefix in SYSTEM_PREFIXES]
    by_function = {"ArnEquals": {"aws:PrincipalArn": role_arn}}
    statements = [
        _deny("PlainHttp", everything, {"Bool": {"aws:SecureTransport": "false"}}, Action="s3:*"),
        _deny(
            "OutdatedTls",
            [bucket_arn, *objects],
            {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
            Action="s3:*",
        ),
        # NotAction also covers actions that S3 adds later.
        _deny(
            "ChangesOfResults",
            results,
            {"ArnNotEquals": {"aws:PrincipalArn": [role_arn, *administrator_arns]}},
            NotAction=["s3:Get*", "s3:List*"],
        ),
        # The role's policy allows neither of these. They stay denied if somebody extends it.
        {
            **_deny("FunctionChangesUploads", [], by_function, Action=["s3:PutObject", "s3:DeleteObject"]),
            "NotResource": results,
        },
        _deny("FunctionDeletesVersions", objects, by_function, Action="s3:DeleteObjectVersion"),
        # An upload can request other encryption than the bucket's, which the function could not read.
        _deny(
            "CustomerProvidedKeys",
            objects,
            {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
            Action="s3:PutObject",
        ),
        _deny("OtherKmsKeys", objects, _other_kms_key(key_arn), Action="s3:PutObject"),
    ]
    if protect:
        others = (
            {"ArnNotEquals": {"aws:PrincipalArn": list(administrator_arns)}} if administrator_arns else {}
        )
        statements.append(
            _deny(
                "DeletesForGood",
                [bucket_arn, *objects],
                others,
                Action=["s3:DeleteBucket", "s3:DeleteObjectVersion"],
            )
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _other_kms_key(key_arn: str | None) -> dict[str, Any]:
    """Return the condition of an upload that requests a KMS key other than the bucket's."""
    if key_arn is None:
        return {"Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "false"}}
    return {
        "Null": {"s3:x-amz-server-side-encryption": "false"},
        "ArnNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key_arn},
    }


def _deny(
    sid: str, resources: list[str], condition: dict[str, Any], **actions: str | list[str]
) -> dict[str, Any]:
    return {
        "Sid": f"No{sid}",
        "Effect": "Deny",
        "Principal": "*",
        **actions,
        **({"Resource": resources} if resources else {}),
        **({"Condition": condition} if condition else {}),
    }
