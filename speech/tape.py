"""Tape: both sides of a call as they were heard, in step with each other. No I/O, no clock.

    tape = Tape(now)
    tape.caller(mulaw, now); tape.agent(mulaw, starts); tape.cleared(now)
    tape.pause(now) … tape.resume(now)
    tape.open(now)      of a tape that waits: from now on it is one
    tape.take(now)      the next stereo pieces that are sure by now; b"" while none are

A piece is mu-law with the caller left and the agent right, byte by byte. The caller's audio is the
measure of time: what the agent says is put where the caller hears it, and what was taken back from
the line before it was heard is taken off the tape. Where no audio comes from the caller, silence is
put in its place; audio that comes late, many frames at once, takes the place of that silence, as
far as it is not taken yet. What is left over makes the recording longer, for both sides.

What is newer than `LAG_SECONDS` is not sure: the agent may still be cut off, and a pause reaches
back `REACH_SECONDS`, because the tone of a key is in the audio before its event has come. On the
caller's side it goes on for `TAIL_SECONDS`: the tone of a key sounds for as long as it is held.

A tape that waits for consent puts down nothing of the caller, and of the agent only what is to be
heard once it is open: that is with the carrier already when the caller agrees.

Times are seconds of the clock that the owner hands in. Bounded: twice `MOST_SECONDS` are
held, the oldest go first and are counted. Errors: none.
"""

from __future__ import annotations

import numpy as np

from aybiza.speech.mulaw import SILENCE
from aybiza.speech.playout import BYTES_A_SECOND

LAG_SECONDS = 2.0
REACH_SECONDS = 1.0
TAIL_SECONDS = 1.0
GAP_SECONDS = 0.5
AHEAD_SECONDS = 0.2
MOST_SECONDS = 10.0
PIECE_BYTES = BYTES_A_SECOND

_LAG = int(LAG_SECONDS * BYTES_A_SECOND)
_REACH = int(REACH_SECONDS * BYTES_A_SECOND)
_GAP = int(GAP_SECONDS * BYTES_A_SECOND)
_AHEAD = int(AHEAD_SECONDS * BYTES_A_SECOND)
_MOST = int(MOST_SECONDS * BYTES_A_SECOND)
_QUIET = bytes([SILENCE])


class Tape:
    """See the module."""

    def __init__(self, now: float, *, waits: bool = False) -> None:
        self._began = now
        self._start = 0
        self._left = bytearray()
        self._right = bytearray()
        self._filled = (0, 0)
        self._paused = False
        self._tail_ends = now
        self._lost = 0
        self.waits = waits

    def open(self, now: float) -> None:
        """See the module."""
        self.waits = False
        heard = self._offset(now)
        del self._right[:heard]
        self._left.clear()
        self._filled = (0, 0)
        self._start += heard
        self._lost = 0

    def give_account(self) -> float:
        """Seconds that had no room since this was last asked."""
        lost, self._lost = self._lost, 0
        return round(lost / BYTES_A_SECOND, 1)

    @property
    def seconds(self) -> float:
        """How much is held."""
        return round(len(self._left) / BYTES_A_SECOND, 1)

    @property
    def is_paused(self) -> bool:
        """Whether silence is put down instead of what is said."""
        return self._paused

    def caller(self, mulaw: bytes, now: float) -> None:
        """The caller's next audio."""
        self._catch_up(now, len(mulaw))
        self._make_room(now, len(mulaw))
        quiet = self._paused or self.waits or now < self._tail_ends
        self._left += _QUIET * len(mulaw) if quiet else mulaw
        self._bound()

    def agent(self, mulaw: bytes, starts: float) -> None:
        """Audio that the caller begins to hear at `starts`."""
        at = self._offset(starts)
        if at + len(mulaw) > len(self._left) + _MOST:
            return
        if at < len(self._right):
            # It follows what is there: two times are never quite the same.
            at = len(self._right)
        self._right += _QUIET * (at - len(self._right))
        self._right += _QUIET * len(mulaw) if self._paused else mulaw

    def cleared(self, now: float) -> None:
        """What has not been heard by now never will be."""
        del self._right[max(0, self._offset(now)) :]

    def pause(self, now: float) -> None:
        """From a moment ago on there is silence, until `resume`."""
        if self._paused:
            return
        self._catch_up(now, 0)
        self._paused = True
        first = max(0, len(self._left) - _REACH)
        for side in (self._left, self._right):
            side[first:] = _QUIET * (len(side) - min(first, len(side)))

    def resume(self, now: float) -> None:
        """What is said is put down again: the agent's at once, the caller's a moment later."""
        if self._paused:
            self._paused, self._tail_ends = False, now + TAIL_SECONDS

    def take(self, now: float, *, all_of_it: bool = False) -> bytes:
        """See the module. `all_of_it`: the call is over."""
        self._catch_up(now, 0)
        sure = len(self._left) - (0 if all_of_it else _LAG)
        size = sure if all_of_it else sure // PIECE_BYTES * PIECE_BYTES
        if size <= 0:
            return b""
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        sides = np.full((size, 2), SILENCE, dtype=np.uint8)
        for side, column in ((self._left, 0), (self._right, 1)):
            piece = bytes(side[:size])
            sides[: len(piece), column] = np.frombuffer(piece, dtype=np.uint8)
            del side[:size]
        self._start += size
        at, filled = self._filled
        self._filled = (max(0, at - size), max(0, min(filled, at + filled - size)))
        return sides.tobytes()

    def _offset(self, now: float) -> int:
        """Where in what is held this time is."""
        return max(0, round((now - self._began) * BYTES_A_SECOND) - self._start)

    def _catch_up(self, now: float, coming: int) -> None:
        """Put silence where the caller's audio has not come."""
        missing = self._offset(now) - len(self._left) - coming
        if missing > _GAP:
            end, added = len(self._left), min(missing, _MOST)
            at, filled = self._filled
            self._filled = (at, filled + added) if at + filled == end else (end, added)
            self._left += _QUIET * added
            self._start += max(0, missing - _MOST)
        self._bound()

    def _make_room(self, now: float, coming: int) -> None:
        """Take away the silence in whose place late audio comes; else time goes on with it."""
        ahead = len(self._left) + coming - self._offset(now)
        at, filled = self._filled
        if ahead > 0 and filled:
            cut = min(ahead, filled)
            del self._left[at : at + cut]
            self._filled = (at, filled - cut)
            ahead -= cut
        if ahead > _AHEAD:
            self._start -= ahead

    def _bound(self) -> None:
        excess = len(self._left) - 2 * _MOST
        if excess > 0:
            self._cut(excess)
            self._lost += excess
