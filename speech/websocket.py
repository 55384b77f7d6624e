"""A websocket's messages without a task, a generator or an object for each of them.

`WholeFrames` cuts what a socket brings into unfragmented messages, unmasked, and everything else
(control frames, fragments, what breaks the protocol), which is left for websockets' own protocol to
judge. `Together` is a connection of websockets' asyncio layer that reads by it: messages that came
together are handed on together, and `takes` sends one at once where nothing stands in its way.

Contract: what is seen of a connection is the same with `Together` as without, close codes, limits
and backpressure included. Sizes are bytes. Errors: none.
Source: RFC 6455, section 5.2; websockets, `Protocol` and `asyncio.connection`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from websockets.frames import Frame, Opcode
from websockets.protocol import State

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from websockets.asyncio.connection import Connection as _Base
else:
    _Base = object

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

TEXT: Final = 1
BINARY: Final = 2
_WHOLE: Final = 0x80
_WHOLE_TEXT: Final = _WHOLE | TEXT
_WHOLE_BINARY: Final = _WHOLE | BINARY
_WHOLE_MESSAGES: Final = (_WHOLE_TEXT, _WHOLE_BINARY)
_MASKED: Final = 0x80
_OPCODE: Final = 0x0F
_OPCODES: Final = frozenset(Opcode)
_LEAST_HEAD: Final = 2
_MEDIUM_HEAD: Final = 4
"""Of a frame whose size stands in two bytes, without its key."""
_SIZE_IN_TWO: Final = 126
_SIZE_IN_EIGHT: Final = 127
_PASSED_AT_ONCE: Final = 128
"""Of what the protocol judges itself: up to 64 frames, at the price of a message each."""
_KEY_BYTES: Final = 4
_KEYS_AT_ONCE: Final = 1024
_END_OF_HEADERS: Final = b"\r\n\r\n"


class Message(NamedTuple):
    """A whole message: `text` or binary, and its bytes."""

    text: bool
    data: bytes


class WholeFrames:
    """See the module. `masked`: whether the peer is a client, whose frames are masked.

    `take` gives messages, and as `bytes` what is to be judged by the protocol; `only` is asked
    before. It keeps less than a frame of 64 KB; from a longer frame on, or one that cannot be, all
    is passed on as it comes. With `most` it gives so many at a time, or so few bytes of what is
    passed on, and `more` says that it has more: it is asked again then.
    """

    def __init__(self, *, masked: bool) -> None:
        self._mask = _MASKED if masked else 0
        self._rest = b""
        self._in_fragments = False
        self._passing = False
        self.more = False

    def pass_all(self) -> None:
        """Pass on what comes from now on as it is; to be called before anything has come."""
        self._passing = True

    def only(self, data: bytes) -> Message | None:
        """The message that `data` is, where it is the one frame of middle size that most are: all
        audio. None for anything else, and then nothing has happened."""
        if self._rest or self._in_fragments or self._passing or len(data) < _MEDIUM_HEAD:
            return None
        first, mask = data[0], self._mask
        body = _MEDIUM_HEAD + _KEY_BYTES if mask else _MEDIUM_HEAD
        if (
            first not in _WHOLE_MESSAGES
            or data[1] != mask | _SIZE_IN_TWO
            or len(data) != body + (data[2] << 8 | data[3])
        ):
            return None
        payload = data[body:]
        if mask:
            payload = apply_mask(payload, data[_MEDIUM_HEAD:body])
        return Message(first == _WHOLE_TEXT, payload)

    def take(self, data: bytes, most: int | None = None) -> list[Message | bytes]:
        """What is whole now, in order."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        self.more = False
        if self._passing:
            return self._passed(data, most)
        found: list[Message | bytes] = []
        at, end = 0, len(data)
        while end - at >= _LEAST_HEAD:
            if len(found) == most:
                self.more = True
                break
            second = data[at + 1]
            size, body = second & ~_MASKED, at + _LEAST_HEAD
            if second & _MASKED != self._mask or data[at] & _OPCODE not in _OPCODES:
                # The protocol refuses it before it is whole.
                size = _SIZE_IN_EIGHT
            if size == _SIZE_IN_TWO:
                body += 2
                if body > end:
                    break
                size = data[at + 2] << 8 | data[at + 3]
            elif size == _SIZE_IN_EIGHT:
                self._passing = True
                return found + self._passed(data[at:], most)
            if self._mask:
                body += _KEY_BYTES
            if body + size > end:
                break
            found.append(self._frame(data, at, body, body + size))
            at = body + size
        self._rest = data[at:]
        return found

    def _passed(self, data: bytes, most: int | None) -> list[Message | bytes]:
        if most is not None and len(data) > _PASSED_AT_ONCE:
            data, self._rest = data[:_PASSED_AT_ONCE], data[_PASSED_AT_ONCE:]
            self.more = True
        return [data]

    def _frame(self, data: bytes, at: int, body: int, end: int) -> Message | bytes:
        first = data[at]
        kind = first & ~_WHOLE
        is_message = kind in (TEXT, BINARY)
        if first & _WHOLE and is_message and not self._in_fragments:
            payload = data[body:end]
            if self._mask:
                payload = apply_mask(payload, data[body - _KEY_BYTES : body])
            return Message(kind == TEXT, payload)
        if is_message or kind == 0:
            self._in_fragments = not first & _WHOLE
        return data[at:end]


class _Keys:
    """Masking keys, drawn from the system many at a time."""

    def __init__(self) -> None:
        self._drawn = b""
        self._at = 0

    def next(self) -> bytes:
        if self._at >= len(self._drawn):
            self._drawn, self._at = os.urandom(_KEYS_AT_ONCE * _KEY_BYTES), 0
        self._at += _KEY_BYTES
        return self._drawn[self._at - _KEY_BYTES : self._at]


_keys: Final = _Keys()


def frame_of(message: bytes | str, *, mask: bool) -> bytes:
    """The one frame that carries `message`.

    >>> frame_of("hi", mask=False)
    b'\\x81\\x02hi'
    """
    if isinstance(message, str):
        first, payload = _WHOLE_TEXT, message.encode()
    else:
        first, payload = _WHOLE_BINARY, message
    size, masked = len(payload), _MASKED if mask else 0
    if size < _SIZE_IN_TWO:
        head = bytes((first, masked | size))
    elif size < 1 << 16:
        head = bytes((first, masked | _SIZE_IN_TWO, size >> 8, size & 0xFF))
    else:
        head = bytes((first, masked | _SIZE_IN_EIGHT)) + size.to_bytes(8, "big")
    if not mask:
        return head + payload
    key = _keys.next()
    return head + key + apply_mask(payload, key)


def _nothing_more() -> Generator[None]:
    yield


class Together(_Base):
    """See the module; to be named before the connection's class in the bases of one that speaks
    without extensions and takes messages of 64 KB. `client`: which end this is.

    `divert` is given the whole messages that have come together, and says how many of them, from
    the first on, it has taken; the others, and those that come while they wait, go the way of all
    messages: to `recv`. `in_a_turn`: so many frames are read in one turn of the loop, and nothing
    more of the socket until all are; None: all that have come.
    """

    client = False
    in_a_turn: int | None = None
    divert: Callable[[list[Message]], int] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._frames: WholeFrames | None = None
        self._headers_end = b""
        self._going_on = False

    def data_received(self, data: bytes) -> None:
        """What has come."""
        if self._frames is None:
            data = self._shaken(data)
            if self._frames is None or not data:
                return
        if self.protocol.state is State.CONNECTING:
            # The body of a refusal, or who does not wait for the answer.
            self._frames.pass_all()
        elif self.is_over():
            super().data_received(data)
            return
        if (message := self._frames.only(data)) is not None:
            self._hand_on([message])
            return
        self._read(self._frames, data)

    def _read(self, frames: WholeFrames, data: bytes) -> None:
        """What is whole of it, and of what was left before."""
        messages: list[Message] = []
        for item in frames.take(data, self.in_a_turn):
            if type(item) is Message:
                messages.append(item)
                continue
            self._hand_on(messages)
            messages = []
            super().data_received(item)  # type: ignore[arg-type]
            if self.is_over():
                # What follows is nobody's: to look at each frame of it would cost as much again.
                return
        self._hand_on(messages)
        if frames.more and not self._going_on:
            self._going_on = True
            self.transport.pause_reading()
            self.loop.call_soon(self._go_on, frames)

    def _go_on(self, frames: WholeFrames) -> None:
        self._going_on = False
        if self.is_over() or self.transport.is_closing():
            return
        self._read(frames, b"")
        if not (self._going_on or self.recv_messages.paused):
            self.transport.resume_reading()

    def is_over(self) -> bool:
        """Whether nothing that comes from now on is read: the peer has broken the protocol, or
        has closed."""
        protocol = self.protocol
        return protocol.parser_exc is not None or protocol.close_rcvd is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, and nothing of it leads back to it: its memory is free with its last user.

        websockets keeps a function on the protocol that knows the connection, and a generator that
        knows the protocol; nobody steps it after the end.
        """
        super().connection_lost(exc)
        self.divert = None
        vars(self.protocol).pop("select_subprotocol", None)
        self.protocol.parser = _nothing_more()

    def takes(self, message: bytes | str) -> bool:
        """Send a message without waiting; False, and nothing is sent, if `send` has to wait."""
        transport = self.transport
        if self.paused or self.protocol.state is not State.OPEN or transport.is_closing():
            return False
        transport.write(frame_of(message, mask=self.client))
        return True

    def take_all(self, messages: Sequence[bytes | str]) -> Sequence[bytes | str]:
        """Send messages as `takes` does; those from the first that is not taken on."""
        for at, message in enumerate(messages):
            if not self.takes(message):
                return messages[at:]
        return ()

    def _hand_on(self, messages: list[Message]) -> None:
        waiting = self.recv_messages
        if not messages or self.is_over():
            return
        if self.divert is not None and not waiting.frames:
            messages = messages[self.divert(messages) :]
        for text, data in messages:
            waiting.put(Frame(Opcode.TEXT if text else Opcode.BINARY, data))

    def _shaken(self, data: bytes) -> bytes:
        """Let the handshake have its part; what is left of `data` comes behind it."""
        seen = self._headers_end + data
        end = seen.find(_END_OF_HEADERS)
        if end < 0:
            self._headers_end = seen[1 - len(_END_OF_HEADERS) :]
            super().data_received(data)
            return b""
        end += len(_END_OF_HEADERS) - len(self._headers_end)
        super().data_received(data[:end])
        self._frames = WholeFrames(masked=not self.client)
        return data[end:]
