"""The provider's functions that the program calls, by token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.resources.target import Target


def _get_region(target: Target) -> dict[str, Any]:
    return {"id": target.region, "name": target.region, "region": target.region}


def _get_caller_identity(target: Target) -> dict[str, Any]:
    caller = target.service("sts").get_caller_identity()
    return {
        "id": caller["Account"],
        "accountId": caller["Account"],
        "arn": caller["Arn"],
        "userId": caller["UserId"],
    }


FUNCTIONS: dict[str, Callable[[Target], dict[str, Any]]] = {
    "aws:index/getRegion:getRegion": _get_region,
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
}
