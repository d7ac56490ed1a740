"""The two calls to the DynamoDB table that the function's role allows, with Python values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from faults import error_code

if TYPE_CHECKING:
    from botocore.client import BaseClient

_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


class ConditionFailedError(Exception):
    """The condition of an update did not hold; `item` is the item as it is in the table."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        super().__init__("the condition of the update did not hold")
        self.item = item


class Table:
    """The job table."""

    def __init__(self, client: "BaseClient", name: str) -> None:
        self._client: Any = client
        self._name = name

    def get(self, job_id: str) -> dict[str, Any]:
        """Read an item with strong consistency; return an empty dictionary if there is none."""
        answer = self._client.get_item(
            TableName=self._name, Key={"job_id": {"S": job_id}}, ConsistentRead=True
        )
        return _item(answer.get("Item"))

    def update(
        self,
        job_id: str,
        *,
        assign: Mapping[str, Any],
        count: str | None = None,
        remove: tuple[str, ...] = (),
        condition: str,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Update an item if the condition holds, and return the item as it was before.

        Args:
            job_id: The item's key.
            assign: Attributes to set.
            count: An attribute to increase by one.
            remove: Attributes to remove.
            condition: Names attributes as `#name` and values as `:name`.
            values: The values of the condition.

        Raises:
            ConditionFailedError: The condition does not hold.
        """
        sets = [f"#{name} = :set_{name}" for name in assign]
        parameters = {f":set_{name}": value for name, value in assign.items()}
        if count:
            sets.append(f"#{count} = if_not_exists(#{count}, :zero) + :one")
            parameters |= {":zero": 0, ":one": 1}
        parameters |= {f":{name}": value for name, value in values.items()}
        expression = "SET " + ", ".join(sets)
        if remove:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
        names = {word for word in _words(expression) | _words(condition) if word.startswith("#")}
        try:
            answer = self._client.update_item(
                TableName=self._name,
                Key={"job_id": {"S": job_id}},
                UpdateExpression=expression,
                ConditionExpression=condition,
                ExpressionAttributeNames={name: name[1:] for name in sorted(names)},
                ExpressionAttributeValues={name: _serialize(_stored(v)) for name, v in parameters.items()},
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            raise ConditionFailedError(_item(error.response.get("Item"))) from None
        return _item(answer.get("Attributes"))


def _words(expression: str) -> set[str]:
    for sign in "(),=<>+":
        expression = expression.replace(sign, " ")
    return set(expression.split())


def _stored(value: Any) -> Any:  # noqa: ANN401  (any type that DynamoDB stores)
    """Return a value with each float as the decimal that it prints as: DynamoDB takes no floats."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _stored(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_stored(entry) for entry in value]
    return value


def _item(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: _deserialize(value) for name, value in (attributes or {}).items()}
