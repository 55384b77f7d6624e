"""What a frame of a caller's audio costs on its way to the recogniser, beside a bare loop.

    costs = measured(frames=2000)
    costs.own, costs.bare, costs.ratio

    python -m aybiza.benchmarks.frames

One frame is under way at a time, from a caller's socket to one of Deepgram's: media connection,
codec, line, transcriber and listen session as a node has them. `bare` is a loop of the same kind
that takes the bytes and sends them on. Costs are microseconds of the loop's thread, kernel
included, as the least of a few rounds: what else runs on the machine is not among them.

Errors: `OSError` where loopback sockets cannot be had; `TimeoutError` for a frame that gets lost.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, cast

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.utils import accept_key

from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.transcriber_actor import TranscriberActor
from aybiza.actors.runtime import VM
from aybiza.actors.runtime.loops import new_event_loop
from aybiza.config.agents import load_agent
from aybiza.emulators.phone.messages import CONNECTED, StreamWriter, new_sid
from aybiza.gateway.carriers.codec import Start
from aybiza.gateway.carriers.twilio_codec import TwilioCodec
from aybiza.gateway.quick_audio import divert
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.line import Line
from aybiza.speech.websocket import Together, frame_of

ROUNDS: Final = 5
LIMIT_SECONDS: Final = 20.0
FRAME: Final = base64.b64encode(b"\xff" * 160).decode()
# Head, mask and audio of a frame as it goes to Deepgram.
OUT_BYTES: Final = 4 + 4 + 160
_KEY: Final = re.compile(rb"Sec-WebSocket-Key: (\S+)", re.IGNORECASE)
_MICRO: Final = 1e6

Up = Callable[[int], None]
Serving = Callable[[int, Up], Awaitable[None]]
Measuring = Callable[[threading.Thread, int, socket.socket, int], float]


class Costs(NamedTuple):
    """Microseconds a frame."""

    own: float
    bare: float

    @property
    def ratio(self) -> float:
        """How many times the bare loop's."""
        return self.own / self.bare


class _Silent:
    """A carrier that is sent nothing."""

    def media(self, mulaw: bytes) -> None: ...

    def mark(self, name: str) -> None: ...

    def clear(self) -> None: ...


class _Connection(Together, ServerConnection):
    """As the media door has it."""


def measured(frames: int = 2000) -> Costs:
    """See the module; `frames` in each round."""
    return Costs(_cost(_node, _own, frames), _cost(_bare, _plain, frames))


def _cost(serving: Serving, measuring: Measuring, frames: int) -> float:
    with (
        socket.create_server(("127.0.0.1", 0)) as far,
        _thread(partial(serving, far.getsockname()[1])) as (thread, port),
    ):
        far.settimeout(LIMIT_SECONDS)
        return measuring(thread, port, far, frames)


def _own(thread: threading.Thread, port: int, far: socket.socket, frames: int) -> float:
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as caller:
        caller.sendall(
            b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        _read_head(caller)
        writer = StreamWriter(new_sid("MZ"), new_sid("CA"), new_sid("AC"))
        for message in (CONNECTED, writer.start({})):
            caller.sendall(frame_of(message, mask=True))
        listen, _ = far.accept()
        with listen:
            listen.settimeout(LIMIT_SECONDS)
            key = _KEY.search(_read_head(listen))
            assert key is not None
            listen.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
                + accept_key(key[1].decode()).encode()
                + b"\r\n\r\n"
            )
            # Something is said now and then, or the transcriber takes the socket for dead.
            said = frame_of('{"type":"UtteranceEnd","last_word_end":-1}', mask=False)

            def there() -> bytes:
                return frame_of(writer.media(FRAME), mask=True)

            def least() -> float:
                listen.sendall(said)
                return _round(thread, caller, listen, there, OUT_BYTES, frames // ROUNDS)

            return min(least() for _ in range(ROUNDS))


def _plain(thread: threading.Thread, port: int, far: socket.socket, frames: int) -> float:
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as caller:
        listen, _ = far.accept()
        with listen:
            listen.settimeout(LIMIT_SECONDS)
            writer = StreamWriter(new_sid("MZ"), new_sid("CA"), new_sid("AC"))
            frame = frame_of(writer.media(FRAME), mask=True)
            share = frames // ROUNDS
            return min(
                _round(thread, caller, listen, lambda: frame, len(frame), share)
                for _ in range(ROUNDS)
            )


def _round(
    thread: threading.Thread,
    caller: socket.socket,
    listen: socket.socket,
    there: Callable[[], bytes],
    size: int,
    frames: int,
) -> float:
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    began = time.clock_gettime(clock)
    for _ in range(frames):
        caller.sendall(there())
        left = size
        while left > 0:
            came = len(listen.recv(65536))
            if not came:
                raise ConnectionResetError("the loop has closed the connection")
            left -= came
    return (time.clock_gettime(clock) - began) / frames * _MICRO


async def _node(far: int, up: Up) -> None:
    agent = load_agent("clinic")
    deepgram = Deepgram(url=f"ws://127.0.0.1:{far}", api_key="key")
    await deepgram.warm()
    async with VM() as vm:

        async def handle(connection: ServerConnection) -> None:
            codec = TwilioCodec()
            with contextlib.suppress(ConnectionClosed):
                async for frame in connection:
                    for event in codec.decode(frame):
                        if isinstance(event, Start):
                            line = Line(event.call_sid, _Silent(), clock=vm.now)
                            context = SimpleNamespace(
                                call_id=event.call_sid,
                                line=line,
                                speaking=agent,
                                agent=agent,
                                deepgram=deepgram,
                            )
                            await vm.start(TranscriberActor, cast(CallContext, context))
                            divert(connection, codec, line)

        kind: Any = _Connection
        async with serve(
            handle, "127.0.0.1", 0, create_connection=kind, compression=None, ping_interval=None
        ) as server:
            up(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()


class _Forward(asyncio.Protocol):
    def __init__(self, far: int) -> None:
        self._far = far
        self._out: asyncio.WriteTransport | None = None
        self._early = b""
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", self._far)
        self._out = cast(asyncio.WriteTransport, transport)
        self._out.write(self._early)

    def data_received(self, data: bytes) -> None:
        if self._out is None:
            self._early += data
        else:
            self._out.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._out is not None:
            self._out.close()


async def _bare(far: int, up: Up) -> None:
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: _Forward(far), "127.0.0.1", 0) as server:
        up(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()


@contextmanager
def _thread(
    serving: Callable[[Up], Awaitable[None]],
) -> Iterator[tuple[threading.Thread, int]]:
    """A loop in a thread of its own that serves until the end; with the port that it tells."""
    ports: list[int] = []
    ready = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = []

    def up(port: int) -> None:
        ports.append(port)
        ready.set()

    async def main() -> None:
        task = asyncio.ensure_future(serving(up))
        running.append((asyncio.get_running_loop(), task))
        try:
            await asyncio.wait([task])
        finally:
            ready.set()

    def run() -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run, name="frames")
    thread.start()
    try:
        if not ready.wait(LIMIT_SECONDS) or not ports:
            raise TimeoutError("the loop did not come up")
        yield thread, ports[0]
    finally:
        for loop, task in running:
            loop.call_soon_threadsafe(task.cancel)
        thread.join(LIMIT_SECONDS)


def _read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionResetError("closed in the handshake")
        head += byte
    return head


if __name__ == "__main__":
    told = measured(int(sys.argv[1]) if sys.argv[1:] else 5000)
    print(f"own {told.own:.1f} us, bare {told.bare:.1f} us, ratio {told.ratio:.2f}")
