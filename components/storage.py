"""The bucket: what users upload, and beside it what the system makes of it."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import s3

from components.names import SYSTEM_PREFIXES, Names
from components.settings import Settings

INCOMPLETE_UPLOAD_DAYS = 7
"""Parts of an upload that nobody finished are charged for, and seen by nobody."""


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """What the bucket keeps, how long, and from whom.

    Attributes:
        names: Names and tags.
        settings: The stack's settings.
        role_arn: The function's role, which may never alter or delete an upload.
        key_arn: The KMS key to encrypt with; None for S3's own keys.
    """

    names: Names
    settings: Settings
    role_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str] | None


class Storage(pulumi.ComponentResource):
    """A private, versioned bucket that tells EventBridge what happens in it."""

    bucket_name: pulumi.Output[str]
    bucket_arn: pulumi.Output[str]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Storage", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._bucket = s3.Bucket(
            f"{name}-bucket",
            bucket=args.names.physical("bucket"),
            bucket_namespace="account-regional",
            force_destroy=args.settings.force_destroy,
            tags=args.names.tags("bucket"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.settings.protect),
        )
        self._keep()
        self._encrypt()
        self._close()
        # S3 sends nothing to EventBridge until it is told to: without this, the chain never starts.
        s3.BucketNotification(
            f"{name}-notification", bucket=self._bucket.id, eventbridge=True, opts=self._child
        )
        self.bucket_name = self._bucket.id
        self.bucket_arn = self._bucket.arn
        self.register_outputs({"bucketName": self.bucket_name, "bucketArn": self.bucket_arn})

    def _keep(self) -> None:
        """Version everything, archive uploads, and let go of what nobody can miss."""
        settings = self._args.settings
        versioning = s3.BucketVersioning(
            f"{self._name}-versioning",
            bucket=self._bucket.id,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._child,
        )
        # A filter cannot except a prefix, so what moves to Glacier is named; results stay readable at once.
        archive = [
            s3.BucketLifecycleConfigurationRuleArgs(
                id=f"archive-{number}",
                status="Enabled",
                filter=s3.BucketLifecycleConfigurationRuleFilterArgs(
                    prefix=settings.keep_secret("archive_prefixes", prefix)
                ),
                transitions=[
                    s3.BucketLifecycleConfigurationRuleTransitionArgs(
                        days=settings.glacier_after_days, storage_class="GLACIER"
                    )
                ],
            )
            for number, prefix in enumerate(settings.archive_prefixes, start=1)
        ]
        expire = s3.BucketLifecycleConfigurationRuleArgs(
            id="expire-leftovers",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=settings.noncurrent_version_expiration_days
            ),
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
            abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=INCOMPLETE_UPLOAD_DAYS
            ),
        )
        s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=self._bucket.id,
            rules=[*archive, expire],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )

    def _encrypt(self) -> None:
        key_arn = self._args.key_arn
        default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256" if key_arn is None else "aws:kms", kms_master_key_id=key_arn
        )
        s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=self._bucket.id,
            rules=[
                s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default,
                    # One data key for many objects: KMS is asked, and paid, a fraction as often.
                    bucket_key_enabled=key_arn is not None,
                )
            ],
            opts=self._child,
        )

    def _close(self) -> None:
        """Leave access to policies alone, and let those admit nobody from outside."""
        ownership = s3.BucketOwnershipControls(
            f"{self._name}-ownership",
            bucket=self._bucket.id,
            rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child,
        )
        public_access_block = s3.BucketPublicAccessBlock(
            f"{self._name}-public-access-block",
            bucket=self._bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        # S3 refuses changes of one bucket at the same time (OperationAborted), hence one after the other.
        s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self._bucket.id,
            policy=pulumi.Output.all(self._bucket.arn, self._args.role_arn, self._args.key_arn).apply(
                lambda arns: json.dumps(bucket_policy(*arns, protect=self._args.settings.protect))
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[ownership, public_access_block]),
        )


def bucket_policy(bucket_arn: str, role_arn: str, key_arn: str | None, *, protect: bool) -> dict[str, Any]:
    """Return what nobody may do to the bucket, whatever their own policies allow."""
    everything = [bucket_arn, f"{bucket_arn}/*"]
    statements = [
        _deny("PlainHttp", "s3:*", everything, {"Bool": {"aws:SecureTransport": "false"}}),
        _deny("OutdatedTls", "s3:*", everything, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        # The role's own policy gives neither; this holds even if somebody widens it.
        _deny(
            "FunctionChangesUploads",
            ["s3:PutObject", "s3:DeleteObject"],
            {"NotResource": [f"{bucket_arn}/{prefix}*" for prefix in SYSTEM_PREFIXES]},
            {"ArnEquals": {"aws:PrincipalArn": role_arn}},
        ),
        _deny(
            "FunctionDeletesVersions",
            "s3:DeleteObjectVersion",
            [f"{bucket_arn}/*"],
            {"ArnEquals": {"aws:PrincipalArn": role_arn}},
        ),
    ]
    if key_arn is not None:
        # An upload may ask for another encryption than the bucket's own.
        statements.append(
            _deny(
                "OtherKeys",
                "s3:PutObject",
                [f"{bucket_arn}/*"],
                {
                    "Null": {"s3:x-amz-server-side-encryption": "false"},
                    "ArnNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key_arn},
                },
            )
        )
    if protect:
        # Versions are the way back from a mistake, so only a person with a second factor ends one early.
        statements.append(
            _deny(
                "DeletesForGoodWithoutSecondFactor",
                ["s3:DeleteBucket", "s3:DeleteObjectVersion"],
                everything,
                {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            )
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _deny(
    sid: str, actions: str | list[str], resources: list[str] | dict[str, list[str]], condition: dict[str, Any]
) -> dict[str, Any]:
    return {
        "Sid": f"No{sid}",
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        **(resources if isinstance(resources, dict) else {"Resource": resources}),
        "Condition": condition,
    }
