"""The telephone in memory: webhooks without HTTP."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from aybiza.emulators.phone.audio import payload_of
from aybiza.emulators.phone.phone import Phone
from aybiza.faults.caller import hangs_up, script_of, stays
from aybiza.faults.pipe import End
from aybiza.faults.telephone import HTTP_URL, Telephone, post
from aybiza.faults.virtual import ambient
from aybiza.faults.world import World, in_world


async def echo(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": body + scope["query_string"]})


def test_a_form_goes_to_the_application_and_its_answer_comes_back() -> None:
    with ambient() as loop:
        answer = loop.run_until_complete(post(echo, f"{HTTP_URL}/incoming?again=1", {"A": "b c"}))
    assert answer == (201, "A=b+cagain=1")


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [(500, b"", "answered with status 500"), (200, b"<Response/>", "had come to its end")],
)
def test_a_webhook_without_a_stream_ends_the_call_with_its_reason(
    status: int, body: bytes, failure: str
) -> None:
    async def answering(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def main() -> str:
        phone = Telephone(script_of([hangs_up()]), answering, lambda end: None)
        assert isinstance(phone, Phone)
        async with phone:
            return (await phone.run()).failure

    with ambient() as loop:
        assert failure in loop.run_until_complete(main())


@dataclass
class Agent:
    """The node's end of a stream: notes when what came, and plays what it is told to."""

    plays: dict[float, list[str]]
    came: list[tuple[float, str]] = field(default_factory=list)

    def accept(self, end: End) -> None:
        loop = asyncio.get_running_loop()
        self.zero = loop.time()
        self.tasks = [loop.create_task(self._read(end))]
        for at, messages in self.plays.items():
            self.tasks.append(loop.create_task(self._play(end, at, messages)))

    async def _read(self, end: End) -> None:
        loop = asyncio.get_running_loop()
        async for message in end:
            told = json.loads(message)
            if told["event"] == "start":
                self.stream = told["streamSid"]
            what = told.get("mark", {}).get("name") or told.get("event")
            self.came.append((round(loop.time() - self.zero, 3), what))

    async def _play(self, end: End, at: float, messages: list[str]) -> None:
        await asyncio.sleep(at)
        for message in messages:
            await end.send(message.replace("STREAM", self.stream))


def audio(ms: int) -> str:
    payload = payload_of(bytes([0x10]) * 8 * ms)
    return json.dumps({"event": "media", "streamSid": "STREAM", "media": {"payload": payload}})


def mark(name: str) -> str:
    return json.dumps({"event": "mark", "streamSid": "STREAM", "mark": {"name": name}})


async def connecting(scope: dict[str, Any], receive: Any, send: Any) -> None:
    body = b'<Response><Connect><Stream url="ws://node.world/media"/></Connect></Response>'
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def test_silence_travels_by_the_half_second_and_nothing_comes_late_for_it() -> None:
    """A mark returns in the frame in which it is due, as if each frame travelled alone."""

    def came(frames: int) -> list[tuple[float, str]]:
        agent = Agent({2.13: [audio(330), mark("one"), mark("two"), audio(90), mark("three")]})
        script = script_of([stays()], limit_s=9.0)

        async def main() -> None:
            phone = Telephone(script, connecting, agent.accept, frames=frames)
            async with phone:
                await phone.run()
            for task in agent.tasks:
                task.cancel()

        with ambient() as loop:
            loop.run_until_complete(main())
        return agent.came

    alone, together = came(1), came(5)
    marks = [(2.46, "one"), (2.46, "two"), (2.56, "three")]
    for each in (alone, together):
        assert [one for one in each if one[1] in ("one", "two", "three")] == marks
    assert sum(what == "media" for _, what in alone) == 452
    assert 20 < sum(what == "media" for _, what in together) < 40


def test_a_caller_who_stays_away_does_not_come_back_when_the_line_breaks() -> None:
    async def talk(world: World) -> int:
        async with world.call(stays()) as call:
            await call.until(lambda: call.phone.line is not None)
            call.phone.stay_away()
            assert call.phone.line is not None
            call.phone.line.transport.abort()
            await call.over()
        return len(call.report.streams)

    assert in_world(talk) == 1
