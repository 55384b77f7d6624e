"""The console's answers on a whole node: its stream, its actions, its dial."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from aybiza.actors import names
from aybiza.actors.measures.events import OPERATOR
from aybiza.actors.recordings.recordings_actor import is_recorded
from aybiza.config.recording import Recording
from aybiza.gateway.admission.policy import HTTP
from aybiza.gateway.console.console_actor import NAME as CONSOLE
from aybiza.gateway.console.hub import MOST_VIEWERS, hub
from aybiza.gateway.console.pages import MOST_BYTES, Wish, wish_of
from tests.call.kit import World, agent, world
from tests.call.steps import stay, text

pytestmark = pytest.mark.asyncio(loop_scope="module")
HEADERS = {"x-aybiza-console": "1"}
LIMIT = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), voice_speed=2) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def client(place: World) -> AsyncIterator[httpx.AsyncClient]:
    options: Any = {"base_url": place.node.http_url, "headers": HEADERS, "trust_env": False}
    async with httpx.AsyncClient(**options) as made:
        yield made


def socket(place: World, **options: Any) -> connect:
    """The console's websocket, as its page opens it."""
    origin: Any = place.node.http_url
    address = f"{origin.replace('http', 'ws', 1)}/console/events"
    return connect(address, origin=origin, proxy=None, **options)


async def heard(opened: ClientConnection) -> AsyncIterator[tuple[str, Any]]:
    """The events of the console, for as long as they come."""
    async for message in opened:
        assert isinstance(message, str)
        for line in message.splitlines():
            name, _, value = line.partition(" ")
            yield name, json.loads(value)


async def told(place: World, call_id: str = "") -> AsyncIterator[tuple[str, Any]]:
    """The events of the console, for as long as they are asked for."""
    async with socket(place) as opened:
        await opened.send(json.dumps({"call": call_id}))
        async for event in heard(opened):
            yield event


async def test_a_call_is_followed_with_its_words_and_hung_up_from_here(
    place: World, client: httpx.AsyncClient
) -> None:
    async with place.call(text("What are your hours?"), stay()) as call:
        await call.until(lambda: call.has_heard(0, 1))
        said: list[str] = []
        async with asyncio.timeout(LIMIT):
            async for event, data in told(place, call.call_id):
                if event == "call":
                    said += [row[2]["text"] for row in data["rows"] if "text" in row[2]]
                if "You said, What are your hours?" in said:
                    break
        asked = {"do": "hangup", "call": call.call_id}
        answer = await client.post("/console/act", json=asked)
        assert answer.json() == {"hung_up": call.call_id}
        report = await call.over()
    assert report.streams[-1].close_code == 1000
    assert said[0].startswith("Welcome")
    assert "What are your hours?" in said


async def test_a_call_of_any_carrier_can_be_looked_at_by_its_id() -> None:
    own = [str(uuid4()), f"v3:{'a' * 60}/b+c=", "CA" + "0" * 32, "5f1e:2.a_b"]
    assert [wish_of(json.dumps({"call": one})) for one in own] == [
        Wish(one, listens=False) for one in own
    ]
    for other in ("", "CA <b>", "x" * 129, "a\n", "ä"):
        assert wish_of(json.dumps({"call": other})) == Wish("", listens=False)


async def test_a_killed_process_is_back_and_the_picture_says_so(
    place: World, client: httpx.AsyncClient
) -> None:
    async with asyncio.timeout(LIMIT):
        seen = told(place)
        async for event, _ in seen:
            if event == "points":
                break
        before = place.vm.whereis(names.METRICS)
        asked = {"do": "restart", "process": names.METRICS}
        answer = (await client.post("/console/act", json=asked)).json()
        assert answer["back"] == repr(place.vm.whereis(names.METRICS)) != repr(before)
        rows: list[Any] = []
        async for event, data in seen:
            rows += data["rows"] if event == "processes" else []
            if any(row[3] == names.METRICS and row[7] == 1 for row in rows):
                break
        await seen.aclose()  # type: ignore[attr-defined]


async def test_who_looks_owes_nothing_and_so_may_look_for_as_long_as_they_like(
    place: World,
) -> None:
    room = place.node._admission.room
    async with asyncio.timeout(LIMIT), socket(place) as opened:
        async for _ in heard(opened):
            break
        assert [guest for guest in room._guests if guest.door == HTTP] == []


async def test_who_goes_is_noticed_and_nothing_is_left_of_them(place: World) -> None:
    held = hub(place.vm)
    assert held is not None
    async with asyncio.timeout(LIMIT):
        async for _ in told(place):
            break
        await place.until(lambda: not held.viewers)


@pytest.mark.parametrize("said", ["", "[]", "{", "[" * 4000, '{"call": 1}', "x" * 5000])
async def test_who_says_what_no_page_of_ours_would_is_not_served_any_more(
    place: World, said: str
) -> None:
    held = hub(place.vm)
    assert held is not None
    async with asyncio.timeout(LIMIT), socket(place) as opened:
        await opened.send(said)
        with pytest.raises(ConnectionClosed):
            while True:
                await opened.recv()
        await place.until(lambda: not held.viewers)


async def listened(place: World, call_id: str) -> tuple[str, bytes]:
    """Why nobody may listen in on a call, or what is heard of it."""
    token = place.node._admission.rules.console_token or ""
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    protocols: list[Any] = ["aybiza.console", f"token.{encoded}"] if token else ["aybiza.console"]
    async with asyncio.timeout(LIMIT), socket(place, subprotocols=protocols) as opened:
        await opened.send(json.dumps({"call": call_id}))
        await opened.send(json.dumps({"call": call_id, "listen": True}))
        why, heard_ = "", b""
        async for event, data in heard(opened):
            if event == "listening" and data["why"]:
                return data["why"], b""
            if event == "audio":
                heard_ += base64.b64decode(data["audio"])
            if len(heard_) > 32_000:
                break
    return why, heard_


async def test_a_call_is_heard_that_is_recorded_by_who_has_the_token_and_that_is_written_down(
    tmp_path: Path,
) -> None:
    settings: dict[str, Any] = {
        "AYBIZA_RECORDINGS": str(tmp_path / "r"),
        "AYBIZA_CONSOLE_TOKEN": "t" * 24,
    }
    who = agent(recording=Recording())
    async with world(tmp_path, voice_speed=2, agent=who, **settings) as place:
        told: list[Any] = []
        place.vm.telemetry.attach("test", OPERATOR, lambda _, __, about, ___: told.append(about))
        async with place.call(text("What are your hours?"), stay()) as call:
            await place.until(lambda: is_recorded(place.vm, call.call_id))
            why, stereo = await listened(place, call.call_id)
            assert why == ""
            assert len(set(stereo[1::2])) > 10
            listens = {"who": "console 127.0.0.1", "did": "listen", "what": call.call_id}
            assert listens in told
        assert "not recorded" in (await listened(place, "CA1"))[0]


async def test_nobody_listens_in_without_a_token_of_the_console(place: World) -> None:
    async with place.call(text("What are your hours?"), stay()) as call:
        await call.until(lambda: call.has_heard(0, 1))
        assert "AYBIZA_CONSOLE_TOKEN" in (await listened(place, call.call_id))[0]


async def test_so_many_may_look_and_no_more(place: World) -> None:
    held = hub(place.vm)
    assert held is not None
    await place.until(lambda: not held.viewers)
    viewers = [held.enter("") for _ in range(MOST_VIEWERS)]
    async with socket(place) as opened:
        with pytest.raises(ConnectionClosed) as closed:
            await opened.recv()
    for viewer in viewers:
        held.leave(viewer)
    assert closed.value.rcvd is not None
    assert "close another" in closed.value.rcvd.reason


@pytest.mark.parametrize("path", ["/console/act", "/console/dial"])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"{", "application/json"),
        (b"[" * 10_000, "application/json"),
        (b"{}", "text/plain"),
        (b'{"do": "kill"}', "application/x-www-form-urlencoded"),
        (b" " * (MOST_BYTES + 1), "application/json"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    client: httpx.AsyncClient, path: str, body: bytes, kind: str
) -> None:
    answer = await client.post(path, content=body, headers={"content-type": kind})
    assert answer.status_code == 400


async def test_an_action_that_cannot_be_done_says_why(client: httpx.AsyncClient) -> None:
    answer = await client.post("/console/act", json={"do": "kill", "process": "nobody"})
    assert (answer.status_code, "nobody" in answer.json()["error"]) == (409, True)
    answer = await client.post("/console/act", json={"do": "fault", "plan": "title = 'x'"})
    assert (answer.status_code, "--allow-faults" in answer.json()["error"]) == (409, True)


async def test_a_fault_strikes_a_node_that_takes_them_and_is_told(tmp_path: Path) -> None:
    plan = '[[fault]]\nwhat = "crash"\nwhere = "MetricsActor"\nat = 0.05\n'
    async with world(tmp_path, AYBIZA_ALLOW_FAULTS="true") as place:
        options: Any = {"base_url": place.node.http_url, "headers": HEADERS, "trust_env": False}
        async with httpx.AsyncClient(timeout=LIMIT, **options) as client:
            before = place.vm.whereis(names.METRICS)
            began = (await client.post("/console/act", json={"do": "fault", "plan": plan})).json()
            assert (began["running"], began["by"]) == (True, "console 127.0.0.1")
            await place.until(lambda: place.vm.whereis(names.METRICS) not in (None, before))
            told = (await client.post("/console/act", json={"do": "fault_report"})).json()
            assert [strike["whom"].partition("#")[0] for strike in told["strikes"]] == [
                "MetricsActor"
            ]
            ended = (await client.post("/console/act", json={"do": "fault_stop"})).json()
            assert not ended["running"]
            wrong = (
                await client.post("/console/act", json={"do": "fault", "plan": "x = 1"})
            ).json()
            assert "no field 'x'" in wrong["wrong"]


async def test_a_dial_names_the_media_door_and_a_call_of_its_own(
    place: World, client: httpx.AsyncClient
) -> None:
    first = (await client.post("/console/dial", json={})).json()
    assert first["url"] == f"{place.node.media_url}/softphone"
    assert first["parameters"]["StreamToken"]
    again = (await client.post("/console/dial", json={"call": first["call"]})).json()
    assert again["call"] == first["call"]
    assert again["stream"] != first["stream"]
    other = (await client.post("/console/dial", json={"call": "CA <b>"})).json()
    assert other["call"] not in (first["call"], "CA <b>")


async def test_a_dial_is_answered_by_the_agent_of_its_route(
    place: World, client: httpx.AsyncClient
) -> None:
    routes = [who.route for who in place.node._switchboard]
    assert (await client.post("/console/dial", json={"look": True})).json() == {"routes": routes}
    known = (await client.post("/console/dial", json={"route": routes[0]})).json()
    assert known["parameters"]["Route"] == routes[0]
    unknown = (await client.post("/console/dial", json={"route": ["x"]})).json()
    assert "Route" not in unknown["parameters"]


async def test_a_node_that_stops_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with world(tmp_path) as place, asyncio.timeout(LIMIT), socket(place) as opened:
        async for event, _ in heard(opened):
            if event == "points":
                break
        assert place.vm.whereis(CONSOLE) is not None
        await place.stop()
        assert [event async for event, _ in heard(opened) if event == "about"] == []
        assert opened.close_code == 1001
