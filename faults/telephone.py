"""The telephone in memory: the emulator's carrier and caller, without sockets.

A `Telephone` is a `Phone` whose webhook requests go straight to the node's HTTP application and
whose media websocket is a pipe. `frames` of 20 ms travel together, and if that is more than one,
up to `IDLE_FRAMES` of silence in which nothing is due, so that long calls cost little.
"""

from __future__ import annotations

import asyncio
import binascii
import functools
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

from aybiza.emulators.phone.audio import FRAME_MS, SILENCE, payload_of
from aybiza.emulators.phone.caller import SILENT_PAYLOAD
from aybiza.emulators.phone.messages import new_sid
from aybiza.emulators.phone.phone import Ending, Phone
from aybiza.emulators.phone.report import Stream
from aybiza.emulators.phone.script import Script
from aybiza.emulators.phone.webhook import ConnectStream, Verb, WebhookError, read_twiml
from aybiza.faults.pipe import End, pipe

Application = Callable[..., Awaitable[None]]
Accept = Callable[[End], None]

HOST: Final = "node.world"
HTTP_URL: Final = f"http://{HOST}"
REDIRECT_SECONDS: Final = 0.3
"""From the end of a stream to the webhook that it leads to."""
CARRIER_VOICE: Final = 15.0
"""Characters a second of what the carrier itself says."""
IDLE_FRAMES: Final = 25
"""Half a second of silence is one message."""
TRAIL_MS: Final = 1500.0
"""Behind the caller's words silence goes out as words do: the recogniser looks for their end."""
_OK = 200


class Telephone(Phone):
    """See the module. `application` is the node's HTTP door, `accept` its media door."""

    def __init__(
        self,
        script: Script,
        application: Application,
        accept: Accept,
        *,
        frames: int = 1,
        query: str = "",
        **more: Any,
    ) -> None:
        url = f"{HTTP_URL}/incoming" + (f"?{query}" if query else "")
        super().__init__(None, script, http=url, voice=CARRIER_VOICE, **more)
        self._application = application
        self._accept = accept
        self._frames = frames
        self.documents: list[str] = []
        """The TwiML that the node has answered."""
        self.mute_until = self.markless_until = 0.0
        self._sent = 0
        self._last = 0
        self._idle = False
        self._sounded_ms = 0.0
        self._alarm: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def _ask(self, url: str, status: str, patience_s: float = 0.0) -> Sequence[Verb]:
        if status == "in-progress":
            await asyncio.sleep(REDIRECT_SECONDS)
        answered, body = await post(self._application, url, self._fields(status))
        if answered != _OK:
            raise WebhookError(f"{url} answered with status {answered}: {body[:200]}")
        self.documents.append(body)
        return read_twiml(body, url)

    @property
    def zero(self) -> float | None:
        """When the first stream opened, in seconds of the loop; call times count from there."""
        return self._zero

    @property
    def line(self) -> End | None:
        """The carrier's end of the stream that is open."""
        return cast(End, self._line[0]) if self._line is not None else None

    def stay_away(self) -> None:
        """When its stream ends, the caller is gone and does not come back by the webhook."""
        self._over = True

    async def _send(self, message: str) -> None:
        now = asyncio.get_running_loop().time()
        mark = now < self.markless_until and message.startswith('{"event":"mark"')
        if now < self.mute_until or mark:
            return
        line = self.line
        if line is None or not line.takes(message):
            await super()._send(message)

    async def _stream(self, verb: ConnectStream, tasks: asyncio.TaskGroup) -> Ending:
        stream = Stream(new_sid("MZ"), verb.url, self._now_ms())
        self.report.streams.append(stream)
        client, server = pipe(urlsplit(verb.url).path, {"host": urlsplit(verb.url).netloc})
        self._accept(server)
        try:
            await self._talk(client, stream, verb.parameters, tasks)  # type: ignore[arg-type]
        finally:
            await client.close()
        reason = f" ({stream.close_reason})" if stream.close_reason else ""
        return Ending(
            f"the agent closed the stream with code {stream.close_code}{reason}",
            clean=stream.close_code == 1000,
        )

    async def _pace(self, carrier: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        while self._caller.outcome is None:
            self._alarm = loop.create_future()
            self._plan()
            try:
                # Bounded by the timer of the plan.
                await self._alarm
            finally:
                self._unplan()
            if self._over:
                return
            await self._send_frames(self._last)
        self._over = True
        if self._line is not None:
            self._caller.tell(self._now_ms(), "line", "the caller hangs up")
            await self._line[0].close()
        carrier.cancel()

    def _taken(self) -> None:
        if self._idle and self._alarm is not None:
            self._unplan()
            self._plan()

    def _plan(self) -> None:
        """Set the alarm for the end of the next frames that travel together."""
        loop = asyncio.get_running_loop()
        zero = loop.time() if self._zero is None else self._zero
        now_ms = (loop.time() - zero) * 1000
        self._last = self._sent + self._frames
        quiet = now_ms - self._sounded_ms >= TRAIL_MS and self._line is not None
        self._idle = quiet and self._frames > 1
        if self._idle:
            due = max(now_ms, self._caller.idle_until_ms(now_ms))
            most = self._sent + max(IDLE_FRAMES, self._frames)
            self._last = min(max(self._last, math.ceil(due / FRAME_MS) + 1), most)
        self._timer = loop.call_at(zero + (self._last - 1) * FRAME_MS / 1000, self._ring)

    def _unplan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        alarm, self._alarm = self._alarm, None
        if alarm is not None and not alarm.done():
            alarm.set_result(None)

    async def _send_frames(self, last: int) -> None:
        """Go on by the frames up to `last`; their audio travels together."""
        first, self._sent = self._sent, last
        if self._line is None:
            return
        writer = self._line[1]
        audio: list[str] = []
        if self._idle and last - first > self._frames:
            silent = last - first - 1
            self._caller.pass_over(silent)
            audio.append(_silence(silent))
            self.report.frames_sent += silent - 1
            first += silent
        for frame in range(first, last):
            tick = self._caller.tick(frame * FRAME_MS)
            audio.append(tick.payload)
            if tick.payload is not SILENT_PAYLOAD or tick.key is not None:
                self._sounded_ms = frame * FRAME_MS
            for name in tick.marks:
                await self._send(writer.mark(name))
            if tick.key is not None:
                await self._send(writer.dtmf(tick.key))
            if tick.end is not None:
                break
        await self._send(writer.media(_joined(audio)))
        self.report.frames_sent += len(audio)
        if tick.end == "stop":
            await self._send(writer.stop())
        elif tick.end == "drop" and self._line is not None:
            self._line[0].transport.abort()


@functools.cache
def _silence(frames: int) -> str:
    return payload_of(SILENCE * frames)


def _joined(payloads: list[str]) -> str:
    if len(payloads) == 1:
        return payloads[0]
    if all(payload is SILENT_PAYLOAD for payload in payloads):
        return _silence(len(payloads))
    return payload_of(b"".join(map(binascii.a2b_base64, payloads)))


async def post(application: Application, url: str, fields: Mapping[str, str]) -> tuple[int, str]:
    """POST a form to an ASGI application; the status and the text of its answer."""
    parts = urlsplit(url)
    body = urlencode(fields).encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [
            (b"host", parts.netloc.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 5060),
        "server": (parts.hostname, 80),
    }
    sent: list[dict[str, Any]] = []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    status = next(m["status"] for m in sent if m["type"] == "http.response.start")
    text = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    return status, text.decode()
