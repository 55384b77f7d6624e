"""Frames of the cluster: who signed them, when, and for whom.

    length ">" | body length, time, receiver, its life, nonce, digest of the body | HMAC | body

The HMAC-SHA256 under the cluster's cookie stands ahead of the body, so that what a stranger sends
is known by its first bytes. A frame is refused if it is older than `WINDOW` seconds or as much
ahead, has come before, or is meant for another listener: a recorded frame is of no use. A
listener's life is a number that it has drawn: what was sent to a process is nothing to the one
that comes after it at the same address, nor to its forks. Time is that of a clock that starts with
the machine's actor system and is never set (`steady_clock`), so a wall clock that jumps parts
nobody.

Who has the cookie and does not know the receiver's life or time is told both, once, under the
cookie and the number of the frame that was refused (`TOLD`); it keeps them and signs anew. So
clocks need not agree, and a difference above `WINDOW` stands in the log (`clocks_apart`).

A cookie may have several lines (`aybiza.actors.node.cookie`): the first one signs, what was signed
with any of them is taken.

Refusals are counted by their reason (`aybiza.actors.node.refusals`) and logged at most once a
minute a process; that a sender does not know us yet is none.

Contract: pure but for its clocks and random numbers; `aybiza.actors.node.guard` puts it between
Thespian and its sockets. The format is this package's own: all nodes of a cluster run it. Errors:
`FrameRefused`, with the reason in a word.
"""

import hashlib
import hmac
import math
import os
import pickle
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import structlog

from aybiza.actors.node import refusals
from aybiza.actors.node.cookie import lines
from aybiza.config import clocks

WINDOW = 60.0
"""Seconds by which a frame's time may differ from this process's clock."""
MAX_FRAME = 32 * 1024 * 1024
"""Longest frame in bytes, of one who has the cookie."""
LOG_SECONDS = 60.0

HEADER = struct.Struct(">Id6s8s16s32s")
MAC_BYTES = 32
HEAD_BYTES = HEADER.size + MAC_BYTES
ANSWER = struct.Struct(">8sd")
ANSWER_BYTES = ANSWER.size + MAC_BYTES
"""What is told who does not know us: our life and time."""
LIFE_BYTES = 8
NO_LIFE = bytes(LIFE_BYTES)
"""Stands in the first frame to a listener."""
MAX_KNOWN = 10_000
"""Listeners whose lives and clocks are remembered."""
UNMET = "unmet"
TOLD = (UNMET, "incarnation", "time")
"""Why a frame is refused whose sender is told how to sign it."""

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
        timer: Callable[[], float] = clocks.monotonic,
        quiet: bool = False,
    ) -> None:
        self._quiet = quiet
        self._keys = tuple(
            hashlib.sha256(b"aybiza cluster frames 2\0" + each).digest() for each in lines(cookie)
        )
        self._clock = clock or steady_clock()
        self._timer = timer
        self.listeners: dict[bytes, bytes] = {}
        """The receivers that this process is, as in a frame, and their lives."""
        self.refused: Counter[str] = Counter()
        """How many frames were refused, by reason."""
        self._logged: dict[str, float] = {}
        self._known: dict[bytes, tuple[bytes, float]] = {}
        self._nonces: set[bytes] = set()
        self._expiring: deque[tuple[float, bytes]] = deque()
        self._tokens = {
            hmac.digest(key, text.encode(), "sha256"): text
            for key in self._keys
            for text in (ACK, NAK)
        }

    def listen(self, receiver: bytes) -> None:
        """This process is this receiver, from now on."""
        self.listeners[receiver] = os.urandom(LIFE_BYTES)

    def forget(self) -> None:
        """This process is a fork: what is meant for its parent is not for it."""
        self.listeners.clear()
        self._nonces.clear()
        self._expiring.clear()

    def token(self, text: str) -> bytes:
        """The acknowledgement that stands for `text`."""
        return self._mac(text.encode())

    def sign(self, body: bytes, receiver: bytes) -> bytes:
        """The frame of this body, without its length."""
        if len(body) > MAX_FRAME - HEAD_BYTES:
            raise ValueError(f"a message of {len(body)} bytes is too long to be sent")
        digest = hashlib.sha256(body).digest()
        life, offset = self._known.get(receiver, (self.listeners.get(receiver, NO_LIFE), 0.0))
        sent = self._clock() + offset
        head = HEADER.pack(len(body), sent, receiver, life, os.urandom(16), digest)
        return head + self._mac(head) + body

    def answer(self, head: bytes) -> bytes:
        """Our life and time, for the sender of the frame with this head."""
        receiver = HEADER.unpack(head[: HEADER.size])[2]
        told = ANSWER.pack(self.listeners[receiver], self._clock())
        return told + self._mac(_answer_text(head, told))

    def take_answer(self, head: bytes, answer: bytes) -> bool:
        """Keep the life and time of the one to whom we sent the frame with this head; False if
        they are not theirs."""
        told, mac = answer[: ANSWER.size], answer[ANSWER.size :]
        if not self._signed(_answer_text(head, told), mac):
            return False
        receiver = HEADER.unpack(head[: HEADER.size])[2]
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        life, now = ANSWER.unpack(told)
        offset = now - self._clock()
        self._known[receiver] = (life, offset)
        if abs(offset) > WINDOW and not self._quiet and self._due("clocks_apart"):
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
        if not self._signed(signed, mac):
            raise FrameRefused("cookie")
        body_length, sent, receiver, life, nonce, _ = HEADER.unpack(signed)
        if body_length != length - HEAD_BYTES:
            raise FrameRefused("length")
        if receiver not in self.listeners:
            raise FrameRefused("receiver")
        if nonce in self._nonces:
            raise FrameRefused("replay")
        if life == NO_LIFE:
            reason = UNMET
        elif life != self.listeners[receiver]:
            reason = "incarnation"
        elif abs(self._clock() - sent) > WINDOW:
            reason = "time"
        else:
            return
        self._remember(nonce)  # its sender is told but once
        raise FrameRefused(reason)

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
        if reason == UNMET:
            return
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
        return hmac.digest(self._keys[0], data, "sha256")

    def _signed(self, data: bytes, mac: bytes) -> bool:
        return any(hmac.compare_digest(mac, hmac.digest(key, data, "sha256")) for key in self._keys)

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


def _answer_text(head: bytes, told: bytes) -> bytes:
    return b"answer" + head[: HEADER.size] + told
