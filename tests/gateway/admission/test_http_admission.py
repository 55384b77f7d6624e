"""The HTTP door asks before a route sees a request, and hands on what it has read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.http_admission import MAX_BODY_BYTES, HttpAdmission
from aybiza.gateway.admission.rules import Rules
from aybiza.gateway.admission.signature import signature

FORM = {"CallSid": "CA1", "AccountSid": "AC1", "From": "+14155550123"}
URL = "http://door/incoming?again=1"


def app(rules: Rules) -> Starlette:
    async def echo(request: Request) -> Response:
        body = await request.body()
        return JSONResponse({"body": body.decode(), "again": request.query_params.get("again")})

    every = ("/incoming", "/status", "/metrics", "/healthz")
    routes = [Route(path, echo, methods=["GET", "POST"]) for path in every]
    middleware = Middleware(
        HttpAdmission, Admission(rules), lambda query, body: "All lines are busy."
    )
    return Starlette(routes=routes, middleware=[middleware])


def client(peer: str = "203.0.113.9", **rules: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app(Rules(**rules)), client=(peer, 5000))
    return httpx.AsyncClient(transport=transport, base_url="http://door")


async def test_a_route_sees_the_body_that_was_checked() -> None:
    headers = {"X-Twilio-Signature": signature("token", URL, FORM.items())}
    async with client(auth_token="token") as door:
        answer = await door.post(URL, data=FORM, headers=headers)
    assert answer.status_code == 200
    assert answer.json() == {
        "body": "CallSid=CA1&AccountSid=AC1&From=%2B14155550123",
        "again": "1",
    }


async def test_a_body_in_pieces_is_read_to_its_end() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"CallSid=CA1&", b"Account", b"Sid=AC1"):
            yield piece

    form = {"CallSid": "CA1", "AccountSid": "AC1"}
    headers = {
        "X-Twilio-Signature": signature("token", URL, form.items()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with client(auth_token="token") as door:
        answer = await door.post(URL, content=pieces(), headers=headers)
    assert answer.json()["body"] == "CallSid=CA1&AccountSid=AC1"


async def test_who_may_not_come_in_is_told_and_disconnected() -> None:
    async with client(auth_token="token", per_minute=1) as door:
        unsigned = await door.post("/incoming", data=FORM)
        again = await door.post("/status", data=FORM)
        page = await door.get("/metrics")
        health = await door.get("/healthz")
    assert unsigned.status_code == 403
    assert unsigned.headers["connection"] == "close"
    assert (again.status_code, page.status_code, health.status_code) == (429, 429, 200)
    assert 1 <= int(again.headers["retry-after"]) <= 60


async def test_a_page_is_not_for_everybody() -> None:
    async with client(console_token="c0nsole") as door:
        assert (await door.get("/metrics")).status_code == 401
        assert (await door.get("/incoming")).status_code == 401
        headers = {"Authorization": "Bearer c0nsole"}
        assert (await door.get("/metrics", headers=headers)).status_code == 200
    async with client("127.0.0.1", console_token="c0nsole") as door:
        assert (await door.get("/metrics")).status_code == 401
    async with client("127.0.0.1") as door:
        assert (await door.get("/metrics")).status_code == 401
        assert (await door.get("http://localhost:3000/metrics")).status_code == 200


async def test_a_caller_of_an_account_with_all_its_calls_hears_the_busy_words() -> None:
    async with client(account_calls=1) as door:
        assert (await door.post("/incoming", data=FORM)).status_code == 200
        busy = await door.post("/incoming", data={**FORM, "CallSid": "CA2"})
    assert busy.status_code == 200
    assert busy.headers["content-type"].startswith("text/xml")
    assert "<Say>All lines are busy.</Say><Hangup/>" in busy.text


async def test_a_body_beyond_the_bound_is_refused() -> None:
    async with client(auth_token="token") as door:
        assert (await door.post("/status", content=b"x" * MAX_BODY_BYTES)).status_code == 403
        answer = await door.post("/status", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413


async def test_headers_that_come_twice_count_together() -> None:
    proxied: dict[str, Any] = {"trusted_proxies": ("203.0.113.0/24",), "per_minute": 1}
    async with client(**proxied) as door:
        for addresses, status in ((["1.1.1.1", "2.2.2.2"], 200), (["3.3.3.3", "2.2.2.2"], 429)):
            headers = [("X-Forwarded-For", address) for address in addresses]
            assert (await door.post("/incoming", headers=headers)).status_code == status


async def test_a_path_cannot_be_written_so_that_it_is_not_checked() -> None:
    async with client("127.0.0.1", auth_token="token") as door:
        for path in ("/%69ncoming", "/incomin%67", "/%69%6e%63%6f%6d%69%6e%67"):
            assert (await door.post(path, data=FORM)).status_code == 403
        for path in ("//incoming", "/incoming/", "/INCOMING", "/x/../incoming"):
            assert "CallSid" not in (await door.post(path, data=FORM)).text


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"&&&=", b"CallSid", b"a&" * 30_000])
async def test_any_body_is_answered(content: bytes) -> None:
    async with client(auth_token="token", account_calls=1) as door:
        assert (await door.post("/incoming", content=content)).status_code == 403
