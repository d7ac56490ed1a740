"""The check that an event is about an upload in this deployment's bucket."""

from dataclasses import dataclass

from s3_events import ObjectEvent, PoisonError


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """The bucket, region and account that the function works for."""

    bucket: str
    region: str
    account: str
    upload_prefixes: tuple[str, ...]
    """The prefixes of uploads; empty if any key can be an upload."""
    system_prefixes: tuple[str, ...]
    """The prefixes that the system writes under. The EventBridge rule excludes them too. Either check alone
    prevents a loop."""

    def admits(self, event: ObjectEvent) -> bool:
        """Return whether the event is about an upload, not about an object that the system wrote.

        Raises:
            PoisonError: The event is of another bucket, region or account.
        """
        for name, expected, actual in (
            ("bucket", self.bucket, event.bucket),
            ("region", self.region, event.region or self.region),
            ("account", self.account, event.account or self.account),
        ):
            if actual != expected:
                raise PoisonError(f"the event's {name} must be {expected}, got {actual[:63]!r}")
        if event.key.startswith(self.system_prefixes):
            return False
        return not self.upload_prefixes or event.key.startswith(self.upload_prefixes)
