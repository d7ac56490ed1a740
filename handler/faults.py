"""Errors of AWS and of the platform, described without any value of the data."""

import traceback

from botocore.exceptions import ClientError

TEXT_MAX = 500
"""The most characters of an error in a log line or a job record."""
GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"})
"""S3's error codes for an object that does not exist. 405: the version is a delete marker."""


class DeliveryError(Exception):
    """This delivery did not finish the job: SQS must deliver the message again."""


class OutOfTimeError(DeliveryError):
    """The invocation does not have enough time left for the object."""


def describe(error: BaseException) -> str:
    """Return what failed and where, without text that may contain a value of the data.

    An error of AWS is described by its operation and code, an error of this project by its own text. Any
    other error is described by its class and the line of the source.
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
    """Return AWS's code of an error; that of a HEAD request, which has no body, is the HTTP status."""
    return error.response.get("Error", {}).get("Code", "")
