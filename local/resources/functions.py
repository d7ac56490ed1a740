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


def _get_availability_zones(target: Target) -> dict[str, Any]:
    zones = target.service("ec2").describe_availability_zones()["AvailabilityZones"]
    return {
        "id": target.region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "region": target.region,
    }


FUNCTIONS: dict[str, Callable[[Target], dict[str, Any]]] = {
    "aws:index/getRegion:getRegion": _get_region,
    "aws:index/getCallerIdentity:getCallerIdentity": _get_caller_identity,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _get_availability_zones,
}
