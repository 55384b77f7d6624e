"""The caller's end of the line, without I/O: what plays, what is heard, when frames leave.

Times are milliseconds of call time and are always handed in; nothing here reads a clock.
"""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from aybiza.emulators.phone.audio import FRAME_BYTES, FRAME_MS, QUIET_CODES
from aybiza.speech.mulaw import SAMPLE_RATE

SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000


@dataclass(slots=True)
class Played:
    """What left the buffer: audio with the sample of call time where it began, and marks."""

    segments: list[tuple[int, bytes]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.segments or self.marks)


_NOTHING: Final = Played()


class PlaybackBuffer:
    """Twilio's playback buffer: filled as fast as the agent likes, drained in real time.

    Commands are `write`, `mark` and `clear`; `advance` moves the clock and hands over what was
    played since and the marks to be sent back: a mark returns when all audio before it was
    played, at once when there is none, and on `clear`. Call times must not go backwards.

    Source: Twilio, "Media Streams: WebSocket messages", `mark` and `clear`.
    """

    def __init__(self) -> None:
        self._queue: deque[bytes | str] = deque()
        self._position = 0
        self._unplayed = 0
        self._out = Played()

    @property
    def unplayed_bytes(self) -> int:
        """Audio that waits to be played, as of the last call."""
        return self._unplayed

    @property
    def mark_ms(self) -> float | None:
        """When the next mark returns if nothing is cleared; None if there is none."""
        until = self._position
        for item in self._queue:
            if isinstance(item, str):
                return until / SAMPLES_PER_MS
            until += len(item)
        return None

    def write(self, now_ms: float, audio: bytes) -> None:
        """Append audio; it starts at once if nothing is before it."""
        self._run(now_ms)
        if audio:
            self._queue.append(audio)
            self._unplayed += len(audio)

    def mark(self, now_ms: float, name: str) -> None:
        """Append a mark; the next `advance` returns it if all audio before it was played."""
        self._run(now_ms)
        self._queue.append(name)

    def clear(self, now_ms: float) -> None:
        """Drop what is not yet played; all marks return."""
        self._run(now_ms)
        self._out.marks += [item for item in self._queue if isinstance(item, str)]
        self.drop()

    def drop(self) -> None:
        """Forget everything that waits, marks too: the stream is gone."""
        self._queue.clear()
        self._unplayed = 0

    def advance(self, now_ms: float) -> Played:
        """Play up to `now_ms`; returns what was played and which marks returned, each once."""
        self._run(now_ms)
        if not self._out:
            return _NOTHING
        out, self._out = self._out, Played()
        return out

    def _run(self, now_ms: float) -> None:
        end = int(now_ms * SAMPLES_PER_MS)
        queue = self._queue
        while queue and (room := end - self._position) > 0:
            item = queue[0]
            if isinstance(item, str):
                self._out.marks.append(item)
                queue.popleft()
                continue
            self._out.segments.append((self._position, item[:room]))
            played = min(room, len(item))
            self._position += played
            self._unplayed -= played
            if played == len(item):
                queue.popleft()
            else:
                queue[0] = item[played:]
        while queue and isinstance(queue[0], str):
            self._out.marks.append(str(queue.popleft()))
        if not queue:
            self._position = max(self._position, end)


class Ear:
    """What the caller has heard of the agent since `forget` was last called.

    `silent` are the mu-law bytes that do not count as sound.
    """

    def __init__(self, silent: bytes = QUIET_CODES) -> None:
        self._silent = silent
        self.sound_ms = 0.0
        self.last_sound_ms: float | None = None
        self.text = ""

    def forget(self) -> None:
        """Start afresh: what comes from now on is the answer."""
        self.sound_ms = 0.0
        self.last_sound_ms = None
        self.text = ""

    def hears(self, audio: bytes) -> bool:
        """Whether there is sound in `audio`."""
        return bool(audio.translate(None, self._silent))

    def listen(self, start_sample: int, audio: bytes) -> None:
        """Take audio as it is played, however long; sound is placed to 20 ms."""
        for at in range(0, len(audio), FRAME_BYTES):
            piece = audio[at : at + FRAME_BYTES]
            if self.hears(piece):
                self.sound_ms += len(piece) / SAMPLES_PER_MS
                self.last_sound_ms = (start_sample + at + len(piece)) / SAMPLES_PER_MS

    def read(self, text: str) -> None:
        """Take text that was heard (text mode)."""
        self.text += text

    def quiet_ms(self, now_ms: float) -> float | None:
        """For how long the agent has been quiet; None if it has not yet made a sound."""
        return None if self.last_sound_ms is None else max(0.0, now_ms - self.last_sound_ms)


class Pacer:
    """When frame after frame leaves: every 20 ms, by an absolute timetable, so nothing drifts.

    `burst` holds frames back and lets that many go together; `jitter_ms` delays each by up to
    that much. Frames never overtake one another.
    """

    def __init__(
        self, jitter_ms: float = 0.0, burst: int = 1, rng: random.Random | None = None
    ) -> None:
        if jitter_ms < 0 or burst < 1:
            raise ValueError("jitter_ms must be at least 0 and burst at least 1")
        self._jitter_ms = jitter_ms
        self._burst = burst
        self._random = rng or random.Random()
        self._frame = 0
        self._last = 0.0

    def next_ms(self) -> float:
        """When the next frame leaves, in ms of call time."""
        captured = (self._frame // self._burst + 1) * self._burst - 1
        delay = self._random.uniform(0.0, self._jitter_ms) if self._jitter_ms else 0.0
        self._last = max(self._last, captured * FRAME_MS + delay)
        self._frame += 1
        return self._last
