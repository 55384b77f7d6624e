"""The pacer: plays audio to a carrier that does not queue it, and knows what has been played. Pure.

A carrier without a playback buffer plays a frame when it comes. So frames wait here and leave one
after the other in real time, `LEAD_SECONDS` before their turn, so that a loop that is a little late
is not heard. Marks and `clear` have the meaning of Twilio's: a mark returns when all audio before
it has been played, which is known from the clock; `clear` drops what waits and returns all marks.

Times are seconds of a clock that is handed in and never goes back. `due` gives what is to be done
now, `next` says when to ask again.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

LEAD_SECONDS: Final = 0.04


@dataclass(slots=True)
class Due:
    """What is to be done now: `frames` to be sent, in order, and names of `marks` that return."""

    frames: list[bytes] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)


class Pacer:
    """See the module. `ahead`: seconds of audio that wait here."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._queue: deque[tuple[bytes, float] | str] = deque()
        self._played: deque[tuple[float, str]] = deque()
        self._ends = 0.0

    def play(self, frame: bytes, seconds: float) -> None:
        """Play `frame`, which lasts so long, behind everything before it."""
        self._queue.append((frame, seconds))
        self.ahead += seconds

    def mark(self, name: str) -> None:
        """Return `name` when everything before it has been played."""
        self._queue.append(name)

    def clear(self) -> list[str]:
        """Drop what waits; the marks that return for it, in order."""
        marks = [name for _, name in self._played]
        marks += [item for item in self._queue if isinstance(item, str)]
        self._queue.clear()
        self._played.clear()
        self.ahead = 0.0
        return marks

    def due(self, now: float) -> Due:
        """What is to be done at `now`."""
        due = Due()
        while self._queue:
            item = self._queue[0]
            if isinstance(item, str):
                self._played.append((self._ends, item))
            elif now >= self._leaves:
                frame, seconds = item
                self._ends = max(self._ends, now) + seconds
                self.ahead -= seconds
                due.frames.append(frame)
            else:
                break
            self._queue.popleft()
        while self._played and self._played[0][0] <= now:
            due.marks.append(self._played.popleft()[1])
        return due

    @property
    def next(self) -> float | None:
        """When something will be due; None if nothing waits. Right after `due` only."""
        times = [self._played[0][0]] if self._played else []
        if self._queue:
            times.append(self._leaves)
        return min(times, default=None)

    @property
    def _leaves(self) -> float:
        """When the next frame leaves."""
        return self._ends - LEAD_SECONDS
