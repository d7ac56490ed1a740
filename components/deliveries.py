"""The time limits of the chain from rule to function: how long a message waits, is hidden and is kept."""

DAY = 24 * 60 * 60

DELIVERY_RETRIES = 185
"""EventBridge's limit: it tries for a day, then the event goes to the delivery dead-letter queue."""

VISIBILITY_PER_TIMEOUT = 6
"""A queue hides a message for six timeouts of the function (Lambda developer guide, "Configuring a queue to
use with Lambda"). A message that failed is delivered again after that time, and no sooner."""

QUEUE_RETENTION = 4 * DAY
"""A message that is older is deleted, and goes to no dead-letter queue."""

DEAD_LETTER_RETENTION = 14 * DAY
"""SQS's limit. A message's age counts from its first queue."""
