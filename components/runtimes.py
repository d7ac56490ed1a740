"""The Lambda runtimes that the function supports."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """One of Lambda's Python runtimes.

    Attributes:
        name: Lambda's identifier.
        python: The Python version.
        glibc: The minor version of glibc 2 in its Amazon Linux.
        supported_until: The day on which AWS's support ends.
    """

    name: str
    python: str
    glibc: int
    supported_until: date

    def deprecation(self, today: date) -> str | None:
        """Return a warning if AWS's support ends within a year, else None."""
        end = self.supported_until
        if (today.year + 1, today.month, today.day) < (end.year, end.month, end.day):
            return None
        newest = max(RUNTIMES.values(), key=lambda runtime: (runtime.supported_until, runtime.name))
        verb = "ends" if end >= today else "ended"
        return (
            f"AWS's support of {self.name} {verb} on {end}; set {newest.name},"
            f" which is supported until {newest.supported_until}"
        )


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime(name="python3.11", python="3.11", glibc=26, supported_until=date(2027, 6, 30)),
        Runtime(name="python3.12", python="3.12", glibc=34, supported_until=date(2028, 10, 31)),
        Runtime(name="python3.13", python="3.13", glibc=34, supported_until=date(2029, 6, 30)),
        Runtime(name="python3.14", python="3.14", glibc=34, supported_until=date(2029, 6, 30)),
    )
}
"""By identifier (Lambda developer guide, "Lambda runtimes"). python3.11 runs on Amazon Linux 2 with glibc
2.26, the others on Amazon Linux 2023 with glibc 2.34 (their release notes)."""
