"""S3 buckets and their configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.resource_type import Call, Read, ResourceType, Tagging, Values

if TYPE_CHECKING:
    from local.resources.target import Target


def _choose_region(target: Target, _values: Values, parameters: dict[str, Any]) -> None:
    """Add the region, except us-east-1: it is S3's default, which a call must not name."""
    if target.region != "us-east-1":
        parameters["CreateBucketConfiguration"] = {"LocationConstraint": target.region}


def _empty(target: Target, values: Values) -> None:
    """Delete every version of every object if `forceDestroy` is set."""
    if not values.get("forceDestroy"):
        return
    s3 = target.service("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=values["bucket"]):
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if versions:
            objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
            s3.delete_objects(Bucket=values["bucket"], Delete={"Objects": objects, "Quiet": True})


_BUCKET = ResourceType(
    pulumi_type="aws:s3/bucket:Bucket",
    service="s3",
    create=Call(
        operation="create_bucket", takes=frozenset({"bucket", "bucketNamespace"}), prepare=_choose_region
    ),
    identifier="$bucket",
    reads=(
        Read(
            operation="head_bucket",
            parameters={"Bucket": "$id"},
            # S3 does not return the namespace; only names in the account-regional namespace end with "-an".
            at="{BucketNamespace: ends_with('$id', '-an') && 'account-regional' || 'global'}",
        ),
    ),
    deletes=(_empty, Call(operation="delete_bucket", parameters={"Bucket": "$id"})),
    tagging=Tagging(
        tag=Call(
            operation="put_bucket_tagging",
            parameters={"Bucket": "$id"},
            takes=frozenset({"tags"}),
            renames={"tags": "Tagging.TagSet"},
        ),
        untag=None,
        read=Read(operation="get_bucket_tagging", parameters={"Bucket": "$id"}, at="TagSet"),
    ),
    outputs={
        "bucket": "$id",
        "arn": "arn:$partition:s3:::$id",
        "bucketDomainName": "$id.s3.amazonaws.com",
        "bucketRegionalDomainName": "$id.s3.$region.amazonaws.com",
    },
    name="bucket",
    replaced_by=frozenset({"bucketNamespace"}),
    provider_only=frozenset({"forceDestroy"}),
)


def _configuration(
    token: str,
    subject: str,
    *,
    renames: dict[str, str] | None = None,
    at: str = "@",
    delete: Call | None = None,
) -> ResourceType:
    """Declare a configuration of a bucket with the calls put, get and delete of the same name."""
    put = Call(operation=f"put_{subject}")
    return ResourceType(
        pulumi_type=f"aws:s3/{token[0].lower()}{token[1:]}:{token}",
        service="s3",
        create=put,
        identifier="$bucket",
        changes=(put,),
        reads=(Read(operation=f"get_{subject}", parameters={"Bucket": "$id"}, at=at),),
        deletes=(
            delete or Call(operation=f"delete_{subject}", parameters={"Bucket": "$id"}, takes=frozenset()),
        ),
        renames=renames or {},
        replaced_by=frozenset({"bucket"}),
    )


_PUBLIC_ACCESS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

_NOTIFICATION = Call(
    operation="put_bucket_notification_configuration",
    parameters={"Bucket": "$bucket", "NotificationConfiguration.EventBridgeConfiguration": {}},
    switch="eventbridge",
    otherwise=Call(
        operation="put_bucket_notification_configuration",
        parameters={"Bucket": "$bucket", "NotificationConfiguration": {}},
        takes=frozenset(),
    ),
)

TYPES = (
    _BUCKET,
    _configuration(
        "BucketVersioning",
        "bucket_versioning",
        at="{VersioningConfiguration: @}",
        # S3 cannot disable versioning.
        delete=Call(
            operation="put_bucket_versioning",
            parameters={"Bucket": "$id", "VersioningConfiguration.Status": "Suspended"},
            takes=frozenset(),
        ),
    ),
    _configuration(
        "BucketServerSideEncryptionConfiguration",
        "bucket_encryption",
        renames={
            "rules": "ServerSideEncryptionConfiguration.Rules",
            "rules.blockedEncryptionTypes": "BlockedEncryptionTypes.EncryptionType",
        },
    ),
    _configuration(
        "BucketLifecycleConfiguration",
        "bucket_lifecycle_configuration",
        renames={"rules": "LifecycleConfiguration.Rules"},
        at="{LifecycleConfiguration: {Rules: Rules},"
        " TransitionDefaultMinimumObjectSize: TransitionDefaultMinimumObjectSize}",
        delete=Call(operation="delete_bucket_lifecycle", parameters={"Bucket": "$id"}, takes=frozenset()),
    ),
    _configuration(
        "BucketOwnershipControls",
        "bucket_ownership_controls",
        renames={"rule": "OwnershipControls.Rules"},
    ),
    _configuration(
        "BucketPublicAccessBlock",
        "public_access_block",
        renames={
            name: f"PublicAccessBlockConfiguration.{name[0].upper()}{name[1:]}" for name in _PUBLIC_ACCESS
        },
    ),
    _configuration("BucketPolicy", "bucket_policy"),
    ResourceType(
        pulumi_type="aws:s3/bucketNotification:BucketNotification",
        service="s3",
        create=_NOTIFICATION,
        identifier="$bucket",
        changes=(_NOTIFICATION,),
        reads=(
            Read(
                operation="get_bucket_notification_configuration",
                parameters={"Bucket": "$id"},
                at="{bucket: '$id', eventbridge: EventBridgeConfiguration != `null`}",
            ),
        ),
        deletes=(
            Call(
                operation="put_bucket_notification_configuration",
                parameters={"Bucket": "$id", "NotificationConfiguration": {}},
                takes=frozenset(),
            ),
        ),
        replaced_by=frozenset({"bucket"}),
        provider_only=frozenset({"bucket"}),
    ),
)
