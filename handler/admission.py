"""Whether an event's object is this deployment's to read, so that no event can point it elsewhere."""

from dataclasses import dataclass

from s3_events import ObjectEvent, PoisonError


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """The one bucket, region and account that the function works for."""

    bucket: str
    region: str
    account: str
    upload_prefixes: tuple[str, ...]
    """What keys of uploads begin with; empty for any key."""
    system_prefixes: tuple[str, ...]
    """What the system itself writes. The rule's pattern leaves it out too: either alone prevents a loop."""

    def admits(self, event: ObjectEvent) -> bool:
        """Whether the event is about an upload; what the system wrote itself is none.

        Raises:
            PoisonError: when it is of another bucket, region or account.
        """
        for name, mine, theirs in (
            ("bucket", self.bucket, event.bucket),
            ("region", self.region, event.region or self.region),
            ("account", self.account, event.account or self.account),
        ):
            if theirs != mine:
                raise PoisonError(f"the event's {name} must be {mine}, got {theirs[:63]!r}")
        if event.key.startswith(self.system_prefixes):
            return False
        return not self.upload_prefixes or event.key.startswith(self.upload_prefixes)
