"""HttpApi: what a server may do, and what a tool makes of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from aybiza.config.ports import free_port
from aybiza.dialogue.tool_registry import ToolError
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.http_auth import ClientCredentials, api_key
from aybiza.emulators.services import ServicesEmulator

FIND = ("GET", "/customers")
WHO = {"identifier": "41573"}


async def test_an_answer_is_decoded(crm_api: HttpApi) -> None:
    found = await crm_api.call(*FIND, query=WHO)
    assert found["name"] == "Maria Lopez"


async def test_a_connection_is_kept(services: ServicesEmulator, crm_api: HttpApi) -> None:
    for _ in range(3):
        await crm_api.call(*FIND, query=WHO)
    assert len(services._connections) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "refused"),
        (401, "not_allowed"),
        (403, "not_allowed"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "refused"),
        (429, "busy"),
        (503, "busy"),
    ],
)
async def test_a_refusal_is_told_in_words(
    services: ServicesEmulator, crm_api: HttpApi, status: int, code: str
) -> None:
    services.fail("crm", status)
    with pytest.raises(ToolError) as caught:
        await crm_api.call(*FIND, query=WHO)
    assert caught.value.code == code
    assert "on demand" in caught.value.message


@pytest.mark.parametrize("status", [302, 500, 502])
async def test_after_other_failures_something_may_have_been_done(
    services: ServicesEmulator, crm_api: HttpApi, status: int
) -> None:
    services.fail("crm", status)
    with pytest.raises(ConnectionError, match=str(status)):
        await crm_api.call(*FIND, query=WHO)


async def test_silence_is_a_time_out(services: ServicesEmulator, crm_api: HttpApi) -> None:
    services.stall("crm", 5)
    with pytest.raises(TimeoutError):
        await crm_api.call(*FIND, query=WHO)


async def test_a_lost_connection_is_no_refusal(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    services.drop("crm")
    with pytest.raises(Exception) as caught:
        await crm_api.call(*FIND, query=WHO)
    assert not isinstance(caught.value, ToolError)


async def test_a_server_that_is_not_there_is_told() -> None:
    api = HttpApi(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ToolError) as caught:
        await api.call(*FIND)
    await api.aclose()
    assert caught.value.code == "unreachable"


async def test_a_void_token_is_renewed_once(services: ServicesEmulator) -> None:
    token = ClientCredentials(f"{services.url}/crm/token", "id", "secret")
    api = HttpApi(f"{services.url}/crm", auth=token)
    await api.call(*FIND, query=WHO)
    services.crm.rotate()
    assert (await api.call(*FIND, query=WHO))["name"] == "Maria Lopez"
    services.fail("crm", 401)
    services.fail("crm", 401)
    with pytest.raises(ToolError):
        await api.call(*FIND, query=WHO)
    await api.aclose()


async def test_neither_keys_nor_questions_are_logged(services: ServicesEmulator) -> None:
    api = HttpApi(f"{services.url}/crm", auth=api_key("key", "s3cret", "query"))
    with capture_logs() as logs, pytest.raises(ToolError):
        await api.call(*FIND, query=WHO)
    await api.aclose()
    assert logs
    assert "s3cret" not in str(logs)
    assert "41573" not in str(logs)


async def test_an_answer_without_end_is_given_up(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    services.crm.customers["41573"]["note"] = "x" * 300_000
    with pytest.raises(ToolError) as caught:
        await crm_api.call(*FIND, query=WHO)
    assert caught.value.code == "too_much"


@pytest.mark.parametrize("url", ["ftp://host", "host/path", "https://", "https://host?a=1"])
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        HttpApi(url)


@pytest.mark.parametrize("path", ["", "x", ".evil.example/", "@evil.example/", ":8080/"])
async def test_no_path_extends_the_host(path: str) -> None:
    api = HttpApi("http://127.0.0.1")
    with pytest.raises(ValueError, match="does not begin with a slash"):
        await api.call("GET", path)
    await api.aclose()


async def test_what_cannot_be_sent_is_refused_before_it_is(
    services: ServicesEmulator, crm_api: HttpApi
) -> None:
    sent: list[dict[str, Any]] = [
        {"headers": {"X-Name": "Zoë"}},
        {"query": {"identifier": "\ud800"}},
        {"body": {"a": "x", "b": float("nan")}},
        {"body": {"a": object()}},
    ]
    for each in sent:
        with pytest.raises(ToolError) as refused:
            await crm_api.call("POST", "/customers", **each)
        assert refused.value.code == "bad_input"
    assert not services.journal


@pytest.mark.parametrize("url", ["https://user:s3cret@host", "https://s3cret@host", "https://h/#x"])
def test_a_base_url_holds_no_secret(url: str) -> None:
    with pytest.raises(ValueError, match="use `auth` for secrets") as refused:
        HttpApi(url)
    assert "s3cret" not in str(refused.value)


def answering(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: str | None, body: bytes
) -> HttpApi:
    """An API whose server gives this answer to everything."""
    headers = {"content-type": kind} if kind else {}
    transport = httpx.MockTransport(
        lambda asked: httpx.Response(status, headers=headers, content=body)
    )
    monkeypatch.setattr(httpx, "AsyncClient", partial(httpx.AsyncClient, transport=transport))
    return HttpApi("http://127.0.0.1")


async def test_a_server_that_asks_to_be_left_alone_is_not_asked_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(429, headers={"retry-after": "20"})

    transport = httpx.MockTransport(busy)
    monkeypatch.setattr(httpx, "AsyncClient", partial(httpx.AsyncClient, transport=transport))
    api = HttpApi("http://127.0.0.1")
    for _ in range(2):
        with pytest.raises(ToolError, match="asked again in 20 seconds") as raised:
            await api.call(*FIND)
        assert raised.value.code == "busy"
    assert len(asked) == 1
    await api.aclose()


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("application/json", b'{"message": "Too long."}', "It says: Too long."),
        ("application/problem+json", b'{"detail": "No such day."}', "It says: No such day."),
        ("application/json", b'{"error": {"message": "Closed."}}', "It says: Closed."),
        ("application/json", b'{"error": "closed"}', "It says: closed"),
        ("application/json", b'{"error": {"code": 5}}', ""),
        ("application/json", b'["Too long."]', ""),
        ("application/json", b"{", ""),
        ("text/html", b"<p>Too long.</p>", ""),
        ("application/pdf", b"%PDF", ""),
        ("application/json", b"", ""),
    ],
)
async def test_a_refusal_says_what_the_server_says_of_it_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, kind: str, body: bytes, told: str
) -> None:
    api = answering(monkeypatch, 422, kind, body)
    with pytest.raises(ToolError) as refused:
        await api.call(*FIND)
    await api.aclose()
    assert refused.value.code == "refused"
    assert refused.value.message.partition("It says: ")[1:] == (
        ("It says: ", told.removeprefix("It says: ")) if told else ("", "")
    )


@pytest.mark.parametrize(
    ("kind", "body", "given"),
    [
        ("text/plain; charset=utf-8", b"ready", "ready"),
        ("application/vnd.api+json", b'{"a": 1}', {"a": 1}),
        (None, b"", None),
    ],
)
async def test_an_answer_is_json_a_text_or_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str | None, body: bytes, given: Any
) -> None:
    api = answering(monkeypatch, 200, kind, body)
    assert await api.call(*FIND) == given
    await api.aclose()


@pytest.mark.parametrize(("kind", "named"), [("image/png", "image/png"), (None, "unknown")])
async def test_an_answer_that_is_no_text_is_named_by_its_type(
    monkeypatch: pytest.MonkeyPatch, kind: str | None, named: str
) -> None:
    api = answering(monkeypatch, 200, kind, b"x")
    with pytest.raises(ValueError, match=f"an answer of type {named} is of no use"):
        await api.call(*FIND)
    await api.aclose()


async def test_a_body_that_a_transport_has_whole_has_the_same_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = answering(monkeypatch, 200, "text/plain", b"x" * 300_000)
    with pytest.raises(ToolError, match="Ask for less"):
        await api.call(*FIND)
    await api.aclose()
