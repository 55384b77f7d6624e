"""A call's line: what its actors share and what outlives each of them.

The connection that holds the carrier's socket owns the line and hands it to the call's actors;
it is to them what a public ETS table of a longer-lived owner is on the BEAM:

- `ring`: the caller's last seconds of audio, and up to where they have been understood, so that
  a restarted transcriber takes up the words exactly where they broke off;
- `ledger`: what went to the carrier and what of it was heard (`aybiza.speech.playout`);
- `inbox`: what has happened on the call and has not been dealt with, so that nothing that
  happens while the call's actor restarts is lost.

Nothing here waits or does I/O: outgoing audio goes to the `CarrierSink` that the owner gives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from aybiza.config import clocks
from aybiza.speech.line_figures import LineFigures
from aybiza.speech.loudness import Loudness
from aybiza.speech.playout import BYTES_A_SECOND, Cut, Ledger, Sentence
from aybiza.speech.reconnect import Waiting
from aybiza.speech.tape import Tape

RING_SECONDS = 20
# In which the end of a voice is looked for, of a turn whose words are known already.
UNDERSTOOD_SECONDS = 6
INBOX_LIMIT = 1000
MOST_KEYS = 64

# An event whose handling failed this often is set aside, so that one poisonous event cannot end a
# call.
ATTEMPTS = 2


class CarrierSink(Protocol):
    """Takes what goes to the caller; never waits."""

    def media(self, mulaw: bytes) -> None:
        """Play `mulaw` (8 kHz) behind everything before it."""

    def mark(self, name: str) -> None:
        """Tell by `name` when everything before it has been played."""

    def clear(self) -> None:
        """Drop what has not been played."""


class AudioRing:
    """The last `seconds` of the caller's audio, addressed by byte offsets since the call began.

    `understood` is the offset up to which final transcripts have been handed on.
    """

    def __init__(self, seconds: int = RING_SECONDS) -> None:
        self._limit = seconds * BYTES_A_SECOND
        self._buffer = bytearray()
        self._start = 0
        self.understood = 0

    @property
    def end(self) -> int:
        """The offset behind the newest byte."""
        return self._start + len(self._buffer)

    @property
    def start(self) -> int:
        """The offset of the oldest byte that is still held."""
        return self._start

    def append(self, mulaw: bytes) -> None:
        """Add the newest audio; the oldest beyond the limit is dropped."""
        self._buffer += mulaw
        if len(self._buffer) - self._limit >= BYTES_A_SECOND:
            self._drop(len(self._buffer) - self._limit)

    def since(self, offset: int) -> tuple[int, bytes]:
        """The audio from `offset` on, or from the oldest held; with the offset it starts at."""
        first = max(offset, self._start)
        return first, bytes(self._buffer[first - self._start :])

    def understand(self, offset: int) -> None:
        """Words up to `offset` have been handed on. What lies long before it nobody needs again."""
        self.understood = max(self.understood, min(offset, self.end))
        self._drop(self.understood - self._start - UNDERSTOOD_SECONDS * BYTES_A_SECOND)

    def _drop(self, excess: int) -> None:
        """Drop the oldest, whole seconds of it: moving the buffer for each frame would cost every
        call."""
        seconds = excess // BYTES_A_SECOND
        if seconds > 0:
            del self._buffer[: seconds * BYTES_A_SECOND]
            self._start += seconds * BYTES_A_SECOND


@dataclass(slots=True)
class Posted:
    """An event in the inbox: `number` grows by one with each; `failures` counts its handlings
    that failed."""

    number: int
    event: Any
    failures: int = 0


class Inbox:
    """Events of a call in order, each kept until it has been dealt with."""

    def __init__(self) -> None:
        self._events: deque[Posted] = deque()
        self._last = 0
        self.refused = 0

    def post(self, event: Any) -> bool:
        """Add an event; False when the inbox is full and the event was refused."""
        if len(self._events) >= INBOX_LIMIT:
            self.refused += 1
            return False
        self._last += 1
        self._events.append(Posted(self._last, event))
        return True

    def start_behind(self, number: int) -> None:
        """Number the events behind `number`, those that wait too: for a call taken up on this line,
        whose journal has reached it."""
        self._last = number
        for posted in self._events:
            self._last += 1
            posted.number = self._last

    def begin(self) -> Posted | None:
        """The oldest event, to be dealt with now; it stays until `done`."""
        return self._events[0] if self._events else None

    def done(self) -> None:
        """The oldest event has been dealt with."""
        self._events.popleft()

    def failed(self) -> bool:
        """Handling the oldest event ended in an error; True if it is set aside for that."""
        posted = self._events[0]
        posted.failures += 1
        if posted.failures < ATTEMPTS:
            return False
        self._events.popleft()
        return True

    def __len__(self) -> int:
        return len(self._events)


@dataclass(slots=True)
class Line:
    """See the module.

    `wake` is called after each post, `listener` when the ring has new audio and its reader has
    taken the last signal (it sets `audio_signalled` back). `started`: the conversation has been
    begun, or taken up, on this line. `ended`: why the call is over. `owner`: the process that holds
    the carrier's socket; when it is gone, so is the line. `heard_at`: when the newest audio came; a
    carrier may send none while nobody speaks. `finished_at`: when the caller's voice ended, and
    `known_at`: when the recogniser told that the turn is over, until the first audio of the answer.
    `aside`: words that are said on it and stand in no journal, such as those about the line itself;
    the `asides`-th of them.
    `running`: for how long the timers of the conversation run that outlive its actor, and since
    when.
    `charged`: bytes of audio that are charged for, `minutes` of the carrier that are, `unpriced`:
    services whose price nobody knows.
    `keys`: what the caller has entered last, by the numbers of its events, of an agent that keeps
    it from everybody but the tools; `keys_over`: the next key begins anew; `keys_before`: what was
    complete before it did.
    `tape`: where the call is recorded; `clock` is its time. `figures`: what is measured of a call
    that is analysed. `said`: while somebody looks at the call, how loud the agent is.
    `language`: the one that the call has changed to; "": it is the agent's first.
    `tones`: is given the caller's audio while tones in it matter. `placed`: the call is ours.
    `silent_since`: the caller, who is back from a line that was lost, has heard nothing since then.
    `returns`: a caller whose stream ends is brought back by their carrier.
    `leaving`: the call goes to another node at the next
    seam, where the caller has spoken and no answer has been begun.
    """

    call_id: str
    sink: CarrierSink
    ring: AudioRing = field(default_factory=AudioRing)
    ledger: Ledger = field(default_factory=Ledger)
    inbox: Inbox = field(default_factory=Inbox)
    wake: Callable[[], None] = lambda: None
    listener: Callable[[bytes], None] = lambda _: None
    audio_signalled: bool = False
    started: bool = False
    ended: str | None = None
    owner: Any = None
    heard_at: float = 0.0
    finished_at: float | None = None
    known_at: float = 0.0
    silent_since: float | None = None
    returns: bool = True
    aside: tuple[Sentence, str] | None = None
    asides: int = 0
    language: str = ""
    leaving: bool = False
    tape: Tape | None = None
    figures: LineFigures | None = None
    tones: Callable[[bytes], None] | None = None
    said: Loudness | None = None
    placed: bool = False
    clock: Callable[[], float] = clocks.monotonic
    keys: dict[int, str] = field(default_factory=dict, repr=False)
    keys_before: dict[int, str] = field(default_factory=dict, repr=False)
    keys_over: bool = False
    running: dict[str, tuple[float, float]] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    charged: int = 0
    minutes: int = 0
    unpriced: set[str] = field(default_factory=set)

    def waits(self, socket: str) -> Waiting:
        """What the caller waits for by the socket of this name."""
        return self.waiting.setdefault(socket, Waiting())

    def post(self, event: Any) -> None:
        """Something happened on the call."""
        self.inbox.post(event)
        self.wake()

    def press(self, number: int, key: str) -> None:
        """Take note of a key that nobody else is told; `number` is its event's, so that one that is
        dealt with twice counts once."""
        if self.tape is not None:
            self.tape.pause(self.clock())
        if self.keys_over:
            self.keys, self.keys_before, self.keys_over = {}, self.keys, False
        if len(self.keys) < MOST_KEYS:
            self.keys[number] = key

    def entry_over(self, count: int) -> None:
        """A turn of the caller's with `count` such keys is over; it may go on with the keys of the
        turn before. Where some are missing, lost with a line that broke, the rest is no entry: half
        a number is a wrong one."""
        if count and count == len(self.keys_before) + len(self.keys):
            self.keys = {**self.keys_before, **self.keys}
        elif count and count != len(self.keys):
            self.keys = {}
        self.keys_before, self.keys_over = {}, True

    @property
    def entered(self) -> str:
        """The keys that nobody else was told."""
        return "".join(self.keys.values())

    def hear(self, mulaw: bytes, timestamp_ms: int | None = None) -> None:
        """The caller's next audio; `timestamp_ms`: its own time, as the carrier tells it; None: how
        it came is measured elsewhere, or it is silence for what has not come."""
        self.ring.append(mulaw)
        self.heard_at = self.clock()
        if self.figures is not None and timestamp_ms is not None:
            self.figures.arrivals.took(self.heard_at, timestamp_ms, len(mulaw))
        if self.tape is not None:
            self.tape.caller(mulaw, self.heard_at)
        if self.tones is not None:
            self.tones(mulaw)
        if not self.audio_signalled:
            self.audio_signalled = True
            self.listener(mulaw)

    def play(self, sentence: Sentence, mulaw: bytes, now: float) -> None:
        """Send a piece of `sentence` to the caller."""
        if self.tape is not None:
            self.tape.agent(mulaw, now + self.ledger.ahead(now))
        if self.said is not None:
            self.said.agent(mulaw, now + self.ledger.ahead(now))
        if self.figures is not None:
            starts = now + self.ledger.ahead(now)
            self.figures.talk.agent(starts, starts + len(mulaw) / BYTES_A_SECOND)
        self.ledger.sent(sentence, len(mulaw), now)
        self.sink.media(mulaw)

    def finish(self, sentence: Sentence) -> None:
        """All of `sentence` is out: ask to be told when it has been heard."""
        self.sink.mark(self.ledger.mark(sentence))

    def say_aside(self, turn: int, text: str) -> bool:
        """Take note of words that stand in no journal; False if they are on their way already.

        Their numbers are below those of all sentences, and no two are the same.
        """
        if self.aside is not None:
            sentence, waiting = self.aside
            if waiting == text and not self.ledger.is_heard(sentence):
                return False
        self.asides += 1
        self.aside = (Sentence(turn, -self.asides), text)
        return True

    def forget_aside(self, sentence: Sentence) -> None:
        """The words of this number are not said."""
        if self.aside is not None and self.aside[0] == sentence:
            self.aside = None

    def drop_aside(self, now: float) -> bool:
        """Forget words that stand in no journal, if nothing is out yet, of them or of others.

        The line is cleared for it: what else waits to go out has to be given again.
        """
        ledger = self.ledger
        if self.aside is None or ledger.bytes_sent(self.aside[0]):
            return False
        if ledger.ahead(now) or ledger.is_midway():
            return False
        self.aside = None
        self.ledger.clear(now)
        return True

    def clear(self, now: float) -> Cut | None:
        """Silence the line at once; returns where the agent was cut off."""
        cut = self.ledger.clear(now)
        if self.tape is not None:
            self.tape.cleared(now)
        if self.said is not None:
            self.said.cleared(now)
        if self.figures is not None:
            self.figures.talk.cut(now)
        self.aside = None
        self.sink.clear()
        return cut
