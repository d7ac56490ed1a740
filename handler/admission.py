"""Whether an event's object is this deployment's to read, so that no event can point it elsewhere."""

from dataclasses import dataclass

from s3_events import ObjectCreated, PoisonError

SYSTEM_PREFIXES = ("processed/", "rejected/")
"""What the system itself writes. The rule's pattern leaves it out too: either alone prevents a loop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """The one bucket, region and account that the function works for."""

    bucket: str
    region: str
    account: str

    def admits(self, created: ObjectCreated) -> bool:
        """Whether to process it: False for what the system itself wrote.

        Raises:
            PoisonError: when it is of another bucket, region or account.
        """
        for name, mine, theirs in (
            ("bucket", self.bucket, created.bucket),
            ("region", self.region, created.region or self.region),
            ("account", self.account, created.account or self.account),
        ):
            if theirs != mine:
                raise PoisonError(f"the event's {name} must be {mine}, got {theirs[:63]!r}")
        return not created.key.startswith(SYSTEM_PREFIXES)
