"""SNS topics, their policies and subscriptions."""

from __future__ import annotations

from local.resources.resource_type import Call, Read, ResourceType, Tagging


def _attribute(topic: str, name: str, takes: str) -> Call:
    """Declare a call that sets one attribute: SNS sets only one at a time."""
    return Call(
        operation="set_topic_attributes",
        parameters={"TopicArn": topic, "AttributeName": name},
        takes=frozenset({takes}),
        renames={takes: "AttributeValue"},
    )


_SET_POLICY = _attribute("$arn", "Policy", "policy")

TYPES = (
    ResourceType(
        pulumi_type="aws:sns/topic:Topic",
        service="sns",
        create=Call(operation="create_topic"),
        identifier=".TopicArn",
        parts="$_:$name",
        changes=(_attribute("$id", "KmsMasterKeyId", "kmsMasterKeyId"),),
        reads=(Read(operation="get_topic_attributes", parameters={"TopicArn": "$id"}),),
        deletes=(Call(operation="delete_topic", parameters={"TopicArn": "$id"}),),
        tagging=Tagging(
            tag=Call(operation="tag_resource", parameters={"ResourceArn": "$id"}),
            untag=Call(operation="untag_resource", parameters={"ResourceArn": "$id", "TagKeys": "$tagKeys"}),
            read=Read(operation="list_tags_for_resource", parameters={"ResourceArn": "$id"}, at="Tags"),
        ),
        renames={"kmsMasterKeyId": "Attributes.KmsMasterKeyId"},
        outputs={"arn": "$id"},
        name="name",
        unset={"kmsMasterKeyId": ""},
    ),
    ResourceType(
        pulumi_type="aws:sns/topicPolicy:TopicPolicy",
        service="sns",
        create=_SET_POLICY,
        identifier="$arn",
        changes=(_SET_POLICY,),
        reads=(
            Read(
                operation="get_topic_attributes",
                parameters={"TopicArn": "$id"},
                renames={"arn": "Attributes.TopicArn", "policy": "Attributes.Policy"},
            ),
        ),
        replaced_by=frozenset({"arn"}),
        provider_only=frozenset({"arn"}),
    ),
    ResourceType(
        pulumi_type="aws:sns/topicSubscription:TopicSubscription",
        service="sns",
        create=Call(operation="subscribe", parameters={"ReturnSubscriptionArn": True}),
        identifier=".SubscriptionArn",
        reads=(
            Read(
                operation="get_subscription_attributes",
                parameters={"SubscriptionArn": "$id"},
                at="Attributes",
            ),
        ),
        deletes=(Call(operation="unsubscribe", parameters={"SubscriptionArn": "$id"}),),
        renames={"topic": "TopicArn"},
        outputs={"arn": "$id"},
        replaced_by=frozenset({"topic", "protocol", "endpoint"}),
    ),
)
