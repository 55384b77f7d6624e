"""What went wrong with a chat service, in the vocabulary of Bedrock's errors.

    refused(429, body, model)        the answer to a request was no answer
    told(error, model, …)            a chunk tells an error in the midst of the answer
    broken(exception, model, …)      the connection gave way

Texts of a service go into the log only where they cannot hold what was said or a key: the code, and
the member of the request that was wrong.

Pure. Errors: none. Source: OpenAI, error codes; httpx, exceptions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from aybiza.claude.chat.events import LineTooLong, error_of
from aybiza.claude.errors import BedrockError, ErrorKind

_OF_STATUS: Final = {
    400: (ErrorKind.VALIDATION, "the request is refused"),
    401: (ErrorKind.ACCESS_DENIED, "the key is not accepted: check OPENAI_API_KEY"),
    403: (ErrorKind.ACCESS_DENIED, "the key may not use this model"),
    404: (ErrorKind.NOT_FOUND, "there is no such model, or no such address: check OPENAI_BASE_URL"),
    408: (ErrorKind.TIMEOUT, "the service took too long"),
    413: (ErrorKind.TOO_LONG, "the conversation is too long"),
    422: (ErrorKind.VALIDATION, "the request is refused"),
    429: (ErrorKind.THROTTLING, "too many requests"),
    503: (ErrorKind.UNAVAILABLE, "the service is overloaded"),
}
_OF_CODE: Final = {
    "context_length_exceeded": (ErrorKind.TOO_LONG, "the conversation is too long"),
    "insufficient_quota": (ErrorKind.ACCESS_DENIED, "the account has no credit left"),
    "model_not_found": (ErrorKind.NOT_FOUND, "there is no such model"),
    "rate_limit_exceeded": (ErrorKind.THROTTLING, "too many requests"),
}
_FIRST_SERVER_STATUS: Final = 500
_MOST_SHOWN: Final = 80


def refused(status: int, body: bytes, model: str, wait: float = 0.0) -> BedrockError:
    """See the module. wait: for so many seconds the service asks to be left alone.

    >>> print(refused(401, b"", "openai:small"))
    access_denied: the key is not accepted: check OPENAI_API_KEY [openai:small]
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    error = (error_of(answer) if isinstance(answer, Mapping) else None) or {}
    code, where = _plain(error.get("code")), _plain(error.get("param"))
    otherwise = _OF_STATUS.get(status)
    if otherwise is None:
        lost = status >= _FIRST_SERVER_STATUS
        kind = ErrorKind.UNAVAILABLE if lost else ErrorKind.UNKNOWN
        otherwise = (kind, f"the service answered with status {status}")
    kind, message = _OF_CODE.get(code, otherwise)
    told = f"{message}, for {where}" if where else message
    return BedrockError(kind, told, code, status, None, model, wait=wait)


def told(error: Mapping[str, Any], model: str, *, before_first_token: bool) -> BedrockError:
    """See the module."""
    code = _plain(error.get("code")) or _plain(error.get("type"))
    kind, message = _OF_CODE.get(code, (ErrorKind.STREAM_ERROR, "the answer broke off"))
    return BedrockError(kind, message, code, None, None, model, before_first_token)


def broken(error: Exception, model: str, *, before_first_token: bool) -> BedrockError:
    """See the module."""
    if isinstance(error, BedrockError):
        return error
    kind, message = next(
        (found for kinds, *found in _OF_CLASS if isinstance(error, kinds)),
        (ErrorKind.UNKNOWN, "a fault in the answer"),
    )
    made = BedrockError(
        ErrorKind(kind), message, type(error).__name__, None, None, model, before_first_token
    )
    made.__cause__ = error
    return made


_OF_CLASS: Final[tuple[tuple[type[Exception], ErrorKind, str], ...]] = (
    (httpx.PoolTimeout, ErrorKind.BUSY, "all connections to the service are busy"),
    (httpx.TimeoutException, ErrorKind.TIMEOUT, "no connection in time"),
    (httpx.HTTPError, ErrorKind.TRANSPORT, "the connection broke"),
    (OSError, ErrorKind.TRANSPORT, "the connection broke"),
    (LineTooLong, ErrorKind.STREAM_ERROR, "the answer is no event stream"),
    (ValueError, ErrorKind.STREAM_ERROR, "the answer is not JSON"),
    (RecursionError, ErrorKind.STREAM_ERROR, "the answer is not JSON that can be read"),
)


def _plain(value: object) -> str:
    """A code or the name of a member, and nothing else."""
    text = str(value) if isinstance(value, str) else ""
    ok = len(text) <= _MOST_SHOWN and text.isascii() and text.replace(" ", "") == text
    return text if ok else ""
