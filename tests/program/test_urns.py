"""The resources' places in the program, which a deployed stack's state knows them by.

A resource that moves, or gets another name, is deleted and created anew: queues are lost with their messages,
and what refuses a second creation of one name fails (github.com/pulumi/pulumi-aws/issues/511 and 1967). So
`urns.txt` holds them all. Before the first release, run `python -m tests.program.test_urns` to write it anew.
After that, a place that changes needs an alias for the old one:
https://www.pulumi.com/docs/iac/concepts/resources/options/aliases/
"""

from pathlib import Path

from tests.program.evaluation import PROJECT, evaluate

STACK = "eu-west-1"
LIST = Path(__file__).with_name("urns.txt")
EVERYTHING = {
    "regional-analytics:alarmSubscribers": '["on-call@example.com"]',
    "regional-analytics:customerManagedKey": "true",
    "regional-analytics:datasets": '["*"]',
    "regional-analytics:freshnessHours": "6",
}
"""Settings with which every resource exists."""


def test_no_resource_moves() -> None:
    assert LIST.read_text(encoding="utf-8").splitlines() == urns(), "see the head of this file"


def urns() -> list[str]:
    """Give the URN of each resource, in order, with the types of all that it is in, as the engine does."""
    resources = {each.urn: each for each in evaluate(STACK, EVERYTHING).resources}

    def types(urn: str) -> list[str]:
        inside = resources.get(urn)
        return [*types(inside.parent), inside.type] if inside else []

    start = f"urn:pulumi:{STACK}::{PROJECT}"
    return sorted(f"{start}::{'$'.join(types(each.urn))}::{each.name}" for each in resources.values())


if __name__ == "__main__":
    LIST.write_text("".join(f"{urn}\n" for urn in urns()), encoding="utf-8")
