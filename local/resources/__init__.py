"""Create, read, update and delete the resources that the program uses, as Pulumi's AWS provider does.

Each type is declared in the module of its service. Any other type is refused, so that no resource is skipped
silently.
"""

from local.resources import (
    athena_types,
    cloudwatch_types,
    dynamodb_types,
    ec2_types,
    eventbridge_types,
    glue_types,
    iam_types,
    kms_types,
    lambda_types,
    s3_types,
    sns_types,
    sqs_types,
)
from local.resources.functions import FUNCTIONS
from local.resources.resource_type import ResourceType

__all__ = ["FUNCTIONS", "TYPES"]

TYPES: dict[str, ResourceType] = {
    declared.pulumi_type: declared
    for module in (
        athena_types,
        cloudwatch_types,
        dynamodb_types,
        ec2_types,
        eventbridge_types,
        glue_types,
        iam_types,
        kms_types,
        lambda_types,
        s3_types,
        sns_types,
        sqs_types,
    )
    for declared in module.TYPES
}
