"""The URNs of all resources, by which the state of a deployed stack identifies them.

Pulumi deletes a resource whose URN changes, and creates another. Queues lose their messages, and resources
whose names already exist fail (github.com/pulumi/pulumi-aws/issues/511 and 1967). So `urns.txt` lists all
URNs. Before the first release, run `python -m tests.program.test_urns` to update it. After that, a changed
URN needs an alias: https://www.pulumi.com/docs/iac/concepts/resources/options/aliases/
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
    assert LIST.read_text(encoding="utf-8").splitlines() == urns(), "see the docstring of this file"


def urns() -> list[str]:
    """Return the sorted URNs of all resources, with the types of their parents, as the engine forms them."""
    resources = {each.urn: each for each in evaluate(STACK, EVERYTHING).resources}

    def types(urn: str) -> list[str]:
        inside = resources.get(urn)
        return [*types(inside.parent), inside.type] if inside else []

    start = f"urn:pulumi:{STACK}::{PROJECT}"
    return sorted(f"{start}::{'$'.join(types(each.urn))}::{each.name}" for each in resources.values())


if __name__ == "__main__":
    LIST.write_text("".join(f"{urn}\n" for urn in urns()), encoding="utf-8")
