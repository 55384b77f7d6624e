"""Exceptions of boto3, urllib3 and the event stream, classified."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import botocore.exceptions
import pytest
import urllib3.exceptions
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError

from aybiza.claude.errors import BedrockError, ErrorKind, classify

URL = "https://bedrock-runtime.us-east-1.amazonaws.com"


def answer(code: str, status: int | None = None) -> dict[str, Any]:
    metadata = {} if status is None else {"HTTPStatusCode": status}
    return {"Error": {"Code": code, "Message": "because"}, "ResponseMetadata": metadata}


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 429, ErrorKind.THROTTLING),
        ("ModelNotReadyException", 429, ErrorKind.NOT_READY),
        ("ServiceQuotaExceededException", 400, ErrorKind.THROTTLING),
        ("ServiceUnavailableException", 503, ErrorKind.UNAVAILABLE),
        ("InternalServerException", 500, ErrorKind.UNAVAILABLE),
        ("ModelTimeoutException", 408, ErrorKind.TIMEOUT),
        ("ModelErrorException", 424, ErrorKind.STREAM_ERROR),
        ("ValidationException", 400, ErrorKind.VALIDATION),
        ("AccessDeniedException", 403, ErrorKind.ACCESS_DENIED),
        ("UnrecognizedClientException", 403, ErrorKind.ACCESS_DENIED),
        ("ExpiredTokenException", 403, ErrorKind.ACCESS_DENIED),
        ("ResourceNotFoundException", 404, ErrorKind.NOT_FOUND),
        ("throttlingexception", 429, ErrorKind.THROTTLING),
        ("SomethingNew", 502, ErrorKind.UNAVAILABLE),
        ("SomethingNew", 400, ErrorKind.VALIDATION),
        ("SomethingNew", 418, ErrorKind.UNKNOWN),
        ("SomethingNew", None, ErrorKind.UNKNOWN),
    ],
)
def test_an_http_answer_is_classified_by_code_then_status(
    code: str, status: int | None, kind: ErrorKind
) -> None:
    error = classify(ClientError(answer(code, status), "ConverseStream"))  # type: ignore[arg-type]
    assert (error.kind, error.code, error.http_status) == (kind, code, status)
    assert error.message == "because"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("throttlingException", ErrorKind.THROTTLING),
        ("internalServerException", ErrorKind.UNAVAILABLE),
        ("serviceUnavailableException", ErrorKind.UNAVAILABLE),
        ("modelStreamErrorException", ErrorKind.STREAM_ERROR),
        ("modelTimeoutException", ErrorKind.TIMEOUT),
        ("validationException", ErrorKind.VALIDATION),
        ("somethingNew", ErrorKind.STREAM_ERROR),
    ],
)
def test_an_exception_inside_the_stream_is_classified_by_its_camel_case_code(
    code: str, kind: ErrorKind
) -> None:
    error = classify(EventStreamError(answer(code, 400), "ConverseStream"))  # type: ignore[arg-type]
    assert (error.kind, error.http_status) == (kind, None)


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        (botocore.exceptions.ReadTimeoutError(endpoint_url=URL), ErrorKind.TIMEOUT),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url=URL), ErrorKind.TIMEOUT),
        (urllib3.exceptions.ReadTimeoutError(None, URL, "slow"), ErrorKind.TIMEOUT),  # type: ignore[arg-type]
        (TimeoutError("late"), ErrorKind.TIMEOUT),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url=URL, error="refused"),
            ErrorKind.TRANSPORT,
        ),
        (botocore.exceptions.ConnectionClosedError(endpoint_url=URL), ErrorKind.TRANSPORT),
        (botocore.exceptions.SSLError(endpoint_url=URL, error=OSError("bad")), ErrorKind.TRANSPORT),
        (botocore.exceptions.HTTPClientError(error="odd"), ErrorKind.TRANSPORT),
        (urllib3.exceptions.ProtocolError("broken"), ErrorKind.TRANSPORT),
        (ChecksumMismatch(1, 2), ErrorKind.TRANSPORT),
        (ConnectionResetError("reset"), ErrorKind.TRANSPORT),
        (botocore.exceptions.NoCredentialsError(), ErrorKind.ACCESS_DENIED),
        (botocore.exceptions.ProfileNotFound(profile="x"), ErrorKind.ACCESS_DENIED),
        (
            botocore.exceptions.PartialCredentialsError(provider="env", cred_var="secret"),
            ErrorKind.ACCESS_DENIED,
        ),
        (botocore.exceptions.ParamValidationError(report="bad"), ErrorKind.VALIDATION),
        (botocore.exceptions.NoRegionError(), ErrorKind.VALIDATION),
        (asyncio.CancelledError(), ErrorKind.CANCELLED),
        (KeyError("stream"), ErrorKind.UNKNOWN),
    ],
)
def test_an_exception_without_an_answer_is_classified_by_its_class(
    exception: BaseException, kind: ErrorKind
) -> None:
    error = classify(exception)
    assert error.kind is kind
    assert error.http_status is None
    assert error.code == type(exception).__name__
    assert error.message
    assert error.__cause__ is exception


def test_missing_credentials_say_what_to_set() -> None:
    message = classify(botocore.exceptions.NoCredentialsError()).message
    assert "AWS_ACCESS_KEY_ID" in message


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_only_what_may_pass_is_retryable(kind: ErrorKind) -> None:
    never = {
        ErrorKind.VALIDATION,
        ErrorKind.TOO_LONG,
        ErrorKind.ACCESS_DENIED,
        ErrorKind.NOT_FOUND,
        ErrorKind.CANCELLED,
        ErrorKind.UNKNOWN,
    }
    assert BedrockError(kind, "x").retryable is (kind not in never)


def test_the_error_says_where_and_when_it_happened() -> None:
    error = classify(
        ClientError(answer("ThrottlingException", 429), "ConverseStream"),  # type: ignore[arg-type]
        region="us-east-1",
        model="m",
        before_first_token=False,
    )
    assert not error.before_first_token
    assert str(error) == "throttling (ThrottlingException): because [m in us-east-1]"


def test_a_classified_error_is_returned_as_it_is() -> None:
    error = BedrockError(ErrorKind.CUT, "x")
    assert classify(error) is error


def test_an_answer_without_content_is_classified_too() -> None:
    assert classify(ClientError({}, "ConverseStream")).kind is ErrorKind.UNKNOWN


def test_for_how_long_bedrock_asks_to_be_left_alone_is_heard() -> None:
    told: Any = answer("ThrottlingException", 429)
    assert classify(ClientError(told, "ConverseStream")).wait == 0.0
    told["ResponseMetadata"]["HTTPHeaders"] = {"retry-after": "3"}
    assert classify(ClientError(told, "ConverseStream")).wait == 3.0


def test_an_error_survives_pickling() -> None:
    error = BedrockError(ErrorKind.CUT, "x", "c", 500, "r", "m", False)
    copy = pickle.loads(pickle.dumps(error))
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


@pytest.mark.parametrize(
    "message",
    [
        "Input is too long for requested model.",
        "The model returned the following errors: Input is too long for requested model.",
        "prompt is too long: 204800 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 199000 + 4096 > 200000",
        "Input tokens exceeds the configured limit",
        "This model's maximum context length is 200000 tokens",
    ],
)
def test_a_history_that_is_too_long_is_told_from_a_request_that_is_wrong(message: str) -> None:
    response = {"Error": {"Code": "ValidationException", "Message": message}}
    assert classify(ClientError(response, "ConverseStream")).kind is ErrorKind.TOO_LONG  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "message",
    [
        "messages: text content blocks must be non-empty",
        "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
        "1 validation error detected: Value at 'inferenceConfig.maxTokens' failed",
        "tools.0.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ],
)
def test_a_request_that_is_wrong_is_not_taken_for_one_that_is_too_long(message: str) -> None:
    response = {"Error": {"Code": "ValidationException", "Message": message}}
    assert classify(ClientError(response, "ConverseStream")).kind is ErrorKind.VALIDATION  # type: ignore[arg-type]
