"""SQS queues and their policies."""

from __future__ import annotations

from local.resources.resource_type import Call, Read, ResourceType, Tagging

_ATTRIBUTES = {
    "delaySeconds": "Attributes.DelaySeconds",
    "kmsDataKeyReusePeriodSeconds": "Attributes.KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "Attributes.KmsMasterKeyId",
    "maxMessageSize": "Attributes.MaximumMessageSize",
    "messageRetentionSeconds": "Attributes.MessageRetentionPeriod",
    "policy": "Attributes.Policy",
    "receiveWaitTimeSeconds": "Attributes.ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "Attributes.RedriveAllowPolicy",
    "redrivePolicy": "Attributes.RedrivePolicy",
    "sqsManagedSseEnabled": "Attributes.SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "Attributes.VisibilityTimeout",
}

_QUEUE = ResourceType(
    pulumi_type="aws:sqs/queue:Queue",
    service="sqs",
    create=Call(operation="create_queue"),
    identifier=".QueueUrl",
    parts="$_/$name",
    changes=(Call(operation="set_queue_attributes", parameters={"QueueUrl": "$id"}),),
    reads=(
        Read(
            operation="get_queue_attributes",
            parameters={"QueueUrl": "$id", "AttributeNames": ["All"]},
            renames={**_ATTRIBUTES, "arn": "Attributes.QueueArn"},
        ),
    ),
    deletes=(Call(operation="delete_queue", parameters={"QueueUrl": "$id"}),),
    tagging=Tagging(
        tag=Call(operation="tag_queue", parameters={"QueueUrl": "$id"}),
        untag=Call(operation="untag_queue", parameters={"QueueUrl": "$id", "TagKeys": "$tagKeys"}),
        read=Read(operation="list_queue_tags", parameters={"QueueUrl": "$id"}, at="Tags"),
    ),
    renames={"name": "QueueName", **_ATTRIBUTES},
    outputs={"url": "$id"},
    name="name",
    unset={"kmsMasterKeyId": "", "redrivePolicy": "", "sqsManagedSseEnabled": "false"},
)


def _attribute(token: str, name: str) -> ResourceType:
    """Declare a resource that is one attribute of a queue."""
    attribute = _ATTRIBUTES[name]
    set_ = Call(operation="set_queue_attributes")
    return ResourceType(
        pulumi_type=token,
        service="sqs",
        create=set_,
        identifier="$queueUrl",
        changes=(set_,),
        reads=(
            Read(
                operation="get_queue_attributes",
                parameters={"QueueUrl": "$id", "AttributeNames": [attribute.partition(".")[2]]},
                at=f"{attribute} && {{QueueUrl: '$id', Attributes: Attributes}}",
            ),
        ),
        deletes=(
            Call(
                operation="set_queue_attributes",
                parameters={"QueueUrl": "$id", attribute: ""},
                takes=frozenset(),
            ),
        ),
        renames={name: attribute},
        replaced_by=frozenset({"queueUrl"}),
    )


TYPES = (
    _QUEUE,
    _attribute("aws:sqs/queuePolicy:QueuePolicy", "policy"),
    _attribute("aws:sqs/redrivePolicy:RedrivePolicy", "redrivePolicy"),
    _attribute("aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "redriveAllowPolicy"),
)
