"""Whole calls over each carrier's wire: what the caller hears, breaks off, presses and ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from aybiza.actors import names
from aybiza.dialogue.journal import Ended
from aybiza.emulators.phone import webhook
from aybiza.emulators.phone.bridge import Bridge, Frame, Wire
from aybiza.emulators.phone.freeswitch import FreeSwitchWire
from aybiza.emulators.phone.signalwire import SignalWireWire
from aybiza.emulators.phone.telnyx import TelnyxWire
from aybiza.emulators.phone.webhook import ConnectStream, Redirect
from aybiza.gateway.carriers.freeswitch_codec import SUBPROTOCOL
from aybiza.gateway.carriers.paths import CARRIERS
from tests.call.caller import Call
from tests.call.kit import GREETING, World, side_by_side, world
from tests.call.steps import Step, hang_up, interrupt, stay, text
from tests.gateway.carriers.carrier_calls import (
    ANSWERS,
    ASK,
    CHANGE,
    COST,
    LAST,
    LEAVE,
    STORY,
    carried,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_time]

WIRES: dict[str, Callable[[], Wire]] = {
    "telnyx": TelnyxWire,
    "signalwire": SignalWireWire,
    "signalwire enveloped": lambda: SignalWireWire(enveloped=True),
    "freeswitch": FreeSwitchWire,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("place")
    names = ",".join(CARRIERS)
    pace: dict[str, Any] = {"delta_ms": 50, "voice_speed": 3}
    async with world(folder, answers=ANSWERS, AYBIZA_CARRIERS=names, **pace) as made:
        yield made


@asynccontextmanager
async def over(place: World, name: str, *steps: Step) -> AsyncIterator[tuple[Call, Bridge]]:
    """A caller who does `steps` over the wire of this name."""
    async with carried(place, WIRES[name], address(place, name), str(uuid4()), *steps) as made:
        yield made


def address(place: World, name: str) -> str:
    """The node's media websocket for the carrier of this wire."""
    return place.node.media_url.removesuffix("/media") + CARRIERS[name.split(maxsplit=1)[0]].path


async def test_a_caller_is_heard_and_answered(place: World) -> None:
    async def run(name: str) -> None:
        steps = text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")
        async with over(place, name, *steps) as (call, bridge):
            report = await call.over()
        assert report.ok, call.summary()
        assert call.heard == f"{GREETING} {STORY} "
        assert call.told() == [("user", ASK)]
        assert report.marks_set == report.marks_returned == 5
        assert bridge.errors == []

    await side_by_side(run, WIRES)


async def test_a_caller_who_breaks_in_silences_the_agent(place: World) -> None:
    async def run(name: str) -> None:
        steps = text(ASK, after=r"\?\s*$"), interrupt(CHANGE), hang_up(after=r"goodbye\.\s*$")
        async with over(place, name, *steps) as (call, bridge):
            report = await call.over()
        assert report.ok, call.summary()
        assert report.clears == 1
        assert call.heard.endswith(f"{COST} ") and "shore" not in call.heard
        assert bridge.errors == []

    await side_by_side(run, WIRES)


async def test_keys_arrive_as_what_was_pressed(place: World) -> None:
    async def run(name: str) -> None:
        steps = {"dtmf": "12#", "expect": r"\?\s*$"}, hang_up(after=r"and two\.")
        async with over(place, name, *steps) as (call, _):
            report = await call.over()
        assert report.ok, call.summary()

    await side_by_side(run, WIRES)


async def test_a_conversation_that_is_over_ends_the_stream_in_order(place: World) -> None:
    async def run(name: str) -> None:
        steps = text(LEAVE, after=r"\?\s*$"), stay()
        async with over(place, name, *steps) as (call, bridge):
            report = await call.over()
        assert report.ok, call.summary()
        assert call.heard.endswith(f"{LAST} ")
        assert report.streams[0].close_code == 1000
        assert any(isinstance(entry, Ended) for entry in call.journal())
        assert bridge.hung_up == (name == "freeswitch")

    await side_by_side(run, WIRES)


async def test_the_call_goes_on_when_its_actors_crash(place: World) -> None:
    async def run(name: str) -> None:
        steps = text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")
        async with over(place, name, *steps) as (call, _):
            await call.until(lambda: call.is_speaking(1, 2))
            for part in (names.call, names.speaker, names.transcriber):
                place.kill(part(call.call_id))
            report = await call.over()
        assert report.ok, call.summary()
        assert call.heard == f"{GREETING} {STORY} "

    await side_by_side(run, WIRES)


async def test_the_call_of_a_telnyx_stream_is_the_one_its_webhook_named(place: World) -> None:
    call_id, steps = f"v3:{uuid4()}", (hang_up(quiet_ms=300),)
    parameters = {"CallSid": call_id, "From": "+13122010094"}

    class Renamed(TelnyxWire):
        def start(self, call_id: str, parameters: Mapping[str, str]) -> Sequence[Frame]:
            return super().start("v3:another-id", parameters)

    telnyx = address(place, "telnyx")
    async with carried(place, Renamed, telnyx, call_id, *steps, parameters=parameters) as (call, _):
        await call.until(lambda: bool(call.state))
        report = await call.over()
    assert report.ok, call.summary()


@pytest.mark.parametrize("name", ["telnyx", "signalwire"])
async def test_a_call_comes_in_by_its_carriers_webhook(place: World, name: str) -> None:
    call_id = str(uuid4())
    url = place.node.http_url + CARRIERS[name].webhook
    form = {"CallSid": call_id, "From": "+13122010094", "To": "+13122123456"}
    status, body = await webhook.post(url, form, None)
    assert status == 200
    stream = ElementTree.fromstring(body).find("Connect/Stream")
    assert stream is not None
    attributes = {key: value for key, value in stream.attrib.items() if key != "url"}
    assert attributes == CARRIERS[name].stream
    connect_stream, redirect = webhook.read_twiml(body, url)
    assert isinstance(connect_stream, ConnectStream) and connect_stream.url == address(place, name)
    assert isinstance(redirect, Redirect) and redirect.url.startswith(f"{url}?again=1&")
    parameters = connect_stream.parameters
    assert (name == "telnyx") == ("CallSid" in parameters)
    steps = (hang_up(quiet_ms=300),)
    async with carried(
        place, WIRES[name], connect_stream.url, call_id, *steps, parameters=parameters
    ) as (call, _):
        assert (await call.over()).ok, call.summary()


async def test_a_carrier_that_is_asked_for_another_code_is_heard_and_answered_in_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    wires: dict[str, Callable[[], Wire]] = {
        "telnyx": lambda: TelnyxWire(codec="PCMA"),
        "signalwire": lambda: SignalWireWire(codec="PCMA"),
    }

    async def run(name: str) -> None:
        call_id, url = str(uuid4()), asking.node.http_url + CARRIERS[name].webhook
        _, body = await webhook.post(url, {"CallSid": call_id}, None)
        stream = webhook.read_twiml(body, url)[0]
        assert isinstance(stream, ConnectStream) and 'codec="PCMA' in body
        steps = text(ASK, after=r"\?\s*$"), hang_up(after=r"another one\.")
        given = {"parameters": stream.parameters}
        async with carried(asking, wires[name], stream.url, call_id, *steps, **given) as made:
            call, bridge = made
            report = await call.over()
        assert report.ok, call.summary()
        assert call.heard == f"{GREETING} {STORY} "
        assert bridge.errors == []

    options: dict[str, Any] = {
        "AYBIZA_CARRIERS": ",".join(CARRIERS),
        "AYBIZA_STREAM_CODEC": "PCMA",
        "delta_ms": 50,
        "voice_speed": 3,
    }
    folder = tmp_path_factory.mktemp("alaw")
    async with world(folder, answers=ANSWERS, **options) as asking:
        await side_by_side(run, wires)


async def test_a_node_that_asks_for_tokens_gets_them_by_the_webhook_or_trusts_its_switch(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, carriers = tmp_path_factory.mktemp("guarded"), ",".join(CARRIERS)
    guarded = {
        "TWILIO_AUTH_TOKEN": "secret",
        "AYBIZA_SIGNALWIRE_SIGNING_KEY": "another",
        "AYBIZA_CARRIERS": carriers,
    }
    steps = (hang_up(quiet_ms=300),)
    async with world(folder, **guarded) as place:  # type: ignore[arg-type]
        async with over(place, "signalwire", *steps) as (call, _):
            refused = await call.over()
        async with over(place, "freeswitch", *steps) as (call, _):
            also_refused = await call.over()
        for report in (refused, also_refused):
            assert [stream.close_code for stream in report.streams] == [1008]
        call_id, url = str(uuid4()), place.node.http_url + CARRIERS["signalwire"].webhook
        form = {"CallSid": call_id}
        given_signature = {"x-signalwire-signature": webhook.signature("another", url, form)}
        async with httpx.AsyncClient(trust_env=False) as client:
            body = (await client.post(url, data=form, headers=given_signature)).text
        stream = webhook.read_twiml(body, url)[0]
        assert isinstance(stream, ConnectStream)
        wire, given = WIRES["signalwire"], {"parameters": stream.parameters}
        async with carried(place, wire, stream.url, call_id, *steps, **given) as (call, _):
            assert (await call.over()).ok, call.summary()
    trusting = {**guarded, "AYBIZA_SWITCHES": "127.0.0.1/32"}
    folder = tmp_path_factory.mktemp("trusting")
    async with (
        world(folder, **trusting) as place,  # type: ignore[arg-type]
        over(place, "freeswitch", *steps) as (call, _),
    ):
        assert (await call.over()).ok, call.summary()


@pytest.mark.parametrize("path", ["/incoming/freeswitch", "/incoming/nobody"])
async def test_who_has_no_webhook_is_told_so(place: World, path: str) -> None:
    status, _ = await webhook.post(place.node.http_url + path, {"CallSid": "CA1"}, None)
    assert status == 404


async def test_the_fork_of_freeswitch_gets_its_subprotocol(place: World) -> None:
    url = address(place, "freeswitch")
    offered = [Subprotocol(SUBPROTOCOL)]
    async with connect(url, proxy=None, subprotocols=offered) as socket:
        assert socket.subprotocol == SUBPROTOCOL
    async with connect(place.node.media_url, proxy=None) as socket:
        assert socket.subprotocol is None


@pytest.mark.parametrize("name", ["telnyx", "signalwire", "freeswitch"])
async def test_a_carrier_that_is_not_let_in_finds_no_door(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    async with world(tmp_path_factory.mktemp("twilio")) as place:
        with pytest.raises(InvalidStatus) as refusal:
            async with connect(address(place, name), proxy=None):
                pass
    assert refusal.value.response.status_code == 404
