"""Daily files of one table. Without a contract, the type of `amount` differs between them."""

from decimal import Decimal
from typing import Any

from tests.contracts.drafts import column, custom, dataset, draft

DELIMITED = {
    "input/sales/day1.csv": b"id,amount\n1,10\n2,20\n",
    "input/sales/day2.csv": b"id,amount\n3,10.50\n4,20.25\n",
    "input/sales/day3.csv": b"id,amount\n5,1e2\n6,0.1\n",
    "input/sales/day4.csv": b"id,amount\n7,12\n8,n/a\n",
    "input/sales/day5.csv": b"id,amount\n9,\n10,\n",
    "input/sales/day6.csv": b"id,amount\n11,99999999999.99\n",
    "input/sales/day7.csv": b"id,amount\n12,5.5\n13,7\n",
    "input/sales/day8.csv": b"id,amount\n14,-3\n15,-0.01\n",
}
"""Without a contract, `amount` is BIGINT, DECIMAL, DOUBLE or VARCHAR, depending on the day."""

DELIMITED_SUM = Decimal("100000000182.33")
"""The exact sum. `n/a` is not a number, so its row is rejected."""

JSON = {
    "input/sales/day1.ndjson": b'{"id": 1, "amount": 10}\n{"id": 2, "amount": 20}\n',
    "input/sales/day2.ndjson": b'{"id": 3, "amount": 10.5}\n{"id": 4, "amount": null}\n',
    "input/sales/day3.ndjson": b'{"id": 5, "amount": "7.25"}\n{"id": 6, "amount": "n/a"}\n{"id": 7}\n',
}
"""Without a contract, `amount` is BIGINT, DOUBLE or VARCHAR, depending on the day."""

JSON_SUM = Decimal("47.75")


def contract(form: str) -> dict[str, Any]:
    """Return the draft of a contract for all files of a format."""
    content = draft()
    dataset(content)["customProperties"] = [
        custom("keyPrefix", "input/sales/"),
        custom("format", form),
        custom("handling", {"rejectedShareMax": 0.5}),
    ]
    dataset(content)["properties"] = [column(content, "id"), column(content, "amount")]
    return content
