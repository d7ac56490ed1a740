"""`pulumi destroy` of a protected stack: what it leaves, and how `pulumi up` restores the rest."""

from __future__ import annotations

import pytest

from tests.engine.account import WorkingFunction
from tests.engine.deployment import NAME, Deployment, Engine, Refused, logical_name

HOLD_DATA = {
    # What the stack was deployed with: another suffix must be refused also after a refused destroy.
    "analytics-identity-names",
    "analytics-storage-bucket",
    "analytics-jobs-table",
    "analytics-encryption-key",
    "analytics-ingestion-queue",
    "analytics-ingestion-dlq",
    "analytics-ingestion-delivery-dlq",
    "analytics-processing-log-group",
}


@pytest.fixture(scope="module")
def deployment(engine: Engine) -> Deployment:
    deployed = Deployment(engine, customerManagedKey=True)
    deployed.up()
    return deployed


def test_what_holds_data_or_waiting_messages_is_protected(deployment: Deployment) -> None:
    protected = {logical_name(one["urn"]) for one in deployment.state() if one.get("protect")}
    assert protected == HOLD_DATA


def test_a_destroy_can_be_previewed(deployment: Deployment) -> None:
    before = deployment.state()
    with pytest.raises(Refused, match="protected"):
        deployment.run("destroy", "--preview-only")
    assert deployment.state() == before


def test_a_refused_destroy_leaves_what_holds_data_and_up_restores_the_rest(deployment: Deployment) -> None:
    outputs = deployment.outputs()
    deployment.client("s3").put_object(Bucket=outputs["bucketName"], Key="kept", Body=b"kept")
    deployment.client("sqs").send_message(QueueUrl=outputs["deadLetterQueueUrl"], MessageBody="kept")

    with pytest.raises(Refused, match="protected") as refused:
        deployment.destroy()
    assert "AccessDenied" not in str(refused.value)

    left = {logical_name(one["urn"]) for one in deployment.state() if one["custom"]}
    assert left >= HOLD_DATA
    deployment.set(environmentSuffix="other")
    with pytest.raises(Refused, match=f"{NAME}:environmentSuffix: must stay 'dev'"):
        deployment.up()
    deployment.set(environmentSuffix=None)
    deployment.up()
    assert list(WorkingFunction(deployment.client, deployment.outputs()).lacks()) == []
    assert deployment.outputs()["bucketName"] == outputs["bucketName"]
    deployment.client("s3").get_object(Bucket=outputs["bucketName"], Key="kept")
    received = deployment.client("sqs").receive_message(QueueUrl=outputs["deadLetterQueueUrl"])["Messages"]
    assert [message["Body"] for message in received] == ["kept"]
