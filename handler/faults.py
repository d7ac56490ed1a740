"""Faults of the platform, in words that hold nobody's data."""

import traceback

from botocore.exceptions import ClientError

TEXT_MAX = 500
"""Characters of any error that reaches a log or a job record."""
GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"})
"""Codes of S3 for an object that is not there; 405: the version is a delete marker."""


class DeliveryError(Exception):
    """This delivery did not finish the job: SQS is to deliver the message again."""


class OutOfTimeError(DeliveryError):
    """The invocation has not enough time left for it."""


def describe(error: BaseException) -> str:
    """Say what failed and where, without quoting text that may hold a value of the data.

    AWS's answers are named by operation and code; the project's own errors speak for themselves; of all
    others only the class and the place in the source are given.
    """
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "unknown")
        return f"{error.operation_name}: {code}"[:TEXT_MAX]
    if isinstance(error, DeliveryError):
        return str(error)[:TEXT_MAX]
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__module__}.{type(error).__qualname__}{place}"[:TEXT_MAX]


def error_code(error: ClientError) -> str:
    """AWS's code of an error; a HEAD request's answer has no body and gives the HTTP status instead."""
    return error.response.get("Error", {}).get("Code", "")
