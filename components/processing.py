"""The function: its log group, policy, layer and event source mapping."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_

from components import packaging
from components.contracts.compiled import compile_contracts
from components.contracts.model import Contract
from components.function_permissions import RoleResources, role_policy
from components.function_role import FunctionRole
from components.ingestion import Ingestion
from components.jobs import JobTable
from components.names import SYSTEM_PREFIXES, Names
from components.network import Network
from components.runtimes import RUNTIMES
from components.settings import Settings
from components.storage import Storage

METRICS_NAMESPACE = "RegionalAnalytics"
"""Namespace of the metrics that the handler writes in the embedded metric format."""

ALLOCATOR = {"DUCKDB_JE_MALLOC_CONF": "retain:false"}
"""Makes DuckDB's allocator return the addresses of freed memory. By default it retains them, and they count
in the function's memory limit. After one wide table, too little would be left for the next objects.
https://jemalloc.net/jemalloc.3.html#opt.retain"""


@dataclass(frozen=True, kw_only=True)
class ProcessingArgs:
    """Inputs of `Processing`.

    Attributes:
        names: Names and tags.
        settings: The stack's settings.
        role: The function's role, to which this component adds a policy.
        network: The function's network.
        storage: The bucket.
        jobs: The job table.
        ingestion: The queue that invokes the function.
        contracts: The contracts of the stack's datasets.
        key_arn: The KMS key that encrypts logs and environment; None for the services' own keys.
    """

    names: Names
    settings: Settings
    role: FunctionRole
    network: Network
    storage: Storage
    jobs: JobTable
    ingestion: Ingestion
    contracts: Sequence[Contract]
    key_arn: pulumi.Input[str] | None


class Processing(pulumi.ComponentResource):
    """Log group, role policy, layer, function and event source mapping."""

    code_sha256: str
    """SHA-256 of the function's code, as Lambda reports it."""
    function_arn: pulumi.Output[str]
    function_name: pulumi.Output[str]
    log_group_name: pulumi.Output[str]

    def __init__(self, name: str, args: ProcessingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("regional-analytics:index:Processing", name, None, opts)
        self._name, self._args = name, args
        log_group = cloudwatch.LogGroup(
            f"{name}-log-group",
            name=args.names.log_group,
            retention_in_days=args.settings.log_retention_days,
            kms_key_id=args.key_arn,
            tags=args.names.tags("lambda-logs"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.settings.protect),
        )
        policy = self._add_role_policy(log_group)
        function = self._add_function(log_group, policy)
        lambda_.EventSourceMapping(
            f"{name}-mapping",
            event_source_arn=args.ingestion.queue.arn,
            function_name=function.arn,
            # A larger batch would return messages that it has no time for, which counts as a receive.
            batch_size=1,
            function_response_types=["ReportBatchItemFailures"],
            # Not a reserved concurrency: that would throttle, and a throttled receive counts.
            scaling_config=lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=args.settings.maximum_concurrency
            ),
            tags=args.names.tags("mapping"),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.function_arn = function.arn
        self.function_name = function.name
        self.log_group_name = log_group.name
        self.register_outputs({"functionArn": self.function_arn, "logGroupName": self.log_group_name})

    def _add_role_policy(self, log_group: cloudwatch.LogGroup) -> iam.RolePolicy:
        args = self._args
        policy = pulumi.Output.all(
            bucket_arn=args.storage.bucket_arn,
            table_arn=args.jobs.arn,
            queue_arn=args.ingestion.queue.arn,
            log_group_arn=log_group.arn,
            subnet_arns=args.network.subnet_arns,
            security_group_arn=args.network.security_group_arn,
            key_arn=args.key_arn,
        ).apply(lambda resources: json.dumps(role_policy(args.names, RoleResources(**resources))))
        return iam.RolePolicy(
            f"{self._name}-role-policy",
            name="lambda-permissions",
            role=args.role.name,
            policy=policy,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _add_function(self, log_group: cloudwatch.LogGroup, policy: iam.RolePolicy) -> lambda_.Function:
        args = self._args
        runtime = RUNTIMES[args.settings.python_runtime]
        code = packaging.handler_archive(compile_contracts(args.contracts))
        self.code_sha256 = packaging.code_sha256(code)
        layer = lambda_.LayerVersion(
            f"{self._name}-layer",
            layer_name=args.names.physical("layer"),
            description="Packages that the handler imports, as pinned in requirements/layer.txt",
            code=packaging.layer_archive(runtime),
            compatible_architectures=[packaging.ARCHITECTURE],
            compatible_runtimes=[runtime.name],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return lambda_.Function(
            f"{self._name}-function",
            name=args.names.physical("etl"),
            description="Converts one upload to Parquet and writes its job record",
            role=args.role.arn,
            architectures=[packaging.ARCHITECTURE],
            runtime=runtime.name,
            handler="index.handler",
            code=code,
            layers=[layer.arn],
            memory_size=args.settings.memory_size,
            timeout=args.settings.timeout,
            ephemeral_storage=lambda_.FunctionEphemeralStorageArgs(size=args.settings.ephemeral_storage),
            environment=lambda_.FunctionEnvironmentArgs(variables=self._environment()),
            kms_key_arn=args.key_arn,
            logging_config=lambda_.FunctionLoggingConfigArgs(
                log_format="JSON",
                log_group=log_group.name,
                application_log_level="INFO",
                system_log_level="INFO",
            ),
            vpc_config=lambda_.FunctionVpcConfigArgs(
                subnet_ids=args.network.subnet_ids, security_group_ids=[args.network.security_group_id]
            ),
            tags=args.names.tags("etl"),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[
                    # Lambda checks the role's permissions before it creates the function.
                    *(policy, args.role.interface_policy),
                    # The function moves to a new network only after its rules and routes exist.
                    args.network,
                    # The queue's visibility timeout is raised before the function's timeout: Lambda refuses
                    # a mapping whose queue hides messages for less than the function's timeout.
                    args.ingestion.queue,
                ],
            ),
        )

    def _environment(self) -> dict[str, pulumi.Input[str]]:
        """Return the variables that handler/environment.py reads."""
        settings = self._args.settings
        return {
            "BUCKET_NAME": self._args.storage.bucket_name,
            "TABLE_NAME": self._args.jobs.name,
            "REGION": settings.region,
            "ENVIRONMENT_SUFFIX": settings.environment_suffix,
            "MAX_RECEIVE_COUNT": str(settings.maximum_receives),
            "REJECTED_SHARE_MAX": str(settings.rejected_share_max),
            "MAX_DECOMPRESSED_BYTES": str(settings.max_decompressed_bytes),
            "MAX_DECOMPRESSION_RATIO": str(settings.max_decompression_ratio),
            "JOB_RETENTION_DAYS": str(settings.job_retention_days),
            "SYSTEM_PREFIXES": json.dumps(SYSTEM_PREFIXES),
            "UPLOAD_PREFIXES": settings.keep_secret("upload_prefixes", json.dumps(settings.taken_prefixes)),
            "POWERTOOLS_SERVICE_NAME": "regional-analytics",
            "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
            "POWERTOOLS_LOG_LEVEL": "INFO",
            **ALLOCATOR,
        }
