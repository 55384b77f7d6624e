"""Thespian's sockets under guard: each frame is authenticated before a byte of it is unpickled.

Thespian 4.0.1 unpickles whatever reaches a listening socket. `guard_frames` puts a `FrameCodec`
between. What is no frame of the cluster's is dropped once its first bytes are there, with its
connection, and without an answer; so a stranger can make a process keep no more than these bytes
for each of a bounded number of connections.

The two acknowledgements of Thespian's protocol are constant tokens; who has not got one of them
right is told nothing, as with any frame that is not authenticated.

Contract: `guard_frames(cookie)` before the process's first ActorSystem; forks inherit it, and
nothing that was meant for their parent.
"""

import contextlib
import os
import pickle
import select
from datetime import timedelta
from typing import Any

import aybiza.actors.node.binding  # noqa: F401 - first: see there
from aybiza.actors.node import refusals
from aybiza.actors.node.frames import (
    ACK,
    ANSWER_BYTES,
    HEAD_BYTES,
    MAC_BYTES,
    NAK,
    TOLD,
    FrameCodec,
    FrameRefused,
    listener,
)

# isort: split
from thespian.system import transport as transport_base
from thespian.system.transport import TCPTransport as tcp
from thespian.system.transport import streamBuffer

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
LONGEST_LENGTH = 12
"""Characters that a length may have."""


class _Guard:
    """The codec of this process, once it has one."""

    def __init__(self) -> None:
        self.codec: FrameCodec | None = None
        self.cookie = b""
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        if self.codec is not None:
            self.codec.forget()


_guard = _Guard()


def guarding_cookie() -> bytes:
    """The cookie of this process, or of the one that it was forked from; b"" if it has none."""
    return _guard.cookie


def guard_frames(cookie: bytes, *, quiet: bool = False) -> FrameCodec:
    """Have every Thespian transport of this process and of its forks use this cookie.

    `quiet`: for a command whose output is its answer; the nodes log what they refuse.
    """
    refusals.share()
    codec = _guard.codec = FrameCodec(cookie, quiet=quiet)
    _guard.cookie = cookie
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
                if str(refusal) in TOLD:
                    self.answer = _framed(self.codec.answer(self._buf))
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
    """The buffer for what comes back when a frame was sent; `told` if it is to be signed anew."""

    def __init__(self, loads: Any, sent: bytes) -> None:
        """`sent`: the frame, with its length."""
        super().__init__(loads)
        self.told = False
        self._head = sent[sent.index(b">") + 1 :][:HEAD_BYTES]

    def _check(self) -> None:
        if self._size != ANSWER_BYTES:
            super()._check()
        elif self._blen == self._size:
            self.told = self.codec.take_answer(self._head, self._buf)
            if not self.told:
                raise FrameRefused("cookie")

    def completed(self) -> Any:
        """As ever; None for who the receiver is, upon which Thespian transmits once more."""
        return None if self._size == ANSWER_BYTES else super().completed()


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
        codec.listen(listener(address, port))

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
        if not getattr(getattr(intent, "ackbuf", None), "told", False):
            return _plain_retry(self, intent)
        intent.serMsg = serialized(self, intent)
        if getattr(intent, "told", False):
            return _plain_retry(self, intent)
        # Nothing has failed: the receiver has said who it is, and nobody need wait.
        intent.told = True
        tcp._safeSocketShutdown(intent)
        for used in ("socket", "ackbuf", "_pauseUntil"):
            vars(intent).pop(used, None)
        intent.stage = self._XMITStepSendConnect
        return self._nextTransmitStep(intent)

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
