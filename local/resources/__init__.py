"""Creates one resource of each type that the program uses, and gives its attributes under their Pulumi names.

A type is known when it is registered here; the deployer refuses every other, so nothing passes unbuilt.
"""

from local.resources import compute, encryption, events, identity, jobs, monitoring, network, storage
from local.resources.target import Creator, Target

__all__ = ["CREATORS", "FUNCTIONS", "Creator", "Target"]

CREATORS: dict[str, Creator] = {
    creator_type: creator
    for module in (compute, encryption, events, identity, jobs, monitoring, network, storage)
    for creator_type, creator in module.CREATORS.items()
}

FUNCTIONS = identity.FUNCTIONS
"""Answers what the program asks a provider, by the function's token."""
