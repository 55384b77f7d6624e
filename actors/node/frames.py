"""Frames on Thespian's sockets: each is authenticated before one byte of it is unpickled.

Thespian 4.0.1 unpickles whatever reaches a listening socket. `guard_frames` puts this between: a
frame carries an HMAC-SHA256 under the cluster's cookie over its length, time, number, receiver
and digest, ahead of its body. What does not carry it is dropped once its first bytes are there,
with its connection, and without an answer; so a stranger can make a process keep no more than
these bytes for each of a bounded number of connections.

    length ">" | body length, time, receiver, nonce, digest of the body, HMAC of these | body

A frame is refused if it is older than `WINDOW` seconds or as much ahead, has come before, or is
meant for another listener: a recorded frame is of no use. Time is that of a clock that starts with
the machine's actor system and is never set (`steady_clock`), so a wall clock that jumps parts
nobody. Who has the cookie and another time is told ours, under the cookie and the number of the
frame that was refused; it keeps the difference and signs anew. So clocks need not agree, and a
difference above `WINDOW` stands in the log (`clocks_apart`).

Refusals are counted by their reason (`aybiza.actors.node.refusals`) and logged at most once a
minute a process. The two acknowledgements of Thespian's protocol are constant tokens; who has
not got one of them right is told nothing, as with any frame that is not authenticated.

Contract: `guard_frames(cookie)` before the process's first ActorSystem; forks inherit it. The
format is this package's own: all nodes of a cluster run it.
"""

import contextlib
import hashlib
import hmac
import math
import os
import pickle
import select
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

import aybiza.actors.node.binding  # noqa: F401 - first: see there
from aybiza.actors.node import refusals

# isort: split
from thespian.system import transport as transport_base
from thespian.system.transport import TCPTransport as tcp
from thespian.system.transport import streamBuffer

WINDOW = 60.0
"""Seconds by which a frame's time may differ from this process's clock."""
MAX_FRAME = 32 * 1024 * 1024
"""Longest frame in bytes, of one who has the cookie."""
MAX_CONNECTIONS = 64
"""Connections on which a frame is awaited; of more, the oldest is closed."""
ACCEPT_BATCH = 32
"""Connections that are accepted in one step of Thespian's loop, which costs as much for one."""
FRAME_LIMIT = timedelta(seconds=5)
"""Longest time for one frame to come in whole."""
TRANSMIT_LIMIT = timedelta(seconds=3)
"""Longest time for a message to be acknowledged before Thespian gives it up."""
RETRY_PERIOD = timedelta(seconds=0.25)
"""Wait before Thespian's second attempt at a transmission; it grows by as much each time."""
LOG_SECONDS = 60.0
LONGEST_LENGTH = 12
"""Characters that a length may have."""

HEADER = struct.Struct(">Id6s16s32s")
MAC_BYTES = 32
HEAD_BYTES = HEADER.size + MAC_BYTES
CLOCK = struct.Struct(">d")
CLOCK_BYTES = CLOCK.size + MAC_BYTES
"""What is answered to a frame of another time."""
MAX_OFFSETS = 10_000
"""Listeners whose clocks' differences are remembered."""

ACK = "ACK"
NAK = "ACK+DATAERR"

log = structlog.get_logger(__name__)


class FrameRefused(Exception):
    """A frame that was not sent by a node of this cluster, or not now, or not to us."""


def steady_clock() -> Callable[[], float]:
    """A clock in seconds since 1970 that is right now and goes on evenly from here, whatever the
    wall clock does; a machine's sleep counts."""
    base = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return lambda: base + time.clock_gettime(time.CLOCK_BOOTTIME)


class FrameCodec:
    """Signs and checks frames. `clock` (the time in the frames) and `timer` never go back; in
    seconds. `quiet`: nothing is logged."""

    def __init__(
        self,
        cookie: bytes,
        *,
        clock: Callable[[], float] | None = None,
        timer: Callable[[], float] = time.monotonic,
        quiet: bool = False,
    ) -> None:
        self._quiet = quiet
        self._key = hashlib.sha256(b"aybiza cluster frames 1\0" + cookie).digest()
        self._clock = clock or steady_clock()
        self._timer = timer
        self.listeners: set[bytes] = set()
        """The receivers that this process is, as in a frame."""
        self.refused: Counter[str] = Counter()
        """How many frames were refused, by reason."""
        self._logged: dict[str, float] = {}
        self._offsets: dict[bytes, float] = {}
        self._nonces: set[bytes] = set()
        self._expiring: deque[tuple[float, bytes]] = deque()
        self._tokens = {self._mac(text.encode()): text for text in (ACK, NAK)}

    def token(self, text: str) -> bytes:
        """The acknowledgement that stands for `text`."""
        return self._mac(text.encode())

    def sign(self, body: bytes, receiver: bytes) -> bytes:
        """The frame of this body, without its length."""
        if len(body) > MAX_FRAME - HEAD_BYTES:
            raise ValueError(f"a message of {len(body)} bytes is too long to be sent")
        digest = hashlib.sha256(body).digest()
        sent = self._clock() + self._offsets.get(receiver, 0.0)
        head = HEADER.pack(len(body), sent, receiver, os.urandom(16), digest)
        return head + self._mac(head) + body

    def clock_answer(self, head: bytes) -> bytes:
        """Our time, for the sender of the frame with this head."""
        told = CLOCK.pack(self._clock())
        return told + self._mac(_clock_text(head, told))

    def take_clock(self, head: bytes, answer: bytes) -> bool:
        """Keep the time of the one to whom we sent the frame with this head; False if it is not
        theirs."""
        told, mac = answer[: CLOCK.size], answer[CLOCK.size :]
        if not hmac.compare_digest(mac, self._mac(_clock_text(head, told))):
            return False
        _, _, receiver, _, _ = HEADER.unpack(head[: HEADER.size])
        if len(self._offsets) >= MAX_OFFSETS:
            self._offsets.clear()
        offset = self._offsets[receiver] = CLOCK.unpack(told)[0] - self._clock()
        if not self._quiet and self._due("clocks_apart"):
            log.warning(
                "clocks_apart",
                here=", ".join(map(_shown, sorted(self.listeners))),
                there=_shown(receiver),
                seconds=round(offset, 1),
                text=f"the clock of {_shown(receiver)} was {abs(offset):.0f} s"
                f" {'ahead of' if offset > 0 else 'behind'} ours when they started;"
                " set the machines' clocks by NTP",
            )
        return True

    def check_length(self, length: int) -> None:
        """Raise FrameRefused if no frame has this length."""
        if not HEAD_BYTES <= length <= MAX_FRAME:
            raise FrameRefused("length")

    def check_head(self, length: int, head: bytes) -> None:
        """Raise FrameRefused unless this is the head of a frame for us of so many bytes."""
        signed, mac = head[: HEADER.size], head[HEADER.size : HEAD_BYTES]
        if not hmac.compare_digest(mac, self._mac(signed)):
            raise FrameRefused("cookie")
        body_length, sent, receiver, nonce, _ = HEADER.unpack(signed)
        if body_length != length - HEAD_BYTES:
            raise FrameRefused("length")
        if receiver not in self.listeners:
            raise FrameRefused("receiver")
        if abs(self._clock() - sent) > WINDOW:
            raise FrameRefused("time")
        if nonce in self._nonces:
            raise FrameRefused("replay")

    def token_text(self, token: bytes) -> str:
        """The acknowledgement that this token stands for; raises FrameRefused."""
        for known, text in self._tokens.items():
            if hmac.compare_digest(known, token):
                return text
        raise FrameRefused("cookie")

    def loads(self, frame: bytes) -> Any:
        """What a whole frame holds; raises FrameRefused."""
        return pickle.loads(self.body(frame))

    def body(self, frame: bytes) -> bytes:
        """The body of a whole frame, which is taken but once; raises FrameRefused."""
        self.check_length(len(frame))
        head, body = frame[:HEAD_BYTES], frame[HEAD_BYTES:]
        self.check_head(len(frame), head)
        *_, nonce, digest = HEADER.unpack(head[: HEADER.size])
        if not hmac.compare_digest(digest, hashlib.sha256(body).digest()):
            raise FrameRefused("digest")
        self._remember(nonce)
        return body

    def refuse(self, reason: str) -> None:
        """Count a refused frame, and log the counts once in a while."""
        self.refused[reason] += 1
        refusals.add(reason)
        if not self._quiet and self._due("frames_refused"):
            log.warning("frames_refused", pid=os.getpid(), counts=dict(self.refused))

    def _due(self, event: str) -> bool:
        now = self._timer()
        if now - self._logged.get(event, -math.inf) < LOG_SECONDS:
            return False
        self._logged[event] = now
        return True

    def _mac(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")

    def _remember(self, nonce: bytes) -> None:
        now = self._timer()
        while self._expiring and self._expiring[0][0] <= now:
            self._nonces.discard(self._expiring.popleft()[1])
        self._nonces.add(nonce)
        # A frame from ahead of our clock can be shown again until its time is past, too.
        self._expiring.append((now + 2 * WINDOW, nonce))


def listener(address: str, port: int) -> bytes:
    """A receiver as it stands in a frame."""
    return socket.inet_aton(address) + port.to_bytes(2, "big")


def _shown(receiver: bytes) -> str:
    return f"{socket.inet_ntoa(receiver[:4])}:{int.from_bytes(receiver[4:], 'big')}"


def _clock_text(head: bytes, told: bytes) -> bytes:
    return b"clock" + head[: HEADER.size] + told


def guard_frames(cookie: bytes, *, quiet: bool = False) -> FrameCodec:
    """Have every Thespian transport of this process and of its forks use this cookie.

    `quiet`: for a command whose output is its answer; the nodes log what they refuse.
    """
    refusals.share()
    codec = FrameCodec(cookie, quiet=quiet)
    _use_guarded_buffers(codec)
    _use_guarded_transport(codec)
    return codec


class GuardedBuffer(streamBuffer.ReceiveBuffer):  # type: ignore[misc]
    """Thespian's buffer of a frame that comes in, bounded and checked as early as can be."""

    def __init__(self, loads: Any) -> None:
        """`loads` is that of a FrameCodec."""
        super().__init__(loads)
        self.codec: FrameCodec = loads.__self__
        self.refused = False
        self.answer = b""
        """What the sender of a refused frame is to be told."""
        self._head_checked = False
        self._body: bytes | None = None
        self._opened: Any = None

    def addMore(self, data: bytes) -> None:
        """Take data in; what follows a refusal is thrown away."""
        if self.refused:
            return
        try:
            super().addMore(data)
            self._check()
        except ValueError:
            self._refuse("length")
        except FrameRefused as refusal:
            self._refuse(str(refusal))

    def isDone(self) -> bool:
        """Whether no more is to be read."""
        return self.refused or bool(super().isDone())

    def completed(self) -> Any:
        """(content, data beyond the frame), or None if it is not whole or was refused."""
        if self.refused:
            return None
        # Thespian may ask twice, and no frame is opened twice.
        if self._opened is None and self._body is not None:
            self._opened = (pickle.loads(self._body),)
        return None if self._opened is None else (*self._opened, self._extra)

    def _check(self) -> None:
        if self._size is None:
            if len(self._buf) > LONGEST_LENGTH:
                raise FrameRefused("length")
            return
        if self._size == MAC_BYTES:
            # A connection is used both ways, so an acknowledgement may come to a listener, too.
            if self._blen == self._size and self._opened is None:
                self._opened = (self.codec.token_text(self._buf),)
            return
        self.codec.check_length(self._size)
        if not self._head_checked and len(self._buf) >= HEAD_BYTES:
            try:
                self.codec.check_head(self._size, self._buf[:HEAD_BYTES])
            except FrameRefused as refusal:
                if str(refusal) == "time":
                    self.answer = _framed(self.codec.clock_answer(self._buf))
                raise
            self._head_checked = True
        # At once, because Thespian answers a frame that is whole and cannot be read.
        if self._body is None and self._blen == self._size:
            self._body = self.codec.body(self._buf)

    def _refuse(self, reason: str) -> None:
        self.refused = True
        self._buf = self._extra = b""
        self.codec.refuse(reason)


class AnswerBuffer(GuardedBuffer):
    """The buffer for what comes back when a frame was sent; `clock_taken` if it is to be signed
    anew."""

    def __init__(self, loads: Any, sent: bytes) -> None:
        """`sent`: the frame, with its length."""
        super().__init__(loads)
        self.clock_taken = False
        self._head = sent[sent.index(b">") + 1 :][:HEAD_BYTES]

    def _check(self) -> None:
        if self._size != CLOCK_BYTES:
            super()._check()
        elif self._blen == self._size:
            self.clock_taken = self.codec.take_clock(self._head, self._buf)
            if not self.clock_taken:
                raise FrameRefused("cookie")

    def completed(self) -> Any:
        """As ever; None for a clock, upon which Thespian transmits once more."""
        return None if self._size == CLOCK_BYTES else super().completed()


def _use_guarded_buffers(codec: FrameCodec) -> None:
    tcp.ReceiveBuffer = GuardedBuffer
    tcp.serializer = codec  # nothing may find the bare pickle there
    tcp.ackMsg = streamBuffer.ackMsg = _framed(codec.token(ACK))
    tcp.ackDataErrMsg = streamBuffer.ackDataErrMsg = _framed(codec.token(NAK))
    tcp.MAX_INCOMING_SOCKET_PERIOD = FRAME_LIMIT


_plain_init = tcp.TCPTransport.__init__
_plain_accept = tcp.TCPTransport._acceptNewIncoming
_plain_handle = tcp.TCPTransport._handlePossibleIncoming
_plain_retry = tcp.TCPTransport._next_XMIT_6


def _use_guarded_transport(codec: FrameCodec) -> None:
    def init(self: Any, *arguments: Any) -> None:
        _plain_init(self, *arguments)
        address, port = self.socket.getsockname()
        codec.listeners.add(listener(address, port))

    def serialized(self: Any, intent: Any) -> bytes:
        address, port = intent.targetAddr.addressDetails.sockname[:2]
        body = pickle.dumps((self.myAddress, intent.message), pickle.HIGHEST_PROTOCOL)
        return _framed(codec.sign(body, listener(address, port)))

    def add_data(self: Any, data: bytes) -> None:
        self._rData.addMore(data)
        if self._rData.refused:
            if self._rData.answer:
                with contextlib.suppress(OSError):
                    self.socket.send(self._rData.answer)
            raise FrameRefused  # Thespian closes the connection without a word

    def await_answer(self: Any, intent: Any) -> bool:
        intent.ackbuf = AnswerBuffer(codec.loads, intent.serMsg)
        intent.stage = self._XMITStepWaitForAck
        return True

    def retry(self: Any, intent: Any) -> Any:
        if getattr(getattr(intent, "ackbuf", None), "clock_taken", False):
            intent.serMsg = serialized(self, intent)
        return _plain_retry(self, intent)

    def accept(self: Any) -> None:
        _plain_accept(self)
        more = select.poll()
        more.register(self.socket, select.POLLIN)
        for _ in range(ACCEPT_BATCH):
            if not more.poll(0):
                break
            _plain_accept(self)
        waiting = self._incomingSockets
        while len(waiting) > MAX_CONNECTIONS:
            codec.refuse("connections")
            waiting.pop(next(iter(waiting))).close()

    def handle(self: Any, incoming: Any, fileno: int, *rest: Any, **options: Any) -> Any:
        # Thespian's own look at the time goes on to wait for the socket.
        if fileno == -1 and incoming._expires.view().expired():
            codec.refuse("slow")
            incoming.close()
            return None
        return _plain_handle(self, incoming, fileno, *rest, **options)

    tcp.TCPTransport.__init__ = init
    tcp.TCPTransport.serializer = serialized
    tcp.TCPTransport._acceptNewIncoming = accept
    tcp.TCPTransport._next_XMIT_3 = await_answer
    tcp.TCPTransport._next_XMIT_6 = retry
    tcp.TCPTransport._handlePossibleIncoming = handle
    tcp.TCPIncoming_Common.addData = add_data
    transport_base.DEFAULT_MAX_TRANSMIT_PERIOD = TRANSMIT_LIMIT
    defaults = (*transport_base.TransmitIntent.__init__.__defaults__[:-1], RETRY_PERIOD)
    transport_base.TransmitIntent.__init__.__defaults__ = defaults


def _framed(payload: bytes) -> bytes:
    return b"%d>" % len(payload) + payload
