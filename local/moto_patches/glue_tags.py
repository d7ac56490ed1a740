"""Tags of Glue databases. In moto, the tags of a deleted database remain, and its ARN is still listed."""

from __future__ import annotations

from moto.glue.models import GlueBackend

from local.moto_patches.moto_account import ACCOUNT, PARTITION


def install() -> None:
    """Apply the patch; call this once, before the server handles requests."""
    delete_database = GlueBackend.delete_database

    def delete_with_tags(self: GlueBackend, database_name: str) -> None:
        delete_database(self, database_name)
        arn = f"arn:{PARTITION}:glue:{self.region_name}:{ACCOUNT}:database/{database_name}"
        self.tagger.delete_all_tags_for_resource(arn)

    GlueBackend.delete_database = delete_with_tags
