"""The component of one region, which creates all parts."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pulumi

from components import zones
from components.account import Account
from components.catalog import Catalog, CatalogArgs
from components.configuration import PROJECT, SettingsError
from components.contracts import loading
from components.encryption import EncryptionKey, EncryptionKeyArgs
from components.function_role import FunctionRole, FunctionRoleArgs
from components.identity import Identity, IdentityArgs
from components.ingestion import Ingestion, IngestionArgs
from components.jobs import JobTable, JobTableArgs
from components.metrics import MonitoredResources
from components.monitoring import Monitoring, MonitoringArgs
from components.names import SYSTEM_PREFIXES
from components.network import Network, NetworkArgs
from components.processing import Processing, ProcessingArgs
from components.settings import Settings
from components.storage import Storage, StorageArgs

DATASETS_DIRECTORY = Path(__file__).resolve().parent.parent / "datasets"

_BUCKETS: WeakKeyDictionary[pulumi.Resource, dict[str, str]] = WeakKeyDictionary()
"""The component of each bucket of a program, by the program's root resource."""


@dataclass(frozen=True, kw_only=True)
class RegionalAnalyticsArgs:
    """Inputs of `RegionalAnalytics`.

    Attributes:
        settings: The checked settings (`Settings.of`).
        datasets_directory: The folder of the contracts that the setting `datasets` names.
    """

    settings: Settings
    datasets_directory: Path = DATASETS_DIRECTORY


class RegionalAnalytics(pulumi.ComponentResource):
    """Bucket, event rule, queue, function, job table, datasets and monitoring of one region.

    All resources use the AWS provider of the options, or else the stack's default one.

    Raises:
        pulumi.RunError: The provider has another region than the settings.
        SettingsError: A setting that is fixed differs from that of the deployed stack. The account is another
            one, or does not have a zone. Another component of the program has the same names.
        ContractError: A contract cannot be deployed.
    """

    outputs: dict[str, pulumi.Input[Any]]
    """The stack's outputs by name (docs/settings.md)."""

    def __init__(
        self, name: str, args: RegionalAnalyticsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        settings = args.settings
        contracts = loading.load(
            settings.datasets,
            args.datasets_directory,
            system_prefixes=SYSTEM_PREFIXES,
            upload_prefixes=settings.upload_prefixes,
        )
        super().__init__("regional-analytics:index:RegionalAnalytics", name, None, opts)
        account = Account.of_provider(self, settings.region)
        settings.check_account(account)
        zones.check(self, settings)
        names = settings.names(account)
        buckets = _BUCKETS.setdefault(pulumi.runtime.get_root_resource() or self, {})
        if (other := buckets.setdefault(names.physical("bucket"), name)) != name:
            problem = (
                f"{PROJECT}:environmentSuffix: must differ from that of the component {other!r}, which has"
                f" the same region and account, got {settings.environment_suffix!r}"
            )
            raise SettingsError([problem])
        part = pulumi.ResourceOptions(parent=self)
        identity = Identity(f"{name}-identity", IdentityArgs(names=names, settings=settings), part)
        for warning in settings.warnings(date.today()):
            pulumi.warn(warning, self)

        role = FunctionRole(f"{name}-function-role", FunctionRoleArgs(names=names), part)
        key_arn = None
        if settings.customer_managed_key:
            key = EncryptionKey(f"{name}-encryption", EncryptionKeyArgs(names=names, settings=settings), part)
            key_arn = identity.store_key(key.arn)
        storage = Storage(
            f"{name}-storage",
            StorageArgs(names=names, settings=settings, role_arn=role.arn, key_arn=key_arn),
            part,
        )
        jobs = JobTable(f"{name}-jobs", JobTableArgs(names=names, settings=settings, key_arn=key_arn), part)
        network = Network(
            f"{name}-network",
            NetworkArgs(
                names=names,
                settings=settings,
                bucket_arn=storage.bucket_arn,
                table_arn=jobs.arn,
                role=role,
            ),
            part,
        )
        ingestion = Ingestion(
            f"{name}-ingestion",
            IngestionArgs(names=names, settings=settings, bucket_name=storage.bucket_name, key_arn=key_arn),
            part,
        )
        processing = Processing(
            f"{name}-processing",
            ProcessingArgs(
                names=names,
                settings=settings,
                role=role,
                network=network,
                storage=storage,
                jobs=jobs,
                ingestion=ingestion,
                contracts=contracts,
                key_arn=key_arn,
            ),
            part,
        )
        monitoring = Monitoring(
            f"{name}-monitoring",
            MonitoringArgs(
                names=names,
                monitored=MonitoredResources(
                    settings=settings, ingestion=ingestion, processing=processing, jobs=jobs
                ),
                kms_key_arn=key_arn,
            ),
            part,
        )

        self.outputs = {
            "bucketName": storage.bucket_name,
            "functionArn": processing.function_arn,
            "codeSha256": processing.code_sha256,
            "tableName": jobs.name,
            "queueUrl": ingestion.queue.url,
            "vpcId": network.vpc_id,
            "deadLetterQueueUrl": ingestion.dead_letter_queue.url,
            "deliveryDeadLetterQueueUrl": ingestion.delivery_dead_letter_queue.url,
            "dashboardUrl": monitoring.dashboard_url,
            "logGroupName": processing.log_group_name,
            "alarmTopicArn": monitoring.alarm_topic_arn,
            "region": settings.region,
            "systemPrefixes": list(SYSTEM_PREFIXES),
        }
        if contracts:
            catalog = Catalog(
                f"{name}-catalog",
                CatalogArgs(
                    names=names,
                    contracts=contracts,
                    bucket_name=storage.bucket_name,
                    bucket_arn=storage.bucket_arn,
                    key_arn=key_arn,
                    scan_limit_bytes=settings.query_scan_limit_bytes,
                ),
                part,
            )
            self.outputs |= {
                "databaseName": catalog.database_name,
                "datasets": pulumi.Output.all(**catalog.datasets),
                "readerPolicyArn": catalog.reader_policy_arn,
            }
        self.register_outputs(self.outputs)
