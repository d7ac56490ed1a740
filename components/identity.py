"""Settings that a deployed stack cannot change: stored in its state, and compared before any change.

Pulumi alone would fail in the middle of an update. With another suffix, for example, `pulumi up` without a
preview deletes the role's policy before it refuses to replace the protected table
(github.com/pulumi/pulumi/issues/6191).
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
    """Inputs of `Identity`: the current names and settings."""

    names: Names
    settings: Settings


class Identity(pulumi.ComponentResource):
    """The values of the first deployment, in `Stash` resources, which keep what they were created with.

    Raises:
        SettingsError: The stack was deployed with other values.
    """

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Identity", name, None, opts)
        self._name = name
        now = {
            "account": args.names.account.account_id,
            "region": args.settings.region,
            "environmentSuffix": args.settings.environment_suffix,
        }
        unchanged = pulumi.ResourceOptions(parent=self, ignore_changes=["input"])
        # A refused destroy deletes what is not protected. Without the stash, the next update could store
        # names that differ from those of the protected resources.
        kept = pulumi.ResourceOptions.merge(unchanged, pulumi.ResourceOptions(protect=args.settings.protect))
        problems = [*_changes(_wait(pulumi.Stash(f"{name}-names", input=now, opts=kept).output), now)]
        if not args.settings.customer_managed_key and _wait(
            pulumi.Stash(f"{name}-key", input=False, opts=unchanged).output
        ):
            problems.append(
                f"{PROJECT}:customerManagedKey: must stay true, as the stack is deployed with it: the table,"
                " waiting messages and older objects are encrypted with its key, which would be deleted,"
                " got false"
            )
        if problems:
            raise SettingsError(problems)
        self.register_outputs({})

    def store_key(self, key_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        """Store that the stack has a customer-managed key, before anything is encrypted with it.

        Args:
            key_arn: The key's ARN.

        Returns:
            The ARN, available only after the fact is stored.
        """
        used = pulumi.Stash(
            f"{self._name}-key",
            input=key_arn.apply(lambda _: True),
            # A stash keeps its first value, False, until it is replaced.
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


def _wait(output: pulumi.Output[Any]) -> Any:  # noqa: ANN401 - any value that a stash holds
    """Return an output's value, as Pulumi's synchronous invokes do.

    No other resource is registered while it waits, and an error is raised in the program, once.
    """
    return _sync_await(output.future())
