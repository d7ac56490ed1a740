"""Errors that the operator sees as one line instead of a traceback."""

from botocore import exceptions as botocore


class OpsError(Exception):
    """An error that the operator can correct; the message says how."""


ELSEWHERE = "not found in this account and region: is this the account of the stack?"
EXPIRED = "the AWS credentials have expired: sign in again"
UNKNOWN = "AWS does not know these credentials: check AWS_PROFILE"
HINTS = {
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "InvalidAccessKeyId": UNKNOWN,
    "InvalidClientTokenId": UNKNOWN,
    "UnrecognizedClientException": UNKNOWN,
    "AWS.SimpleQueueService.NonExistentQueue": ELSEWHERE,
    "NoSuchBucket": ELSEWHERE,
    "ResourceNotFoundException": ELSEWHERE,
}


def explain(error: Exception) -> str | None:
    """Return an error's message for the operator; None for an unexpected error."""
    match error:
        case OpsError():
            return str(error)
        case botocore.NoCredentialsError() | botocore.PartialCredentialsError():
            return "no AWS credentials: run `aws configure sso`, or set AWS_PROFILE, or pass --local"
        case botocore.ProfileNotFound() | botocore.NoRegionError():
            return f"{error}: see `aws configure list-profiles`"
        case botocore.EndpointConnectionError() | botocore.ConnectTimeoutError():
            return f"cannot reach {error.kwargs.get('endpoint_url', 'AWS')}: is the stack's region right?"
        case botocore.ClientError():
            return _explain_answer(error)
        case botocore.BotoCoreError():
            return f"the AWS SDK failed: {' '.join(str(error).split())}"
        case _:
            return None


def _explain_answer(error: botocore.ClientError) -> str:
    answer = error.response.get("Error", {})
    code, message = answer.get("Code", "unknown"), answer.get("Message", "")
    said = f"{error.operation_name} answered {code}: {message}".removesuffix(": ")
    if "AccessDenied" in code:
        return f"these credentials may not call {error.operation_name} ({said})"
    return f"{HINTS[code]} ({said})" if code in HINTS else said
