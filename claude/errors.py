"""What went wrong with a request to Bedrock, in one vocabulary.

Purpose: the many exception classes of boto3, urllib3 and the event stream become one `BedrockError`
whose kind decides what to do next. Contract: `classify` is pure and answers for any exception.
Errors: none raised; `BedrockError` is itself an exception and can be pickled.
Source: Bedrock runtime API, errors of ConverseStream; botocore's and urllib3's exception classes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import botocore.eventstream
import botocore.exceptions
import urllib3.exceptions

from aybiza.config.asked_waits import asked_wait


class ErrorKind(StrEnum):
    """What kind of failure it was."""

    THROTTLING = "throttling"
    NOT_READY = "not_ready"
    UNAVAILABLE = "unavailable"
    VALIDATION = "validation"
    TOO_LONG = "too_long"
    ACCESS_DENIED = "access_denied"
    NOT_FOUND = "not_found"
    TIMEOUT = "timeout"
    STREAM_ERROR = "stream_error"
    TRANSPORT = "transport"
    CUT = "cut"
    CANCELLED = "cancelled"
    BUSY = "busy"
    BREAKER_OPEN = "breaker_open"
    UNKNOWN = "unknown"


_RETRYABLE: Final = frozenset(
    {
        ErrorKind.THROTTLING,
        ErrorKind.NOT_READY,
        ErrorKind.UNAVAILABLE,
        ErrorKind.TIMEOUT,
        ErrorKind.STREAM_ERROR,
        ErrorKind.TRANSPORT,
        ErrorKind.CUT,
        ErrorKind.BUSY,
        ErrorKind.BREAKER_OPEN,
    }
)


@dataclass(eq=False)
class BedrockError(Exception):
    """One failed request.

    kind: what to decide by. message: what happened. code: Bedrock's or the client's own name for
    it. http_status: None if no answer came. before_first_token: nothing of the answer had come
    yet, so that another attempt repeats nothing. wait: seconds for which the service asks to be
    left alone, 0.0: it does not.
    """

    kind: ErrorKind
    message: str
    code: str = ""
    http_status: int | None = None
    region: str | None = None
    model: str | None = None
    before_first_token: bool = True
    wait: float = 0.0

    def __post_init__(self) -> None:
        super().__init__(self.kind, self.message)

    @property
    def retryable(self) -> bool:
        """Whether another attempt, on another model or region, can succeed where this one failed.

        Whether it may be made is for the caller to say: not once text has been spoken.
        """
        return self.kind in _RETRYABLE

    def __str__(self) -> str:
        where = " in ".join(part for part in (self.model, self.region) if part)
        code = f" ({self.code})" if self.code else ""
        return f"{self.kind}{code}: {self.message}" + (f" [{where}]" if where else "")


# Keys are in lower case and without a trailing "exception": the same code is ThrottlingException in
# an HTTP answer and throttlingException in a stream.
_KIND_OF_CODE: Final[Mapping[str, ErrorKind]] = {
    "throttling": ErrorKind.THROTTLING,
    "toomanyrequests": ErrorKind.THROTTLING,
    "servicequotaexceeded": ErrorKind.THROTTLING,
    "requestlimitexceeded": ErrorKind.THROTTLING,
    "slowdown": ErrorKind.THROTTLING,
    "modelnotready": ErrorKind.NOT_READY,
    "serviceunavailable": ErrorKind.UNAVAILABLE,
    "internalserver": ErrorKind.UNAVAILABLE,
    "internalfailure": ErrorKind.UNAVAILABLE,
    "internalservererror": ErrorKind.UNAVAILABLE,
    "validation": ErrorKind.VALIDATION,
    "serialization": ErrorKind.VALIDATION,
    "conflict": ErrorKind.VALIDATION,
    "accessdenied": ErrorKind.ACCESS_DENIED,
    "unrecognizedclient": ErrorKind.ACCESS_DENIED,
    "incompletesignature": ErrorKind.ACCESS_DENIED,
    "invalidsignature": ErrorKind.ACCESS_DENIED,
    "invalidclienttokenid": ErrorKind.ACCESS_DENIED,
    "missingauthenticationtoken": ErrorKind.ACCESS_DENIED,
    "expiredtoken": ErrorKind.ACCESS_DENIED,
    "requestexpired": ErrorKind.ACCESS_DENIED,
    "optinrequired": ErrorKind.ACCESS_DENIED,
    "notauthorized": ErrorKind.ACCESS_DENIED,
    "resourcenotfound": ErrorKind.NOT_FOUND,
    "modeltimeout": ErrorKind.TIMEOUT,
    "requesttimeout": ErrorKind.TIMEOUT,
    "modelerror": ErrorKind.STREAM_ERROR,
    "modelstreamerror": ErrorKind.STREAM_ERROR,
}

_KIND_OF_STATUS: Final[Mapping[int, ErrorKind]] = {
    400: ErrorKind.VALIDATION,
    401: ErrorKind.ACCESS_DENIED,
    403: ErrorKind.ACCESS_DENIED,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    413: ErrorKind.VALIDATION,
    424: ErrorKind.STREAM_ERROR,
    429: ErrorKind.THROTTLING,
}
_FIRST_SERVER_STATUS: Final = 500
_TOO_LONG: Final = re.compile(
    r"too long|too many (?:input )?tokens|context (?:window|length|limit)"
    r"|tokens? (?:count )?(?:of \d+ )?(?:exceeds?|>)"
    r"|exceeds? (?:the )?max\w* .*(?:token|length)",
    re.IGNORECASE,
)

_CREDENTIALS: Final = (
    "no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
)

# Order matters: the first class that fits decides. The text, where there is one, is said before the
# exception's own.
_KIND_OF_CLASS: Final[tuple[tuple[type[BaseException], ErrorKind, str], ...]] = (
    (botocore.exceptions.ReadTimeoutError, ErrorKind.TIMEOUT, "no answer in time"),
    (botocore.exceptions.ConnectTimeoutError, ErrorKind.TIMEOUT, "no connection in time"),
    (urllib3.exceptions.TimeoutError, ErrorKind.TIMEOUT, "silence in the middle of the answer"),
    (botocore.exceptions.NoCredentialsError, ErrorKind.ACCESS_DENIED, _CREDENTIALS),
    (botocore.exceptions.PartialCredentialsError, ErrorKind.ACCESS_DENIED, _CREDENTIALS),
    (botocore.exceptions.CredentialRetrievalError, ErrorKind.ACCESS_DENIED, _CREDENTIALS),
    (botocore.exceptions.ProfileNotFound, ErrorKind.ACCESS_DENIED, _CREDENTIALS),
    (botocore.exceptions.TokenRetrievalError, ErrorKind.ACCESS_DENIED, _CREDENTIALS),
    (botocore.exceptions.SSOError, ErrorKind.ACCESS_DENIED, _CREDENTIALS),
    (botocore.exceptions.ParamValidationError, ErrorKind.VALIDATION, ""),
    (botocore.exceptions.NoRegionError, ErrorKind.VALIDATION, "set AWS_REGION"),
    (botocore.exceptions.InvalidEndpointConfigurationError, ErrorKind.VALIDATION, ""),
    (botocore.exceptions.InvalidRegionError, ErrorKind.VALIDATION, ""),
    (botocore.exceptions.EndpointProviderError, ErrorKind.VALIDATION, ""),
    (botocore.exceptions.HTTPClientError, ErrorKind.TRANSPORT, ""),
    (botocore.exceptions.ConnectionError, ErrorKind.TRANSPORT, ""),
    (botocore.exceptions.ResponseStreamingError, ErrorKind.TRANSPORT, ""),
    (botocore.eventstream.ParserError, ErrorKind.TRANSPORT, "the event stream is damaged"),
    (urllib3.exceptions.HTTPError, ErrorKind.TRANSPORT, "the connection broke"),
    (TimeoutError, ErrorKind.TIMEOUT, ""),
    (OSError, ErrorKind.TRANSPORT, ""),
    (asyncio.CancelledError, ErrorKind.CANCELLED, "the stream was cancelled"),
)


def classify(
    error: BaseException,
    *,
    region: str | None = None,
    model: str | None = None,
    before_first_token: bool = True,
) -> BedrockError:
    """The `BedrockError` for any exception of a request or its stream; one is returned
    unchanged."""
    if isinstance(error, BedrockError):
        return error
    status: int | None = None
    wait = 0.0
    if isinstance(error, botocore.exceptions.ClientError):
        in_stream = isinstance(error, botocore.exceptions.EventStreamError)
        kind, message, code, status = _of_answer(error.response, in_stream=in_stream)
        wait = _wait_of(error.response)
    else:
        kind, prefix = _of_class(error)
        code = type(error).__name__
        message = ": ".join(part for part in (prefix, str(error)) if part) or code
    classified = BedrockError(kind, message, code, status, region, model, before_first_token, wait)
    classified.__cause__ = error
    return classified


def _of_answer(
    response: Mapping[str, Any], *, in_stream: bool
) -> tuple[ErrorKind, str, str, int | None]:
    error = response.get("Error")
    error = error if isinstance(error, Mapping) else {}
    metadata = response.get("ResponseMetadata")
    status = metadata.get("HTTPStatusCode") if isinstance(metadata, Mapping) else None
    # botocore gives every exception inside a stream the status 400, which says nothing.
    status = status if isinstance(status, int) and not in_stream else None
    code = str(error.get("Code") or "")
    message = str(error.get("Message") or "") or "Bedrock gave no reason"
    otherwise = ErrorKind.STREAM_ERROR if in_stream else _of_status(status)
    kind = kind_of_code(code, otherwise)
    if kind is ErrorKind.VALIDATION and _TOO_LONG.search(message):
        kind = ErrorKind.TOO_LONG
    return kind, message, code, status


def _wait_of(response: Mapping[str, Any]) -> float:
    metadata = response.get("ResponseMetadata")
    headers = metadata.get("HTTPHeaders") if isinstance(metadata, Mapping) else None
    return asked_wait(headers) if isinstance(headers, Mapping) else 0.0


def kind_of_code(code: str, otherwise: ErrorKind = ErrorKind.UNKNOWN) -> ErrorKind:
    """The kind of an error that Bedrock calls `code`, in whatever case."""
    return _KIND_OF_CODE.get(code.lower().removesuffix("exception"), otherwise)


def _of_status(status: int | None) -> ErrorKind:
    if status is None:
        return ErrorKind.UNKNOWN
    if status >= _FIRST_SERVER_STATUS:
        return ErrorKind.UNAVAILABLE
    return _KIND_OF_STATUS.get(status, ErrorKind.UNKNOWN)


def _of_class(error: BaseException) -> tuple[ErrorKind, str]:
    for error_class, kind, prefix in _KIND_OF_CLASS:
        if isinstance(error, error_class):
            return kind, prefix
    return ErrorKind.UNKNOWN, ""
