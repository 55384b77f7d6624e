"""An agent for health data: after a whole call nothing that was said is anywhere.

The same call of another agent shows that each of these places would have it."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from aybiza.actors import names
from aybiza.actors.memory.journals import PRIVATE_SECONDS, append, journals, keep_private
from aybiza.actors.memory.memory_actor import Forget
from aybiza.actors.memory.store import Wanted
from aybiza.config import logs
from aybiza.config.said import error_text, shape
from aybiza.console.cli import app
from aybiza.console.control import control
from aybiza.dialogue.journal import AgentSentence, CallerTurn, encode
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.phone import Party
from aybiza.faults.caller import breaks_off, hangs_up, presses, says, stays
from aybiza.faults.desk import agent as world_agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world
from aybiza.gateway.console.hub import Hub, Viewer
from tests.call import kit
from tests.call.steps import hang_up, text

WORD = "zebrafish"
NUMBER = "+14155550147"
SAID = f"I have the {WORD} disease."
QUESTION = f"What helps against {WORD}?"


class Records(ToolRegistry):
    """A system that is told what was said, answers with it, and breaks over it."""

    def __init__(self) -> None:
        what = {"type": "object", "properties": {"what": {"type": "string"}}}
        super().__init__(
            [
                Tool("look_up", "Looks up.", self._look_up, what),
                Tool("break_down", "Breaks.", self._break_down, what),
            ]
        )

    async def _look_up(self, given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        return {"found": f"{given['what']} is rare"}

    async def _break_down(self, given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        raise RuntimeError(f"no such illness: {given['what']}")


ANSWERS: dict[str, list[Reply | str]] = {
    SAID: [
        use("look_up", {"what": WORD}, f"I look for {WORD}."),
        use("break_down", {"what": WORD}, f"Then for {WORD} again."),
        f"All about {WORD}, and what it does to people who have it for years.",
    ]
}


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """All that is logged, at the level that tells most."""
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    logs.start("debug", "json", descriptor)
    yield path
    logs.stop()
    structlog.reset_defaults()
    os.close(descriptor)


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector of traces, and what it was sent."""
    sent: list[bytes] = []

    class Door(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", sent
        server.shutdown()
        thread.join()


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def told_to_operators(place: kit.World, hub: Hub, call_id: str) -> str:
    answers: list[Any] = [await control(place.vm, {"op": op}) for op in ("calls", "tree")]
    with contextlib.suppress(ValueError):  # the call is over
        transcript = {"op": "transcript", "call": call_id, "after": 0}
        answers.append(await control(place.vm, transcript))
    for pid in place.vm.processes():
        with contextlib.suppress(ValueError):  # it has ended meanwhile
            answers.append(await control(place.vm, {"op": "observe", "process": str(pid)}))
    viewer = hub.enter(call_id)
    await hub.tick()
    frames = await viewer.next()
    hub.leave(viewer)
    return json.dumps(answers, default=repr) + (frames or "")


PAGES = ("/metrics", "/readyz", "/healthz")


async def pages(place: kit.World) -> str:
    """What the node's own pages say, labels of metrics among it."""
    async with httpx.AsyncClient(base_url=place.node.http_url) as client:
        told = [await client.get(path) for path in PAGES]
    assert {answer.status_code for answer in told} <= {200, 503}
    return "\n".join(answer.text for answer in told)


async def watched(hub: Hub, viewer: Viewer, stream: list[str]) -> None:
    """All that the console's stream tells of a call that somebody looks at."""
    while True:
        await hub.tick()
        while viewer._frames:
            stream.append(await viewer.next() or "")
        await asyncio.sleep(0.1)


async def call_of(
    tmp_path: Path, log: Path, collector: tuple[str, list[bytes]], agent: Any
) -> dict[str, str]:
    """What each place holds after a call on which everything was on."""
    url, sent = collector
    variables: dict[str, Any] = {
        "AYBIZA_LOG_TRANSCRIPTS": "true",
        "EDGE_CACHE_ENABLED": "true",
        "AYBIZA_EVENTS_FILE": str(tmp_path / "events.jsonl"),
        "AYBIZA_KEEP_PHRASES": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
    }
    desk: Any = Records()
    async with kit.world(
        tmp_path, answers=ANSWERS, agent=agent, desk=desk, voice_speed=3, **variables
    ) as place:
        steps = (
            text(QUESTION, quiet_ms=300),
            text(SAID, after=f"said. .*{WORD}", quiet_ms=300),
            hang_up("for years", quiet_ms=300),
        )

        async def members() -> list[dict[str, Any]]:
            return []

        hub = Hub(place.vm, members)
        stream: list[str] = []
        async with place.call(*steps, from_number=NUMBER) as call:
            await call.until(lambda: call.is_speaking(0, 1))
            watching = asyncio.create_task(watched(hub, hub.enter(call.call_id), stream))
            trace = {"op": "trace", "on": True}
            for part in ("call", "transcriber", "speaker"):
                pid = place.vm.whereis(getattr(names, part)(call.call_id))
                await control(place.vm, {**trace, "process": str(pid)})
            await call.until(lambda: call.is_speaking(2, 1))
            operators = await told_to_operators(place, hub, call.call_id)
            shown_pages = await pages(place)
            for part in ("call", "speaker", "transcriber"):
                place.crash(getattr(names, part)(call.call_id))
                await asyncio.sleep(0)
            await call.over()
        assert call.report.heard_text.count(WORD) >= 4
        await asyncio.sleep(0.3)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        operators += await told_to_operators(place, hub, call.call_id)
        shown_pages += await pages(place)
        cache = repr(place.node._answers and place.node._answers.cache._kept)
        asked = json.dumps([record.body for record in place.requests(call.call_id)])
        listened = json.dumps(place.deepgram.journal.entries("connected"))
    logs.stop()
    environment = {"AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3")}
    shown = [
        CliRunner().invoke(app, ["calls", *words], env=environment)
        for words in (["show", call.call_id], ["list", "--numbers"], ["export", "--numbers"])
    ]
    assert {result.exit_code for result in shown} == {0}
    return {
        **{name: kept.decode(errors="replace") for name, kept in files(tmp_path).items()},
        "operators": operators,
        "stream": "".join(stream),
        "pages": shown_pages,
        "log": files(tmp_path)["log"].decode(),
        "traces": b"".join(sent).decode(),
        "console": "".join(result.output for result in shown),
        "cache": cache,
        "cached history": str("cachePoint" in asked.rpartition('"messages"')[2]),
        "listened": listened,
    }


def holding(places: dict[str, str]) -> set[str]:
    return {name for name, held in places.items() if WORD in held or NUMBER[2:] in held}


@pytest.mark.real_time
async def test_another_agents_call_is_in_the_places_that_are_looked_at(
    tmp_path: Path, log: Path, collector: tuple[str, list[bytes]]
) -> None:
    places = await call_of(tmp_path, log, collector, kit.AGENT)
    assert holding(places) >= {"memory.sqlite3", "operators", "stream", "log", "console", "cache"}
    assert "mip_opt_out" not in places["listened"]
    assert places["traces"] and places["events.jsonl"] and places["records.sqlite3"]


@pytest.mark.real_time
async def test_nothing_said_to_an_agent_for_health_data_is_anywhere_after_the_call(
    tmp_path: Path, log: Path, collector: tuple[str, list[bytes]]
) -> None:
    places = await call_of(tmp_path, log, collector, kit.agent(health_data=True))
    assert holding(places) == set()
    assert places["stream"] and "aybiza_turns_total" in places["pages"]
    assert "process_crashed" in places["log"] and '"trace"' in places["log"]
    assert places["traces"] and places["events.jsonl"] and places["records.sqlite3"]
    assert "what was said is kept nowhere" in places["console"]
    assert "hangup" in places["console"]


def repeating(body: Body) -> Reply:
    said = [text_of(m) for m in body["messages"] if m["role"] == "user"]
    return say(f"You said: {' '.join(said)}")


AGENT = world_agent(health_data=True)


def in_memory(world: World) -> str:
    kept = [world.store.read(record.call_id) for record in world.store.find(Wanted(), 10)]
    return repr((kept, world.store.find(Wanted(), 10)))


def test_who_comes_back_to_the_node_goes_on_with_all_that_was_said() -> None:
    async def talk(world: World) -> tuple[PlacedCall, str]:
        steps = (says(f"{WORD} one."), breaks_off(), says("Two."), hangs_up())
        async with world.call(*steps, from_number=NUMBER) as call:
            await call.over()
        return call, in_memory(world)

    call, kept = in_world(talk, agent=AGENT, responder=repeating)
    assert len(call.report.streams) == 2
    assert f"You said: {WORD} one. Two." in call.heard
    assert WORD not in kept and NUMBER not in kept and "withheld" in kept


def test_words_are_let_go_when_the_call_is_over_and_of_a_broken_one_after_a_time() -> None:
    async def talk(world: World) -> list[bool]:
        async with world.call(says(f"{WORD}."), hangs_up()) as call:
            await call.over()
        await asyncio.sleep(1)
        held = ["CA1" in journals(world.vm)]
        keep_private(world.vm, "CA2")
        append(world.vm, "CA2", 1, 1, [encode(CallerTurn(1, WORD))])
        world.vm.cast(names.MEMORY, Forget("CA2"))
        await asyncio.sleep(5)
        held.append("CA2" in journals(world.vm))
        await asyncio.sleep(PRIVATE_SECONDS + 60)
        return [*held, "CA2" in journals(world.vm)]

    assert in_world(talk, agent=AGENT, responder=repeating) == [False, True, False]


def test_a_call_goes_on_at_another_node_with_its_words_and_no_store_has_them() -> None:
    async def talk(world: World) -> tuple[PlacedCall, str]:
        async with world.call(says(f"{WORD} one."), says("Two."), hangs_up()) as call:
            await call.until(lambda: call.has_heard(1, 1))
            (stream,) = filter(None, (vm.whereis(names.stream("CA1")) for vm in world.vms))
            world.vm.send(stream, "leave")
            await call.over()
        return call, in_memory(world)

    call, kept = in_world(talk, agent=AGENT, responder=repeating, nodes=2)
    assert f"You said: {WORD} one. Two." in call.heard
    assert WORD not in kept


def test_a_caller_whose_node_is_lost_is_greeted_again_and_nothing_else_was_kept() -> None:
    async def talk(world: World) -> tuple[PlacedCall, str]:
        steps = (says(f"{WORD} one."), says("Two.", quiet_ms=3_000), hangs_up())
        async with world.call(*steps) as call:
            await call.until(lambda: call.has_heard(1, 1))
            next(n for n in world.nodes if n.vm.whereis(names.stream("CA1"))).lose()
            await call.over()
        return call, in_memory(world)

    call, kept = in_world(talk, agent=AGENT, responder=repeating, nodes=2)
    assert call.heard.count("Welcome to the front desk") == 2
    assert call.heard.rstrip().endswith("You said: Two.")
    assert WORD not in kept


def test_a_caller_who_was_not_put_through_goes_on_with_the_agent() -> None:
    def transferring(body: Body) -> Reply:
        if "toolResult" in str(body["messages"][-1]["content"]):
            return say("One moment.")
        said = text_of(body["messages"][-1])
        if "person" in said:
            return use("transfer", {"what": "desk"}, "I put you through.")
        return repeating(body)

    async def talk(world: World) -> tuple[PlacedCall, str]:
        steps = (
            says(f"A person for {WORD}, please."),
            says("Never mind.", when="busy"),
            hangs_up(),
        )
        async with world.call(*steps) as call:
            await call.over()
        return call, in_memory(world)

    agent = world_agent(health_data=True, transfer_numbers={"desk": "+14155550200"})
    parties = {"+14155550200": Party("busy")}
    call, kept = in_world(talk, agent=agent, responder=transferring, parties=parties)
    assert agent.transfer_busy in call.heard
    assert f"{WORD}, please. Never mind." in call.heard
    assert WORD not in kept


def test_what_is_said_is_not_told_to_bedrocks_cache_or_for_deepgrams_training() -> None:
    async def talk(world: World) -> PlacedCall:
        async with world.call(says(f"{WORD}. " * 40), says("Two."), stays()) as call:
            await call.until(lambda: call.has(CallerTurn(2, "Two.")))
            await call.until(lambda: call.has_heard(2, 1))
        opened = {(door, query) for door, query in queries(world)}
        assert {door for door, _ in opened} == {"listen", "speak"}
        assert all("mip_opt_out=true" in query for _, query in opened)
        return call

    long = "You answer. " * 2_000
    call = in_world(talk, agent=world_agent(health_data=True, system_prompt=long))
    for record in call.requests():
        assert "cachePoint" in json.dumps(record.body["system"] if record.body else "")
        assert "cachePoint" not in json.dumps(record.body["messages"] if record.body else "")


def queries(world: World) -> list[tuple[str, str]]:
    return [(door, end.request.path) for door, _, end in world.deepgram.ends if end.request]


def test_the_journal_of_the_process_has_what_the_next_answer_needs() -> None:
    async def talk(world: World) -> PlacedCall:
        async with world.call(says(f"{WORD}."), hangs_up()) as call:
            await call.over()
        return call

    call = in_world(talk, agent=AGENT, responder=repeating)
    assert call.has(CallerTurn(1, f"{WORD}."), AgentSentence(1, 1, f"You said: {WORD}."))


def test_no_crash_report_of_any_process_would_tell_what_was_said_or_entered() -> None:
    keys = "73916455"
    told: list[str] = []
    seen: set[str] = set()

    def respond(body: Body) -> Reply:
        last = str(body["messages"][-1]["content"])
        if "toolResult" in last:
            return say(f"All about {WORD}, and what it does to people who have it.")
        return use("look_up", {"what": WORD}) if WORD in last else say(f"Not {WORD}, then.")

    def fails(said: str) -> None:
        raise RuntimeError(f"nothing fits {said} and {keys}")

    def look(world: World) -> None:
        """As a crash of each would be reported now."""
        for process in filter(None, map(world.vm.find, world.vm.processes())):
            seen.add(process.label)
            told.extend((shape(process), shape(getattr(process.server, "__dict__", None))))
            try:
                fails(SAID)
            except RuntimeError as error:
                told.append(error_text(error, process.server, keys))

    async def talk(world: World) -> None:
        steps = (says(SAID), presses(keys), hangs_up())
        async with world.call(*steps, from_number=NUMBER) as call:
            await call.until(lambda: call.is_speaking(1, 1))
            look(world)
            await call.until(lambda: world.lines["CA1"].entered == keys)
            look(world)
            await call.until(lambda: call.is_speaking(2, 1))
            look(world)

    own = world_agent(health_data=True, keys_masked=True, keys_most=8, tools=())
    in_world(talk, agent=own, toolbox=Records(), responder=respond)
    assert {"CallActor", "SpeakerActor", "TranscriberActor", "MediaStream", "AnswerActor"} <= seen
    assert not [text for text in told for word in (WORD, keys, NUMBER[2:]) if word in text]
