"""Errors of a chat service in Bedrock's vocabulary."""

from __future__ import annotations

import doctest
import json
from typing import Any

import httpx

from aybiza.claude.chat import errors
from aybiza.claude.chat.errors import broken, refused, told
from aybiza.claude.chat.events import LineTooLong
from aybiza.claude.errors import BedrockError, ErrorKind
from tests.cases import each

MODEL = "openai:small"


def body(code: str | None, message: str = "secret words", param: str | None = None) -> bytes:
    return json.dumps({"error": {"code": code, "message": message, "param": param}}).encode()


@each(
    (
        (400, "context_length_exceeded", ErrorKind.TOO_LONG),
        (400, None, ErrorKind.VALIDATION),
        (401, "invalid_api_key", ErrorKind.ACCESS_DENIED),
        (404, "model_not_found", ErrorKind.NOT_FOUND),
        (429, "rate_limit_exceeded", ErrorKind.THROTTLING),
        (429, "insufficient_quota", ErrorKind.ACCESS_DENIED),
        (500, None, ErrorKind.UNAVAILABLE),
        (503, None, ErrorKind.UNAVAILABLE),
        (529, None, ErrorKind.UNAVAILABLE),
        (418, None, ErrorKind.UNKNOWN),
    )
)
def test_a_status_and_a_code_are_a_kind(status: int, code: str | None, kind: ErrorKind) -> None:
    error = refused(status, body(code), MODEL)
    assert (error.kind, error.http_status, error.model) == (kind, status, MODEL)
    assert "secret words" not in str(error)


@each(((b"",), (b"<html>",), (b"[]",), (b'{"error": null}',), (b'{"error": "x"}',)))
def test_an_answer_that_is_no_error_of_theirs_goes_by_its_status(answer: bytes) -> None:
    assert refused(429, answer, MODEL).kind is ErrorKind.THROTTLING


def test_the_wrong_member_is_told_and_a_text_in_its_place_is_not() -> None:
    assert "for temperature" in str(refused(400, body(None, param="temperature"), MODEL))
    assert "said so" not in str(refused(400, body("he said so", param="she said so"), MODEL))


@each(
    (
        (httpx.PoolTimeout(""), ErrorKind.BUSY),
        (httpx.ConnectTimeout(""), ErrorKind.TIMEOUT),
        (httpx.ReadError(""), ErrorKind.TRANSPORT),
        (httpx.RemoteProtocolError(""), ErrorKind.TRANSPORT),
        (OSError(), ErrorKind.TRANSPORT),
        (LineTooLong(), ErrorKind.STREAM_ERROR),
        (ValueError(), ErrorKind.STREAM_ERROR),
        (KeyError(), ErrorKind.UNKNOWN),
        (BedrockError(ErrorKind.CUT, "cut"), ErrorKind.CUT),
    )
)
def test_a_connection_that_gives_way(error: Exception, kind: ErrorKind) -> None:
    assert broken(error, MODEL, before_first_token=True).kind is kind


@each(
    (
        ({"code": "rate_limit_exceeded"}, ErrorKind.THROTTLING),
        ({"type": "server_error"}, ErrorKind.STREAM_ERROR),
        ({}, ErrorKind.STREAM_ERROR),
    )
)
def test_an_error_in_the_midst_of_an_answer(error: Any, kind: ErrorKind) -> None:
    assert told(error, MODEL, before_first_token=False).kind is kind


def test_the_examples_hold() -> None:
    assert doctest.testmod(errors).failed == 0
