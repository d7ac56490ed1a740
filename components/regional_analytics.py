"""Everything that one region runs."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import Provider, ProviderDefaultTagsArgs

from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.function_role import FunctionRole, FunctionRoleArgs
from components.ingestion import Ingestion, IngestionArgs
from components.jobs import INDEX_NAME, JobTable, JobTableArgs
from components.monitoring import Monitoring, MonitoringArgs
from components.network import Network, NetworkArgs
from components.processing import Processing, ProcessingArgs
from components.settings import Settings
from components.storage import Storage, StorageArgs
from components.watched import Watched


@dataclass(frozen=True, kw_only=True)
class RegionalAnalyticsArgs:
    """The stack's settings, which decide all the rest."""

    settings: Settings


class RegionalAnalytics(pulumi.ComponentResource):
    """Bucket -> rule -> queue -> function -> results and job records, watched, within one region."""

    bucket_name: pulumi.Output[str]
    function_arn: pulumi.Output[str]
    table_name: pulumi.Output[str]
    queue_url: pulumi.Output[str]
    vpc_id: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]
    delivery_dead_letter_queue_url: pulumi.Output[str]
    dashboard_url: pulumi.Output[str]
    log_group_name: pulumi.Output[str]
    alarm_topic_arn: pulumi.Output[str]
    region: str

    def __init__(
        self, name: str, args: RegionalAnalyticsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("regional-analytics:index:RegionalAnalytics", name, None, opts)
        settings, names = args.settings, args.settings.names
        provider = Provider(
            f"{name}-provider",
            region=settings.region,
            default_tags=ProviderDefaultTagsArgs(tags=names.common_tags),
            opts=pulumi.ResourceOptions(parent=self),
        )
        part = pulumi.ResourceOptions(parent=self, providers=[provider])

        role = FunctionRole(f"{name}-function-role", FunctionRoleArgs(names=names), part)
        key_arn = None
        if settings.customer_managed_key:
            key_arn = EncryptionKey(
                f"{name}-encryption",
                EncryptionKeyArgs(names=names, settings=settings, role_arn=role.arn),
                part,
            ).arn
        storage = Storage(
            f"{name}-storage",
            StorageArgs(names=names, settings=settings, role_arn=role.arn, key_arn=key_arn),
            part,
        )
        jobs = JobTable(
            f"{name}-jobs", JobTableArgs(names=names, protect=settings.protect, key_arn=key_arn), part
        )
        network = Network(
            f"{name}-network",
            NetworkArgs(
                names=names,
                cidr_block=settings.cidr_block,
                subnet_cidr_blocks=settings.subnet_cidr_blocks,
                availability_zones=settings.availability_zones,
                bucket_arn=storage.bucket_arn,
                table_arn=jobs.arn,
                role_arn=role.arn,
            ),
            part,
        )
        ingestion = Ingestion(
            f"{name}-ingestion",
            IngestionArgs(
                names=names,
                bucket_name=storage.bucket_name,
                function_timeout=settings.timeout,
                key_arn=key_arn,
            ),
            part,
        )
        processing = Processing(
            f"{name}-processing",
            ProcessingArgs(
                names=names,
                settings=settings,
                role=role,
                network=network,
                bucket_name=storage.bucket_name,
                bucket_arn=storage.bucket_arn,
                table_name=jobs.name,
                table_arn=jobs.arn,
                queue_arn=ingestion.queue.arn,
                key_arn=key_arn,
            ),
            part,
        )
        monitoring = Monitoring(
            f"{name}-monitoring",
            MonitoringArgs(
                names=names,
                watched=Watched(
                    region=settings.region,
                    environment_suffix=settings.environment_suffix,
                    function_name=processing.function_name,
                    function_timeout=settings.timeout,
                    memory_size=settings.memory_size,
                    log_group_name=processing.log_group_name,
                    queue_name=ingestion.queue.name,
                    visibility_timeout=ingestion.visibility_timeout,
                    dead_letter_queue_name=ingestion.dead_letter_queue.name,
                    delivery_dead_letter_queue_name=ingestion.delivery_dead_letter_queue.name,
                    rule_name=ingestion.rule.name,
                    table_name=jobs.name,
                    index_name=INDEX_NAME,
                    bucket_name=storage.bucket_name,
                    rejected_share_max=settings.rejected_share_max,
                    queue_depth_threshold=settings.queue_depth_threshold,
                    freshness_hours=settings.freshness_hours,
                ),
                alarm_subscribers=settings.alarm_subscribers,
                kms_key_arn=key_arn,
            ),
            part,
        )

        self.bucket_name = storage.bucket_name
        self.function_arn = processing.function_arn
        self.table_name = jobs.name
        self.queue_url = ingestion.queue.url
        self.vpc_id = network.vpc_id
        self.dead_letter_queue_url = ingestion.dead_letter_queue.url
        self.delivery_dead_letter_queue_url = ingestion.delivery_dead_letter_queue.url
        self.dashboard_url = monitoring.dashboard_url
        self.log_group_name = processing.log_group_name
        self.alarm_topic_arn = monitoring.alarm_topic_arn
        self.region = settings.region
        self.register_outputs(self.outputs)

    @property
    def outputs(self) -> dict[str, pulumi.Input[str]]:
        """What the stack exports, by the names that operators and other programs read."""
        return {
            "bucketName": self.bucket_name,
            "functionArn": self.function_arn,
            "tableName": self.table_name,
            "queueUrl": self.queue_url,
            "vpcId": self.vpc_id,
            "deadLetterQueueUrl": self.dead_letter_queue_url,
            "deliveryDeadLetterQueueUrl": self.delivery_dead_letter_queue_url,
            "dashboardUrl": self.dashboard_url,
            "logGroupName": self.log_group_name,
            "alarmTopicArn": self.alarm_topic_arn,
            "region": self.region,
        }
