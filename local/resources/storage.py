"""The bucket and its companions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.resources.target import given, key_values

if TYPE_CHECKING:
    from local.resources.target import Creator, Inputs, Outputs, Target


def _create_bucket(target: Target, inputs: Inputs) -> Outputs:
    s3 = target.client("s3")
    name = inputs["bucket"]
    # us-east-1 is where S3 creates buckets unless told otherwise, and it refuses to be told so.
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": target.region}}
    s3.create_bucket(
        Bucket=name,
        **given(BucketNamespace=inputs.get("bucketNamespace")),
        **({} if target.region == "us-east-1" else elsewhere),
    )
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": key_values(inputs.get("tags"))})
    return {
        "id": name,
        "arn": f"arn:aws:s3:::{name}",
        "bucket": name,
        "bucketRegionalDomainName": f"{name}.s3.{target.region}.amazonaws.com",
    }


def _create_versioning(target: Target, inputs: Inputs) -> Outputs:
    status = {"Status": inputs["versioningConfiguration"]["status"]}
    target.client("s3").put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration=status)
    return {"id": inputs["bucket"]}


def _encrypt(target: Target, inputs: Inputs) -> Outputs:
    rules = []
    for rule in inputs["rules"]:
        default = rule["applyServerSideEncryptionByDefault"]
        by_default = given(SSEAlgorithm=default["sseAlgorithm"], KMSMasterKeyID=default.get("kmsMasterKeyId"))
        rules.append(
            given(
                ApplyServerSideEncryptionByDefault=by_default, BucketKeyEnabled=rule.get("bucketKeyEnabled")
            )
        )
    target.client("s3").put_bucket_encryption(
        Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return {"id": inputs["bucket"]}


def _create_lifecycle(target: Target, inputs: Inputs) -> Outputs:
    target.client("s3").put_bucket_lifecycle_configuration(
        Bucket=inputs["bucket"],
        LifecycleConfiguration={"Rules": [_lifecycle_rule(rule) for rule in inputs["rules"]]},
    )
    return {"id": inputs["bucket"]}


def _lifecycle_rule(rule: Inputs) -> dict[str, Any]:
    known = {"id", "status", "filter", "transitions", "noncurrentVersionExpiration", "expiration"}
    known |= {"abortIncompleteMultipartUpload"}
    if unknown := set(rule) - known:
        raise ValueError(f"lifecycle rule {rule['id']}: {', '.join(sorted(unknown))} not known here")
    converted: dict[str, Any] = {
        "ID": rule["id"],
        "Status": rule["status"],
        "Filter": {"Prefix": rule.get("filter", {}).get("prefix", "")},
    }
    if "transitions" in rule:
        converted["Transitions"] = [
            {"Days": transition["days"], "StorageClass": transition["storageClass"]}
            for transition in rule["transitions"]
        ]
    if "noncurrentVersionExpiration" in rule:
        days = rule["noncurrentVersionExpiration"]["noncurrentDays"]
        converted["NoncurrentVersionExpiration"] = {"NoncurrentDays": days}
    if "expiration" in rule:
        expiration = rule["expiration"]
        converted["Expiration"] = given(
            Days=expiration.get("days"), ExpiredObjectDeleteMarker=expiration.get("expiredObjectDeleteMarker")
        )
    if "abortIncompleteMultipartUpload" in rule:
        days = rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"]
        converted["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return converted


def _create_ownership(target: Target, inputs: Inputs) -> Outputs:
    rules = [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]
    target.client("s3").put_bucket_ownership_controls(
        Bucket=inputs["bucket"], OwnershipControls={"Rules": rules}
    )
    return {"id": inputs["bucket"]}


def _create_public_access_block(target: Target, inputs: Inputs) -> Outputs:
    target.client("s3").put_public_access_block(
        Bucket=inputs["bucket"],
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": inputs.get("blockPublicAcls", False),
            "BlockPublicPolicy": inputs.get("blockPublicPolicy", False),
            "IgnorePublicAcls": inputs.get("ignorePublicAcls", False),
            "RestrictPublicBuckets": inputs.get("restrictPublicBuckets", False),
        },
    )
    return {"id": inputs["bucket"]}


def _create_policy(target: Target, inputs: Inputs) -> Outputs:
    target.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return {"id": inputs["bucket"]}


def _create_notification(target: Target, inputs: Inputs) -> Outputs:
    if unknown := {name for name, value in inputs.items() if value} - {"bucket", "eventbridge"}:
        raise ValueError(
            f"{', '.join(sorted(unknown))}: only notifications through EventBridge are known here"
        )
    target.client("s3").put_bucket_notification_configuration(
        Bucket=inputs["bucket"],
        NotificationConfiguration={"EventBridgeConfiguration": {}} if inputs.get("eventbridge") else {},
    )
    return {"id": inputs["bucket"]}


CREATORS: dict[str, Creator] = {
    "aws:s3/bucket:Bucket": _create_bucket,
    "aws:s3/bucketVersioning:BucketVersioning": _create_versioning,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _encrypt,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _create_lifecycle,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _create_ownership,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _create_public_access_block,
    "aws:s3/bucketPolicy:BucketPolicy": _create_policy,
    "aws:s3/bucketNotification:BucketNotification": _create_notification,
}
