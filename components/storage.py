"""The bucket of uploads and results."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import s3

from components.bucket_policy import bucket_policy
from components.names import Names
from components.settings import Settings

INCOMPLETE_UPLOAD_DAYS = 7
"""S3 bills the parts of incomplete multipart uploads, but does not list them as objects."""


@dataclass(frozen=True, kw_only=True)
class StorageArgs:
    """Inputs of `Storage`.

    Attributes:
        names: Names and tags.
        settings: The stack's settings.
        role_arn: The function's role, which the bucket policy prevents from changing uploads.
        key_arn: The KMS key that encrypts the bucket; None for S3's own keys.
    """

    names: Names
    settings: Settings
    role_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str] | None


class Storage(pulumi.ComponentResource):
    """A private, versioned bucket that sends its events to EventBridge."""

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
        self._configure_retention()
        self._encrypt()
        self._add_policy(self._block_public_access())
        # S3 sends no events to EventBridge without this.
        s3.BucketNotification(
            f"{name}-notification", bucket=self._bucket.id, eventbridge=True, opts=self._child
        )
        self.bucket_name = self._bucket.id
        self.bucket_arn = self._bucket.arn
        self.register_outputs({"bucketName": self.bucket_name, "bucketArn": self.bucket_arn})

    def _configure_retention(self) -> None:
        """Version objects, archive uploads, and expire noncurrent versions and incomplete uploads."""
        settings = self._args.settings
        versioning = s3.BucketVersioning(
            f"{self._name}-versioning",
            bucket=self._bucket.id,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._child,
        )
        # A filter cannot exclude the results' prefixes, so the rules name the prefixes of uploads.
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
            # Small objects are not archived. S3 bills transition requests and 40 KB of overhead per object.
            transition_default_minimum_object_size="all_storage_classes_128K",
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
                    # This is the default of new buckets since 2026.
                    blocked_encryption_types=["SSE-C"],
                    # A bucket key serves many objects, which reduces the requests to KMS and their cost.
                    bucket_key_enabled=key_arn is not None,
                )
            ],
            opts=self._child,
        )

    def _block_public_access(self) -> list[pulumi.Resource]:
        """Disable ACLs, and block public policies."""
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
        return [ownership, public_access_block]

    def _add_policy(self, after: list[pulumi.Resource]) -> None:
        """Add the bucket policy after the given resources. S3 refuses parallel changes (OperationAborted)."""
        settings = self._args.settings
        administrators = settings.keep_secret("administrator_role_arns", settings.administrator_role_arns)
        policy = pulumi.Output.all(
            bucket_arn=self._bucket.arn,
            role_arn=self._args.role_arn,
            key_arn=self._args.key_arn,
            administrator_arns=administrators,
        ).apply(lambda arns: json.dumps(bucket_policy(**arns, protect=settings.protect)))
        s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self._bucket.id,
            policy=policy,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
