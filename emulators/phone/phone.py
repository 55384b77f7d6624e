"""The telephone: places one scripted call, as Twilio would, and reports how it went.

Two tasks a call: the carrier goes through the TwiML and reads the media websocket; the pacer
wakes every 20 ms and sends what the caller wants sent. All decisions are the caller's
(`aybiza.emulators.phone.caller`), which knows no socket and no clock.

`speed` runs call time faster than real time (20 for tests); reported times are call time.

Source: Twilio, "Media Streams", "TwiML Voice".
"""

import asyncio
import random
import ssl
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import CloseCode

from aybiza.emulators.phone import webhook
from aybiza.emulators.phone.audio import write_wav
from aybiza.emulators.phone.caller import Caller, Tick
from aybiza.emulators.phone.faults import Fault, LineFaults
from aybiza.emulators.phone.flow import (
    IN_PROGRESS,
    Ending,
    Fetch,
    Flow,
    Order,
    Party,
    Wait,
)
from aybiza.emulators.phone.line import Pacer
from aybiza.emulators.phone.messages import CONNECTED, AgentError, StreamWriter, new_sid, read
from aybiza.emulators.phone.player import FINISHED, Failure, Player
from aybiza.emulators.phone.report import Heard, Progress, Report, Stream
from aybiza.emulators.phone.script import Mode, Script, load
from aybiza.emulators.phone.webhook import ConnectStream, Verb, WebhookError

__all__ = ["Ending", "Phone"]

OPEN_TIMEOUT_S: Final = 10.0
CLOSE_TIMEOUT_S: Final = 2.0
SEND_TIMEOUT_S: Final = 5.0
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
MAX_AGENT_ERRORS: Final = 20
ACCOUNT: Final = "AC" + "0123456789abcdef" * 2
"""The carrier's account that all these telephones call into, as those of one customer do."""
REDIRECT_PATIENCE_S: Final = 10.0
"""How long a caller is held while no node answers the webhook."""


class Phone:
    """One telephone for one call; `run` may be called once.

    url: the media websocket, `ws://…` or `wss://…`; connected to directly.
    script: a `Script`, or what `load` takes: a path, or the name of one that comes with it.
    http: base address of the voice webhook instead of `url`; the call then begins with
        `POST {http}/incoming` and does what the TwiML says, redirects included.
    mode: "audio" or "text" for a script that is yet to be read, see `load`.
    record: where to write a stereo WAV: left the caller, right the agent as heard.
    parameters: more customParameters (with `http` they come from the TwiML alone).
    auth_token: signs the webhook and the websocket handshake.
    tls: whose certificates are trusted, at https and wss addresses; None: those of the system.
    on_progress: called with each `Progress` as it happens; must not block.
    jitter_ms, burst, rng: an unsteady network, see `Pacer`.
    parties: who answers, or does not, at the numbers that are dialled.
    digits: what the caller presses at each `<Gather>`.
    voice: how many characters a second the carrier says; 0: its words take no time and are no
        sound, as calls that are measured want it.
    faults: what goes wrong on the line, see `aybiza.emulators.phone.faults`.
    player: decides what the caller does, in place of the script's steps.

    The answer of `run` is a `Report`; a call that fails is a report with `ok` false. Only
    `ScriptError` and, from a file that cannot be written, `OSError` are raised.
    """

    def __init__(
        self,
        url: str | None = None,
        script: Script | str | Path = "booking",
        *,
        http: str | None = None,
        mode: Mode | None = None,
        record: Path | None = None,
        parameters: Mapping[str, str] | None = None,
        auth_token: str | None = None,
        tls: ssl.SSLContext | None = None,
        from_number: str | None = None,
        country: str = "",
        to_number: str | None = None,
        call_sid: str | None = None,
        account_sid: str = ACCOUNT,
        on_progress: Callable[[Progress], None] | None = None,
        speed: float = 1.0,
        jitter_ms: float = 0.0,
        burst: int = 1,
        rng: random.Random | None = None,
        parties: Mapping[str, Party] | None = None,
        digits: Sequence[str] = (),
        voice: float = 0.0,
        faults: Sequence[Fault] = (),
        player: Player | None = None,
    ) -> None:
        if url is None and http is None:
            raise ValueError("a phone needs a url, the media websocket, or http, the webhook")
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self._url = url
        self._http = http
        self._given_script = script
        self._mode = mode
        self._record = record
        self._parameters = parameters or {}
        self._auth_token = auth_token
        self._tls = tls
        self._from_number = from_number
        self._country = {"FromCountry": country} if country else {}
        self._to_number = to_number
        self._on_progress = on_progress
        self._speed = speed
        self._pacer = Pacer(jitter_ms, burst, rng)
        self._flow = Flow(parties, tuple(digits), voice)
        self._faults = LineFaults(faults)
        self._told: Mapping[str, str] = {}
        self._player = player
        self._call_sid = call_sid or new_sid("CA")
        self._account_sid = account_sid
        self._zero: float | None = None
        self._over = False
        self._line: tuple[ClientConnection, StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        """Reads the script. Raises `ScriptError`."""
        if not isinstance(self._given_script, Script):
            self._given_script = await asyncio.to_thread(load, self._given_script, self._mode)
        self._script = self._given_script
        self.report = Report(self._script.name, self._call_sid)
        self._caller = Caller(
            self._script,
            self.report,
            self._on_progress,
            record=self._record is not None,
            player=self._player,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaving while the call is on breaks it off."""
        self._over = True
        if self._line is not None:
            self._line[0].transport.abort()

    async def run(self) -> Report:
        """Place the call, follow the script to its end, write the recording."""
        limit_s = self._script.limit_s / self._speed + REDIRECT_PATIENCE_S + OPEN_TIMEOUT_S
        try:
            async with asyncio.timeout(limit_s), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(tasks))
        except TimeoutError:
            self._caller.outcome = Failure(f"the call was not over after {limit_s:g} s")
        outcome = self._caller.outcome
        if isinstance(outcome, Failure):
            self.report.failure = outcome.reason
        elif outcome is None:
            self.report.failure = "the call was broken off"
        elif self.report.agent_errors:
            self.report.failure = self.report.agent_errors[0]
        self.report.ok = outcome is FINISHED and not self.report.agent_errors
        if self._record is not None:
            await asyncio.to_thread(write_wav, self._record, self._caller.tracks())
            self.report.recording = str(self._record)
        return self.report

    def _now_ms(self) -> float:
        if self._zero is None:
            return 0.0
        return (asyncio.get_running_loop().time() - self._zero) * 1000 * self._speed

    async def _carry(self, tasks: asyncio.TaskGroup) -> None:
        """Do what the call's way through the TwiML asks for, until the call is over."""
        order = self._first_order()
        while not isinstance(order, Ending) and not self._over:
            order = await self._carry_out(order, tasks)
            for event in self._flow.told:
                self._caller.tell(self._now_ms(), "twilio", event)
            self._flow.told.clear()
            self.report.dialled = list(self._flow.dialled)
        if self._over:
            return
        assert isinstance(order, Ending)
        self._over = True
        self.report.duration_ms = self._now_ms()
        self._caller.call_ended(order.how, order.clean)
        self._caller.tell(self._now_ms(), "line", f"the call is over: {order.how}")

    def _first_order(self) -> Order:
        if self._http is None:
            parameters = {**self._script.parameters, **self._parameters}
            return self._flow.connect(ConnectStream(self._url or "", parameters))
        bare = urlsplit(self._http).path in ("", "/")
        return self._flow.begin(urljoin(self._http, "/incoming") if bare else self._http)

    async def _carry_out(
        self, order: Fetch | Wait | ConnectStream, tasks: asyncio.TaskGroup
    ) -> Order:
        match order:
            case Fetch(url, status, fields):
                self._told = fields
                patience_s = REDIRECT_PATIENCE_S if status == IN_PROGRESS else 0.0
                try:
                    return self._flow.document(await self._ask(url, status, patience_s))
                except WebhookError as error:
                    return self._flow.failed(str(error))
            case Wait(seconds, words):
                if words:
                    at = self._now_ms()
                    self.report.heard.append(Heard(at, at + seconds * 1000, f"{words} "))
                await asyncio.sleep(seconds / self._speed)
                return self._flow.waited()
            case ConnectStream():
                return self._flow.stream_ended(await self._stream(order, tasks))

    def _fields(self, status: str) -> dict[str, str]:
        """The form of the next webhook request, with what the last verb has to tell."""
        return {
            "AccountSid": self._account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self._call_sid,
            "CallStatus": status,
            "Direction": "inbound",
            "From": self._from_number or self._script.from_number,
            "To": self._to_number or self._script.to_number,
            **self._country,
            **self._told,
        }

    async def _ask(self, url: str, status: str, patience_s: float = 0.0) -> Sequence[Verb]:
        fields = self._fields(status)
        answered, body = await webhook.post(url, fields, self._auth_token, patience_s, self._tls)
        if answered != HTTPStatus.OK:
            raise WebhookError(f"{url} answered with status {answered}: {body[:200]}")
        return webhook.read_twiml(body, url)

    async def _stream(self, verb: ConnectStream, tasks: asyncio.TaskGroup) -> Ending:
        """Connect one media stream until it ends; returns how it ended."""
        stream = Stream(new_sid("MZ"), verb.url, self._now_ms())
        self.report.streams.append(stream)
        headers = {}
        if self._auth_token:
            headers["x-twilio-signature"] = webhook.signature(self._auth_token, verb.url)
        try:
            async with connect(
                verb.url,
                additional_headers=headers,
                user_agent_header="Twilio.TmeWs/1.0",
                compression=None,
                proxy=None,
                ssl=self._tls if verb.url.startswith("wss:") else None,
                ping_interval=None,
                open_timeout=OPEN_TIMEOUT_S,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=MAX_MESSAGE_BYTES,
            ) as socket:
                await self._talk(socket, stream, verb.parameters, tasks)
        except (OSError, WebSocketException) as error:
            stream.error = f"cannot connect to {verb.url}: {error}"
            self._caller.tell(self._now_ms(), "line", stream.error)
            await asyncio.sleep(webhook.RETRY_S)
            return Ending(stream.error)
        reason = f" ({stream.close_reason})" if stream.close_reason else ""
        return Ending(
            f"the agent closed the stream with code {stream.close_code}{reason}",
            clean=stream.close_code == CloseCode.NORMAL_CLOSURE,
        )

    async def _talk(
        self,
        socket: ClientConnection,
        stream: Stream,
        parameters: Mapping[str, str],
        tasks: asyncio.TaskGroup,
    ) -> None:
        writer = StreamWriter(stream.stream_sid, self._call_sid, self._account_sid)
        try:
            await socket.send(CONNECTED)
            await socket.send(writer.start(parameters))
            self._line = socket, writer
            if self._zero is None:
                self._zero = asyncio.get_running_loop().time()
                carrier = asyncio.current_task()
                assert carrier is not None
                tasks.create_task(self._pace(carrier))
            stream.opened_ms = self._now_ms()
            self._caller.tell(stream.opened_ms, "line", f"stream {stream.stream_sid} is open")
            while True:
                frame = await socket.recv()
                try:
                    message = read(frame, stream.stream_sid)
                except AgentError as error:
                    self._note(str(error))
                    continue
                now_ms = self._now_ms()
                for name in self._faults.marks(now_ms, self._caller.receive(now_ms, message)):
                    await self._send(writer.mark(name))
                self._taken()
                deaf_s = self._faults.deaf_s(now_ms)
                if deaf_s:
                    await asyncio.sleep(deaf_s / self._speed)
        except ConnectionClosed:
            pass
        finally:
            self._line = None
            stream.closed_ms = self._now_ms()
            stream.close_code, stream.close_reason = socket.close_code, socket.close_reason or ""
            self._caller.stream_gone(stream.closed_ms)
            self._caller.tell(stream.closed_ms, "line", f"stream ended, code {stream.close_code}")

    def _taken(self) -> None:
        """A message of the agent has been taken; for those who pace otherwise."""

    async def _pace(self, carrier: asyncio.Task[None]) -> None:
        """Wake for every frame by the timetable, until the call is over from either side."""
        loop = asyncio.get_running_loop()
        zero = loop.time() if self._zero is None else self._zero
        while True:
            due = zero + self._pacer.next_ms() / 1000 / self._speed
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self._over:
                return
            tick = self._caller.tick(self._now_ms())
            await self._send_tick(tick)
            if self._caller.outcome is not None:
                break
        self._over = True
        if self._line is not None:
            self._caller.tell(self._now_ms(), "line", "the caller hangs up")
            await self._line[0].close()
        carrier.cancel()

    async def _send_tick(self, tick: Tick) -> None:
        if self._line is None:
            return
        socket, writer = self._line
        for name in self._faults.marks(self._now_ms(), tick.marks):
            await self._send(writer.mark(name))
        if tick.key is not None:
            await self._send(writer.dtmf(tick.key))
        await self._send(writer.media(tick.payload))
        self.report.frames_sent += 1
        if tick.end == "stop":
            await self._send(writer.stop())
        elif tick.end == "drop":
            socket.transport.abort()

    async def _send(self, message: str) -> None:
        """Send on the stream there is; an agent that does not read loses it."""
        if self._line is None:
            return
        socket = self._line[0]
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await socket.send(message)
        except ConnectionClosed:
            pass
        except TimeoutError:
            self._note(f"the agent read nothing for {SEND_TIMEOUT_S:g} s")
            socket.transport.abort()

    def _note(self, error: str) -> None:
        if len(self.report.agent_errors) < MAX_AGENT_ERRORS:
            self.report.agent_errors.append(error)
            self._caller.tell(self._now_ms(), "error", error)
