"""A bucket's encryption configuration, with the blocked encryption types."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response


def install() -> None:
    """Apply the patch; call this once, before the server handles requests."""
    get = S3Response.get_bucket_encryption

    def get_whole(self: S3Response) -> Any:  # noqa: ANN401 - moto's answer
        """Moto stores the blocked encryption types, and does not return them."""
        encryption = self.backend.get_bucket_encryption(self.bucket_name)
        rule = encryption["Rule"] if encryption else {}
        blocked = rule.get("BlockedEncryptionTypes")
        if not blocked:
            return get(self)
        self.data["Action"] = "GetBucketEncryption"
        types = blocked["EncryptionType"]
        whole = {
            "ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled") == "true",
            "BlockedEncryptionTypes": {"EncryptionType": types if isinstance(types, list) else [types]},
        }
        return self.serialized(ActionResult({"ServerSideEncryptionConfiguration": {"Rules": [whole]}}))

    S3Response.get_bucket_encryption = get_whole
