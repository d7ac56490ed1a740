"""What the alarms and the dashboard watch, by the dimensions that CloudWatch knows it by."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.ingestion import Ingestion
from components.jobs import INDEX_NAME, JobTable
from components.processing import Processing
from components.settings import Settings

Dimensions = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class MonitoredResources:
    """One region's chain. CloudWatch keeps metrics by region, so the region is no dimension.

    Attributes:
        settings: The stack's settings, whose limits alarms and graphs show.
        ingestion: Rule and queues.
        processing: The function and its log group.
        jobs: The job table.
    """

    settings: Settings
    ingestion: Ingestion
    processing: Processing
    jobs: JobTable

    @property
    def rule(self) -> Dimensions:
        """The EventBridge rule on the default bus."""
        return {"RuleName": self.ingestion.rule.name}

    @property
    def queue(self) -> Dimensions:
        """The queue between the rule and the function."""
        return {"QueueName": self.ingestion.queue.name}

    @property
    def dead_letter_queue(self) -> Dimensions:
        """The queue of the messages that the function failed on too often."""
        return {"QueueName": self.ingestion.dead_letter_queue.name}

    @property
    def delivery_dead_letter_queue(self) -> Dimensions:
        """The queue of the events that the rule could not deliver."""
        return {"QueueName": self.ingestion.delivery_dead_letter_queue.name}

    @property
    def function(self) -> Dimensions:
        """The function that converts."""
        return {"FunctionName": self.processing.function_name}

    @property
    def log_group(self) -> Dimensions:
        """The function's log group."""
        return {"LogGroupName": self.processing.log_group_name}

    @property
    def table(self) -> Dimensions:
        """The job table."""
        return {"TableName": self.jobs.name}

    @property
    def index(self) -> Dimensions:
        """The job table's index, whose metrics the table's leave out."""
        return {"TableName": self.jobs.name, "GlobalSecondaryIndexName": INDEX_NAME}

    @property
    def jobs_of_this_stack(self) -> Dimensions:
        """What the handler's metrics carry; the namespace is `processing.METRICS_NAMESPACE`."""
        return {"EnvironmentSuffix": self.settings.environment_suffix}
