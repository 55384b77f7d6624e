"""AWS services off the loop: limits and errors."""

from __future__ import annotations

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from aybiza.config.ports import free_port
from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools.aws import Aws
from aybiza.emulators.services import ServicesEmulator

INDEX = "0" * 36
QUESTION = {"IndexId": INDEX, "QueryText": "secret question"}


async def ask(aws: Aws) -> object:
    return await aws.call("kendra", "query", QUESTION)


async def test_a_client_is_made_once(services: ServicesEmulator, aws: Aws) -> None:
    services.documents.add(INDEX, "Secret", "A question.")
    await aws.warm("kendra", "sesv2")
    clients = dict(aws._clients)
    await asyncio.gather(*(ask(aws) for _ in range(4)))
    assert aws._clients == clients
    assert set(clients) == {"kendra", "sesv2"}


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (400, "ThrottlingException", "busy"),
        (429, "TooManyRequestsException", "busy"),
        (403, "AccessDeniedException", "not_allowed"),
        (403, "UnrecognizedClientException", "not_allowed"),
        (400, "ValidationException", "refused"),
    ],
)
async def test_a_refusal_is_told_in_words(
    services: ServicesEmulator, aws: Aws, status: int, code: str, told: str
) -> None:
    services.fail("kendra", status, code)
    with capture_logs() as logs, pytest.raises(ToolError) as caught:
        await ask(aws)
    assert caught.value.code == told
    assert [entry["kind"] for entry in logs] == [code]
    assert "secret question" not in str(logs)


async def test_what_the_client_itself_refuses_is_told(aws: Aws) -> None:
    with pytest.raises(ToolError) as caught:
        await aws.call("kendra", "query", {"IndexId": "short"})
    assert caught.value.code == "refused"


async def test_after_a_5xx_something_may_have_been_done(
    services: ServicesEmulator, aws: Aws
) -> None:
    services.fail("kendra", 500, "InternalServerException")
    with pytest.raises(ConnectionError, match="500"):
        await ask(aws)


async def test_silence_is_a_time_out(services: ServicesEmulator, aws: Aws) -> None:
    services.stall("kendra", 3)
    with pytest.raises(TimeoutError):
        await ask(aws)


async def test_a_service_that_is_not_there_is_told(
    services: ServicesEmulator, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KENDRA", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ToolError) as caught:
        await ask(aws)
    assert caught.value.code == "unreachable"


async def test_missing_credentials_are_told(
    services: ServicesEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    aws = Aws(region="us-east-1")
    with pytest.raises(ToolError) as caught:
        await ask(aws)
    aws.close()
    assert caught.value.code == "not_allowed"


async def test_who_waits_may_be_cancelled(services: ServicesEmulator, aws: Aws) -> None:
    services.stall("kendra", 0.2)
    task = asyncio.create_task(ask(aws))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_closed_one_leaves_no_thread(services: ServicesEmulator) -> None:
    aws = Aws(region="us-east-1")
    services.documents.add(INDEX, "Secret", "A question.")
    await ask(aws)
    threads = [t for t in threading.enumerate() if t.name.startswith("aws-tools")]
    aws.close()
    for thread in threads:
        thread.join(2)
    assert threads
    assert not any(thread.is_alive() for thread in threads)
