"""The phone against a real websocket server and a real webhook on loopback.

Call time runs 20 times faster than real time, so that nobody waits.
"""

import asyncio
import base64
import json
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from aybiza.emulators import textaudio
from aybiza.emulators.phone import Phone, Report, Script
from aybiza.emulators.phone.audio import FRAME_BYTES, write_wav
from aybiza.emulators.phone.script import parse
from aybiza.emulators.phone.webhook import signature
from aybiza.gateway import twiml
from aybiza.gateway.carriers import twilio_codec
from aybiza.gateway.carriers.codec import Connected, Dtmf, Event, Mark, Media, Start, Stop
from aybiza.gateway.carriers.twilio_codec import TwilioStream

SPEED = 20.0
LIMIT_S = 60.0

Agent = Callable[["Line"], Awaitable[None]]


class Line:
    """The agent's end of one stream: what the gateway's codec makes of the phone's frames."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.stream = TwilioStream()
        self.events: list[Event] = []
        self.frames: list[str | bytes] = []
        self._text = textaudio.TextAudioDecoder()

    @property
    def start(self) -> Start:
        return next(event for event in self.events if isinstance(event, Start))

    async def next(self) -> Event:
        frame = await self.socket.recv()
        self.frames.append(frame)
        event = self.stream.receive(frame)
        self.events.append(event)
        return event

    async def until(self, kind: type[Event]) -> Event:
        while not isinstance(event := await self.next(), kind):
            pass
        return event

    async def say(self, text: str, mark: str = "") -> None:
        sid = self.start.stream_sid
        await self.socket.send(twilio_codec.media(sid, textaudio.encode(text)))
        if mark:
            await self.socket.send(twilio_codec.mark(sid, mark))

    async def hear(self) -> str:
        """The caller's next utterance, up to a frame of silence behind it."""
        text = ""
        while True:
            event = await self.next()
            if isinstance(event, Media):
                text += self._text.feed(event.payload)
                if text and not event.payload.strip(b"\xff"):
                    return text.strip()


@asynccontextmanager
async def agent_at(agent: Agent) -> AsyncIterator[tuple[str, list[Line]]]:
    """A media server that lets `agent` handle each stream; yields its address and the lines."""
    lines: list[Line] = []

    async def handle(socket: ServerConnection) -> None:
        lines.append(Line(socket))
        await agent(lines[-1])

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        yield f"ws://127.0.0.1:{port_of(server)}/media", lines


@asynccontextmanager
async def webhook_at(
    answer: Callable[[str, dict[str, str], dict[str, str]], tuple[int, str]],
) -> AsyncIterator[str]:
    """An HTTP server that answers each POST by (path, fields, headers) → (status, body)."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:-2])}
        body = (await reader.readexactly(int(headers["content-length"]))).decode()
        status, document = answer(head[0].split(" ")[1], dict(parse_qsl(body)), headers)
        data = document.encode()
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(data)}\r\n".encode())
        writer.write(b"connection: close\r\n\r\n" + data)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def port_of(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


def script(*steps: dict[str, Any], **more: Any) -> Script:
    """A script whose time limits are real seconds enough for a busy machine."""
    patient = [{"timeout_s": 150} | step for step in steps]
    return parse({"limit_s": 180, "steps": patient, **more}, Path("call.toml"), "text")


async def call(url: str | None, given: Script, **more: Any) -> Report:
    async with asyncio.timeout(LIMIT_S), Phone(url, given, speed=SPEED, **more) as phone:
        return await phone.run()


def messages(line: Line) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in line.frames]


async def friendly(line: Line) -> None:
    """Greets, answers what it hears with an echo, until the caller hangs up."""
    await line.until(Start)
    await line.say("How can I help?", mark="greeting")
    while True:
        await line.say(f"You said: {await line.hear()}", mark="echo")


async def silent(line: Line) -> None:
    """Listens until the caller hangs up."""
    await line.until(Start)
    while True:
        await line.hear()


TALK: Sequence[dict[str, Any]] = (
    {"text": "Book me in.", "expect": "help"},
    {"text": "Thank you.", "expect": "You said: Book me in"},
    {"hangup": True, "expect": "You said: Thank you"},
)


class TestACall:
    async def test_a_conversation_runs_to_its_end_and_is_reported(self) -> None:
        async with agent_at(friendly) as (url, _):
            report = await call(url, script(*TALK))
        assert report.ok, report.failure
        assert report.heard_text.split("\n") == [
            "How can I help?",
            "You said: Book me in.",
            "You said: Thank you.",
        ]
        assert [turn.said for turn in report.turns] == ["Book me in.", "Thank you."]
        assert all(time > 0 for time in report.response_times_ms)
        assert report.marks_set == report.marks_returned == 3

    async def test_messages_come_in_twilios_order_with_counters_as_strings(self) -> None:
        async with agent_at(friendly) as (url, lines):
            report = await call(url, script(*TALK, parameters={"a": "1"}), parameters={"b": "2"})
        sent = messages(lines[0])
        assert [type(event) for event in lines[0].events[:3]] == [Connected, Start, Media]
        assert isinstance(lines[0].events[-1], Stop)
        assert lines[0].start.custom_parameters == {"a": "1", "b": "2"}
        assert lines[0].start.call_sid == report.call_sid
        assert [m["sequenceNumber"] for m in sent[1:]] == [str(n) for n in range(1, len(sent))]
        chunks = [m["media"] for m in sent if m["event"] == "media"]
        assert [c["chunk"] for c in chunks] == [str(n) for n in range(1, len(chunks) + 1)]
        assert [c["timestamp"] for c in chunks[:3]] == ["0", "20", "40"]
        assert {len(base64.b64decode(c["payload"])) for c in chunks} == {FRAME_BYTES}

    async def test_keys_arrive_as_dtmf(self) -> None:
        async with agent_at(friendly) as (url, lines):
            given = script({"dtmf": "4*", "after_ms": 0}, {"hangup": True, "after_ms": 100})
            assert (await call(url, given)).ok
        keys = [event.digit for event in lines[0].events if isinstance(event, Dtmf)]
        assert keys == ["4", "*"]

    async def test_marks_come_back_in_order(self) -> None:
        async def agent(line: Line) -> None:
            await line.until(Start)
            for name in ("one", "two"):
                await line.say("Some words.", mark=name)
            assert [await line.until(Mark) for _ in range(2)] == [Mark("one"), Mark("two")]
            await line.socket.close()

        async with agent_at(agent) as (url, _):
            report = await call(url, script({"wait_close": True}))
        assert report.ok and report.streams[0].close_code == 1000

    async def test_a_barge_in_is_heard_as_cut_and_measured(self) -> None:
        async def agent(line: Line) -> None:
            await line.until(Start)
            await line.say("We are open from eight in the morning. " * 200, "long")
            while not isinstance(event := await line.next(), Media) or not event.payload.strip(
                b"\xff"
            ):
                pass
            await line.socket.send(twilio_codec.clear(line.start.stream_sid))
            assert await line.until(Mark) == Mark("long")
            await line.say("Yes?")
            await line.until(Stop)

        given = script({"text": "Wait.", "when_agent_speaking_ms": 60}, {"hangup": True})
        async with agent_at(agent) as (url, _):
            report = await call(url, given)
        assert report.ok, report.failure
        assert report.heard[0].cut and report.heard[-1].text == "Yes?"
        assert report.turns[0].barge_in and report.turns[0].clear_after_ms is not None

    async def test_a_hang_up_without_stop_only_closes(self) -> None:
        async with agent_at(friendly) as (url, lines):
            given = script({"hangup": "without_stop", "after_ms": 100})
            assert (await call(url, given)).ok
        assert not any(isinstance(event, Stop) for event in lines[0].events)

    async def test_the_call_is_recorded_in_stereo(self, tmp_path: Path) -> None:
        record = tmp_path / "call.wav"
        async with agent_at(friendly) as (url, _):
            report = await call(url, script(*TALK), record=record)
        with wave.open(str(record)) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 8000)
            pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        first_heard = np.flatnonzero(pcm[:, 1])[0] / 8
        assert first_heard == pytest.approx(report.heard[0].at_ms, abs=1)
        assert report.recording == str(record) and np.any(pcm[:, 0])

    async def test_recordings_are_sent_sample_by_sample(self, tmp_path: Path) -> None:
        write_wav(tmp_path / "hi.wav", [np.full(1600, 5000, np.int16)])
        given = parse(
            {"steps": [{"say": "hi.wav", "after_ms": 0}, {"hangup": True, "after_ms": 60}]},
            tmp_path / "call.toml",
        )
        async with agent_at(silent) as (url, lines):
            assert (await call(url, given)).ok
        sent = b"".join(e.payload for e in lines[0].events if isinstance(e, Media))
        utterance = given.steps[0].utterance
        assert utterance is not None
        assert sent.strip(b"\xff") == b"".join(utterance.frames).strip(b"\xff")

    async def test_many_phones_share_one_script(self) -> None:
        given = script(*TALK)
        async with agent_at(friendly) as (url, _):
            reports = await asyncio.gather(*(call(url, given) for _ in range(5)))
        assert all(report.ok for report in reports)
        assert len({report.call_sid for report in reports}) == 5


class TestTrouble:
    async def test_nobody_there_is_a_failed_call(self) -> None:
        async with agent_at(friendly) as (url, _):
            pass
        report = await call(url, script(*TALK))
        assert not report.ok and f"cannot connect to {url}" in report.failure

    async def test_an_agent_that_closes_early_is_told_with_its_code(self) -> None:
        async def agent(line: Line) -> None:
            await line.until(Media)
            await line.socket.close(1011, "out of order")

        async with agent_at(agent) as (url, _):
            report = await call(url, script(*TALK))
        assert not report.ok
        assert "step 1: not reached" in report.failure
        assert "1011 (out of order)" in report.failure

    async def test_an_agent_that_never_speaks_fails_the_step(self) -> None:
        async def agent(line: Line) -> None:
            await line.until(Stop)

        given = script({"text": "Hello?", "timeout_s": 2})
        async with agent_at(agent) as (url, _):
            report = await call(url, given)
        assert not report.ok and "the agent had not spoken" in report.failure

    async def test_what_twilio_would_not_take_fails_the_call_that_goes_on(self) -> None:
        async def agent(line: Line) -> None:
            await line.until(Start)
            await line.socket.send('{"event":"dance"}')
            await friendly_from_start(line)

        async with agent_at(agent) as (url, _):
            report = await call(url, script(*TALK))
        assert not report.ok and len(report.turns) == 2
        assert "'dance'" in report.failure

    async def test_cancelling_leaves_no_connection(self) -> None:
        gone = asyncio.Event()

        async def agent(line: Line) -> None:
            await line.until(Media)
            started.set()
            await line.socket.wait_closed()
            gone.set()

        started = asyncio.Event()
        async with agent_at(agent) as (url, _):
            task = asyncio.create_task(call(url, script({"wait_close": True})))
            await asyncio.wait_for(started.wait(), LIMIT_S)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(gone.wait(), LIMIT_S)

    async def test_leaving_the_phone_breaks_the_call_off(self) -> None:
        async def agent(line: Line) -> None:
            await line.until(Media)
            started.set()
            await line.socket.wait_closed()

        started = asyncio.Event()
        async with agent_at(agent) as (url, _), asyncio.timeout(LIMIT_S):
            async with Phone(url, script({"wait_close": True, "expect": "Bye"})) as phone:
                running = asyncio.create_task(phone.run())
                await started.wait()
            report = await running
        assert not report.ok and report.failure == "the call was broken off"
        assert report.streams[0].close_code == 1006


async def friendly_from_start(line: Line) -> None:
    await line.say("How can I help?")
    while True:
        await line.say(f"You said: {await line.hear()}")


class TestWebhook:
    async def test_the_call_goes_where_the_twiml_says(self) -> None:
        posts = []

        def answer(path: str, fields: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
            posts.append((path, fields, headers))
            return 200, twiml.connect_stream(url, {"token": "t1"}, "/incoming")

        async with agent_at(friendly) as (url, lines), webhook_at(answer) as http:
            report = await call(
                None, script(*TALK), http=http, auth_token="s3cret", from_number="+15551"
            )
        assert report.ok, report.failure
        path, fields, headers = posts[0]
        assert path == "/incoming"
        assert (fields["CallSid"], fields["From"]) == (report.call_sid, "+15551")
        assert fields["CallStatus"] == "ringing"
        expected = signature("s3cret", f"{http}/incoming", fields)
        assert headers["x-twilio-signature"] == expected
        assert lines[0].start.custom_parameters == {"token": "t1"}
        request = lines[0].socket.request
        assert request is not None
        assert request.headers["x-twilio-signature"] == signature("s3cret", url)

    async def test_a_broken_stream_is_redirected_with_the_same_call_and_a_new_stream(
        self,
    ) -> None:
        async def agent(line: Line) -> None:
            await line.until(Start)
            if len(lines) == 1:
                await line.say("How can I help?", mark="hello")
                await line.until(Mark)
                line.socket.transport.abort()
                return
            await line.say("Sorry, we were cut off.")
            await line.say(f"You said: {await line.hear()}")
            await line.until(Stop)

        posts = []

        def answer(path: str, fields: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
            posts.append((path, fields["CallSid"], fields["CallStatus"]))
            return 200, twiml.connect_stream(url, {}, f"/again?n={len(posts)}")

        given = script(
            {"text": "Book me in.", "expect": "cut off"}, {"hangup": True, "expect": "Book me in"}
        )
        async with agent_at(agent) as (url, lines), webhook_at(answer) as http:
            report = await call(None, given, http=http)
        assert report.ok, report.failure
        assert [path for path, _, _ in posts] == ["/incoming", "/again?n=1"]
        assert {sid for _, sid, _ in posts} == {report.call_sid}
        assert posts[1][2] == "in-progress"
        assert [line.start.call_sid for line in lines] == [report.call_sid] * 2
        assert lines[0].start.stream_sid != lines[1].start.stream_sid
        assert [stream.close_code for stream in report.streams] == [1006, 1000]

    async def test_a_stream_that_the_phone_drops_is_taken_up_again(self) -> None:
        def answer(path: str, fields: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
            return 200, twiml.connect_stream(url, {}, "/incoming")

        given = script({"drop": True}, {"text": "Still there?", "expect": "help"}, {"hangup": True})
        async with agent_at(friendly) as (url, lines), webhook_at(answer) as http:
            report = await call(None, given, http=http)
        assert report.ok, report.failure
        assert len(lines) == 2

    async def test_an_agent_that_hangs_up_ends_the_call(self) -> None:
        async def agent(line: Line) -> None:
            await line.until(Start)
            await line.say("Goodbye.", mark="end")
            await line.until(Mark)
            await line.socket.close()

        def answer(path: str, fields: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
            if fields["CallStatus"] == "ringing":
                return 200, twiml.connect_stream(url, {}, "/incoming")
            return 200, "<Response><Hangup/></Response>"

        given = script({"wait_close": True, "expect": "Goodbye"})
        async with agent_at(agent) as (url, _), webhook_at(answer) as http:
            report = await call(None, given, http=http)
        assert report.ok, report.failure

    @pytest.mark.parametrize(
        ("status", "document", "complaint"),
        [
            (403, "bad signature", "status 403: bad signature"),
            (200, "hello", "not XML"),
            (200, twiml.reject("busy"), "rejected the call (busy)"),
            (200, twiml.say_hangup("We are full."), "the agent hung up"),
        ],
    )
    async def test_a_call_that_is_not_taken_fails_with_the_reason(
        self, status: int, document: str, complaint: str
    ) -> None:
        async with webhook_at(lambda *_: (status, document)) as http:
            report = await call(None, script(*TALK), http=http)
        assert not report.ok and complaint in report.failure

    async def test_no_webhook_there_is_a_failed_call(self) -> None:
        async with webhook_at(lambda *_: (200, "")) as http:
            pass
        report = await call(None, script(*TALK), http=http)
        assert not report.ok and f"cannot reach {http}/incoming" in report.failure


class TestArguments:
    @pytest.mark.parametrize("wrong", [{}, {"url": "ws://a", "speed": 0}])
    def test_senseless_ones_are_refused(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"needs a url|speed"):
            Phone(**wrong)
