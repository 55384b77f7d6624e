"""The caller that costs little asks, plays and stamps as a telephone would."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from aybiza.benchmarks.load_caller import QUESTION, Caller, words
from aybiza.emulators.textaudio import TextAudioDecoder
from tests.slowness import slowness

Agent = Callable[["Line"], Coroutine[Any, Any, None]]


class Line:
    """The server's end of a call: what was heard, and marks that came back."""

    def __init__(self, socket: ServerConnection, stream: str) -> None:
        self.socket = socket
        self.stream = stream
        self.start: dict[str, Any] = {}
        self.text = ""
        self.marks: asyncio.Queue[str] = asyncio.Queue()
        self.asked = asyncio.Event()

    async def send(self, event: str, **body: Any) -> None:
        told = {"event": event, "streamSid": self.stream} | ({event: body} if body else {})
        await self.socket.send(json.dumps(told))

    async def say(self, milliseconds: int) -> None:
        payload = base64.b64encode(b"\x20" * 8 * milliseconds).decode()
        await self.send("media", payload=payload)


@asynccontextmanager
async def server(agent: Agent) -> AsyncIterator[tuple[str, list[Line]]]:
    lines: list[Line] = []

    async def handle(socket: ServerConnection) -> None:
        assert json.loads(await socket.recv())["event"] == "connected"
        start = json.loads(await socket.recv())
        line = Line(socket, start["streamSid"])
        line.start = start["start"]
        lines.append(line)
        decoder = TextAudioDecoder()
        talking = asyncio.create_task(agent(line))
        async for text in socket:
            message = json.loads(text)
            if message["event"] == "media":
                line.text += decoder.feed(base64.b64decode(message["media"]["payload"]))
                if line.text.endswith("please."):
                    line.asked.set()
            elif message["event"] == "mark":
                line.marks.put_nowait(message["mark"]["name"])
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)

    async with serve(handle, "127.0.0.1", 0) as serving:
        port = serving.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}", lines


async def test_it_asks_with_a_word_of_its_own_and_stamps_the_first_audio() -> None:
    async def agent(line: Line) -> None:
        await line.asked.wait()
        await line.say(20)

    async with server(agent) as (url, lines):
        caller = Caller(3, period=60.0, greeting=0.0)
        await caller.call(url, 1.0)
    assert caller.failure == ""
    [turn] = caller.turns
    assert turn.word == words(3 * 256)
    assert lines[0].text == QUESTION.format(turn.word)
    assert turn.first_audio_at is not None and turn.first_audio_at >= turn.said_at - 0.02
    assert turn.gaps == 0


async def test_audio_that_comes_too_late_is_a_gap_and_audio_in_advance_is_none() -> None:
    async def agent(line: Line) -> None:
        await line.asked.wait()
        await line.say(200)
        await line.say(20)
        await asyncio.sleep(0.4)
        await line.say(20)

    async with server(agent) as (url, _):
        caller = Caller(0, period=60.0, greeting=0.0)
        await caller.call(url, 1.5)
    assert [turn.gaps for turn in caller.turns] == [1]


async def test_a_mark_comes_back_when_what_is_before_it_was_played_and_at_once_after_a_clear() -> (
    None
):
    took: list[float] = []

    async def agent(line: Line) -> None:
        loop = asyncio.get_running_loop()
        for milliseconds, clear in ((300, False), (5_000, True)):
            began = loop.time()
            await line.say(milliseconds)
            if clear:
                await line.send("clear")
            await line.send("mark", name="end")
            assert await line.marks.get() == "end"
            took.append(loop.time() - began)

    async with server(agent) as (url, _):
        await Caller(0, period=60.0, greeting=0.0).call(url, 2.0)
    assert took[0] >= 0.3
    assert took[1] < 1.5 * slowness()


async def test_a_server_that_is_not_there_is_told_of() -> None:
    caller = Caller(0, period=1.0)
    await caller.call("ws://127.0.0.1:1", 1.0)
    assert "refused" in caller.failure or "Connect call failed" in caller.failure
    assert caller.turns == []


def test_no_two_questions_share_a_word() -> None:
    assert len({words(number) for number in range(4_900)}) == 4_900


async def test_what_comes_before_the_end_of_a_question_is_no_answer_to_it() -> None:
    async def agent(line: Line) -> None:
        while "about" not in line.text:
            await line.say(20)
            await asyncio.sleep(0.05)
        await line.asked.wait()
        await asyncio.sleep(0.4)
        await line.say(20)

    async with server(agent) as (url, _):
        caller = Caller(1, period=60.0, greeting=0.0)
        await caller.call(url, seconds=3.0)
    (turn,) = caller.turns
    assert turn.first_audio_at is not None
    assert turn.first_audio_at - turn.said_at > 0.2
