"""Calls are ended by the carriers' APIs, whatever these say, and never later than in time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from aybiza.emulators.services import ServicesEmulator
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, Start
from aybiza.gateway.carriers.telnyx_codec import CONTROL_ID
from aybiza.gateway.control import rest
from aybiza.gateway.control.control import ControlError
from aybiza.gateway.control.rest import Api, RestControl, signalwire, telnyx, twilio
from tests.slowness import slowness

CALL = "CA" + "a" * 32
CONTROL = "v3:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ"


def start(call: str = CALL, account: str = "", **parameters: str) -> Start:
    return Start("MZ1", call, account, ("inbound",), MULAW_8000_MONO, parameters)


def of_twilio(services: ServicesEmulator) -> Api:
    return twilio(services.calls.account, services.calls.token, services.url)


def of_signalwire(services: ServicesEmulator) -> Api:
    return signalwire(services.calls.account, services.calls.token, services.url + "/")


def of_telnyx(services: ServicesEmulator) -> Api:
    return telnyx(services.calls.token, services.url)


Maker = Callable[[ServicesEmulator], Api]
ALL = pytest.mark.parametrize("make", [of_twilio, of_signalwire, of_telnyx])


@pytest_asyncio.fixture
async def services() -> AsyncIterator[ServicesEmulator]:
    async with ServicesEmulator() as emulator:
        emulator.calls.live.update((CALL, CONTROL))
        yield emulator


async def asked(api: Api, about: Start | None = None, seconds: float = 2.0) -> str:
    """What `hang_up` says; "" if it is done."""
    control = RestControl(api, seconds)
    try:
        await control.hang_up(about or start())
    except ControlError as error:
        return str(error)
    finally:
        await control.aclose()
    return ""


@ALL
async def test_a_call_is_ended(services: ServicesEmulator, make: Maker) -> None:
    assert await asked(make(services)) == ""
    assert services.calls.ended == [CALL]


async def test_telnyx_is_asked_for_the_id_that_came_with_the_stream(
    services: ServicesEmulator,
) -> None:
    assert await asked(of_telnyx(services), start(**{CONTROL_ID: CONTROL})) == ""
    assert services.calls.ended == [CONTROL]


@ALL
async def test_a_call_that_is_over_or_unknown_has_been_ended(
    services: ServicesEmulator, make: Maker
) -> None:
    services.calls.over.add(CALL)
    services.calls.live.clear()
    assert await asked(make(services)) == ""
    assert await asked(make(services), start("CA" + "b" * 32)) == ""
    assert [request.status for request in services.journal] in ([400, 404], [422, 404])


@ALL
async def test_a_refused_key_names_the_setting_and_no_secret_and_is_not_tried_again(
    services: ServicesEmulator, make: Maker
) -> None:
    api = make(services)
    services.calls.token = "another"
    said = await asked(api)
    assert "it answered 401, code " in said
    assert "look at " in said
    assert "t0ken" not in said + repr(api)
    assert len(services.journal) == 1
    assert services.calls.ended == []


@ALL
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_be_gone_in_a_moment_is_asked_once_more(
    services: ServicesEmulator, make: Maker, status: int
) -> None:
    api = make(services)
    services.fail(api.carrier, status)
    assert await asked(api) == ""
    assert services.calls.ended == [CALL]
    services.fail(api.carrier, status)
    services.fail(api.carrier, status)
    assert f"it answered {status}" in await asked(api)
    assert len(services.journal) == 4


@ALL
async def test_a_connection_that_is_lost_is_made_again(
    services: ServicesEmulator, make: Maker
) -> None:
    api = make(services)
    services.drop(api.carrier)
    assert await asked(api) == ""


async def test_another_refusal_is_told_at_once(services: ServicesEmulator) -> None:
    services.fail("twilio", 400, "Strange")
    said = await asked(of_twilio(services))
    assert said == "twilio has not ended the call: it answered 400"
    assert len(services.journal) == 1


@ALL
async def test_an_api_that_does_not_answer_is_waited_for_in_bounds(
    services: ServicesEmulator, make: Maker
) -> None:
    api = make(services)
    services.stall(api.carrier, None)
    began = time.monotonic()
    said = await asked(api, seconds=0.3)
    assert time.monotonic() - began < 1.5 * slowness()
    assert said.startswith(f"{api.carrier} has not ended the call: ")


async def test_an_api_that_cannot_be_reached_is_told_of() -> None:
    api = twilio("AC" + "1" * 32, "token", "http://127.0.0.1:9")
    assert "it cannot be reached (ConnectError)" in await asked(api, seconds=1.0)


async def test_an_endless_answer_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 No\r\nContent-Type: application/json\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 4096)
                await writer.drain()
        except OSError:
            writer.transport.abort()
            gone.set()

    monkeypatch.setattr(rest, "BODY_BYTES", 20_000)
    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        api = twilio("AC" + "1" * 32, "token", f"http://127.0.0.1:{port}")
        assert await asked(api) == "twilio has not ended the call: it answered 400"
        await gone.wait()
        await asyncio.sleep(0)


async def test_the_path_cannot_be_left(services: ServicesEmulator) -> None:
    services.calls.live.add("../../CAx")
    assert await asked(of_twilio(services), start("../../CAx", "AC/../x")) == ""
    assert services.calls.ended == ["../../CAx"]


async def test_the_account_of_the_call_is_asked_for_where_it_is_another(
    services: ServicesEmulator,
) -> None:
    part = "AC" + "9" * 32
    await asked(of_twilio(services), start(account=part))
    assert f"/Accounts/{part}/" in services.journal[0].path
