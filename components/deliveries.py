"""Time limits of messages between the rule and the function."""

DAY = 24 * 60 * 60

DELIVERY_RETRIES = 185
"""EventBridge's maximum: it retries for a day, then sends the event to the delivery dead-letter queue."""

VISIBILITY_PER_TIMEOUT = 6
"""Visibility timeout of the queue, in timeouts of the function (Lambda developer guide, "Configuring a queue
to use with Lambda"). SQS delivers a failed message again after it."""

QUEUE_RETENTION = 4 * DAY
"""SQS deletes older messages, without sending them to a dead-letter queue."""

DEAD_LETTER_RETENTION = 14 * DAY
"""SQS's maximum. A message keeps its age when it moves to a dead-letter queue."""
