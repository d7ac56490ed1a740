"""What of a deployed stack cannot be changed: kept in its state, and compared before any resource is touched.

Pulumi would find out half-way. With another suffix, for example, `pulumi up` without a preview deletes the
role's policy before the protected table refuses (github.com/pulumi/pulumi/issues/6191).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime.sync_await import _sync_await

from components.configuration import PROJECT, SettingsError
from components.names import Names
from components.settings import Settings


@dataclass(frozen=True, kw_only=True)
class IdentityArgs:
    """What the stack is deployed as now."""

    names: Names
    settings: Settings


class Identity(pulumi.ComponentResource):
    """Two values that Pulumi's own `Stash` resource keeps as they were when it was created.

    Raises:
        SettingsError: The stack was deployed as something else.
    """

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Identity", name, None, opts)
        self._name = name
        now = {
            "account": args.names.account.account_id,
            "region": args.settings.region,
            "environmentSuffix": args.settings.environment_suffix,
        }
        kept = pulumi.ResourceOptions(parent=self, ignore_changes=["input"])
        problems = [*_changes(_wait(pulumi.Stash(f"{name}-names", input=now, opts=kept).output), now)]
        if not args.settings.customer_managed_key and _wait(
            pulumi.Stash(f"{name}-key", input=False, opts=kept).output
        ):
            problems.append(
                f"{PROJECT}:customerManagedKey: must stay true, as the stack is deployed with it: the table,"
                " waiting messages and older objects are under the key, which would be deleted, got false"
            )
        if problems:
            raise SettingsError(problems)
        self.register_outputs({})

    def keep_key(self, key_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """Keep that the stack has a key of its own, before anything is encrypted with it.

        Args:
            key_arn: The key's ARN, which is known when the key exists.

        Returns:
            The ARN, which is known when that is kept.
        """
        used = pulumi.Stash(
            f"{self._name}-key",
            input=key_arn.apply(lambda _: True),
            # A stash that holds False keeps it until it is replaced.
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["input"]),
        )
        return pulumi.Output.all(key_arn, used.output).apply(lambda values: values[0])


def _changes(deployed: Mapping[str, Any] | None, now: Mapping[str, str]) -> Iterator[str]:
    for name, was in (deployed or now).items():
        if was == now[name]:
            continue
        if name == "account":
            yield (
                f"the AWS account must stay {was}, to which the stack is deployed: change the credentials,"
                f" or deploy another stack, got {now[name]}"
            )
        else:
            yield (
                f"{PROJECT}:{name}: must stay {was!r}, as the stack is deployed with it and every name"
                f" contains it: set it back, or deploy another stack, got {now[name]!r}"
            )


def _wait(output: pulumi.Output[Any]) -> Any:  # noqa: ANN401 - what the stash keeps
    """Return the output's value once it is there, as the plain call of a provider's function does.

    Nothing else is registered meanwhile, and an error is the program's own, told once.
    """
    return _sync_await(output.future())
