"""A caller's frames in their order: what comes early waits, what is missing is silence. Pure.

    order = FrameOrder()
    order.goes_on(chunk, stamp, size)   True: the frame follows the last one, as nearly all do
    order.take(media)                   what may be heard now that it has come, in order
    order.flush()                       the end of the stream: all that still waits
    order.mended                        how many frames were reordered, doubled, late, missing

`chunk` numbers a carrier's frames from 1; a frame without a number (0) is heard as it comes. A
frame that is ahead is held back until those before it are there, but no more than `HELD_FRAMES` of
them (100 ms at 20 ms a frame). Then what is missing is given up, and silence takes its place: as
much as the stamps say is missing, but no more than as many frames have room for, and no more than
`MOST_FILLED_MS`. A carrier that sends nothing while nobody speaks leaves out no number, so nothing
is put there. A frame that was heard, or waits, is `doubled`; one that was given up is `late`.
Neither is heard. After `MOST_BEHIND` such frames in a row the carrier counts anew, and so is it
done here: a caller is never unheard for more than that. A number that comes more than `HELD_FRAMES`
times in a row counts nothing: from then on frames are heard as they come.

Contract: any order in which no frame is more than `HELD_FRAMES` places late gives the same audio.
Payloads are not looked into; `bytes_a_ms` is how long they are. Errors: none.

Source: Twilio, "Media Streams: WebSocket messages"; Telnyx, "Stream call media over WebSocket".
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from aybiza.gateway.carriers.codec import Ignored, Media

HELD_FRAMES: Final = 5
MOST_FILLED_MS: Final = 1_000
MOST_BEHIND: Final = 50
_MULAW_BYTES_A_MS: Final = 8
_MOST_REMEMBERED: Final = 64


class FrameOrder:
    """See the module."""

    __slots__ = (
        "_again",
        "_begun",
        "_behind",
        "_bytes_a_ms",
        "_counts",
        "_given_up",
        "_held",
        "_next",
        "_size",
        "_stamp",
        "_uncounted",
    )

    def __init__(self, bytes_a_ms: int = _MULAW_BYTES_A_MS) -> None:
        self._bytes_a_ms = bytes_a_ms
        self._next = 1
        self._held: dict[int, Media] = {}
        self._given_up: deque[int] = deque(maxlen=_MOST_REMEMBERED)
        self._counts: Counter[str] = Counter()
        self._behind = 0
        # The number that came last behind the others, and how often in a row.
        self._again = (0, 0)
        self._uncounted = False
        self._begun = False
        self._stamp: int | bytes = 0
        self._size = 0

    @property
    def mended(self) -> Mapping[str, int]:
        """See the module."""
        return self._counts

    @property
    def stamp_ms(self) -> int:
        """The stamp of the last frame that was heard."""
        return int(self._stamp)

    def goes_on(self, chunk: int, stamp: int | bytes, size: int) -> bool:
        """Take note of the next frame, while none is held back. False for any other: then nothing
        has happened. `stamp`: milliseconds, as a number or its digits."""
        if chunk != self._next or self._held:
            return False
        self._next = chunk + 1
        self._begun = True
        self._stamp, self._size, self._behind = stamp, size, 0
        return True

    def take(self, media: Media) -> Sequence[Media | Ignored]:
        """See the module. Silence is a `Media` that is `filled`, whose payload is left empty and
        whose length is `lasts_ms`."""
        chunk = media.chunk
        if (
            not chunk
            or self._uncounted
            or self.goes_on(chunk, media.timestamp_ms, len(media.payload))
        ):
            return (media,)
        if not self._begun and not self._held and chunk > self._next + HELD_FRAMES:
            # A stream that is joined later: nothing of it is missing.
            self._next = chunk
        if chunk < self._next or chunk in self._held:
            return self._behind_time(media)
        if self._held and chunk < max(self._held):
            self._counts["reordered"] += 1
        self._held[chunk] = media
        ready = self._run()
        while len(self._held) > HELD_FRAMES:
            ready += self._give_up()
            ready += self._run()
        return ready

    def flush(self) -> Sequence[Media]:
        """See the module."""
        ready: list[Media] = []
        while self._held:
            ready += self._give_up()
            ready += self._run()
        return ready

    def _behind_time(self, media: Media) -> Sequence[Media | Ignored]:
        self._behind += 1
        number, times = self._again
        self._again = (media.chunk, times + 1 if number == media.chunk else 1)
        self._uncounted = self._again[1] > HELD_FRAMES
        if self._uncounted:
            return (*self.flush(), media)
        if self._behind > MOST_BEHIND:
            ready = self.flush()
            self._next, self._behind = media.chunk + 1, 0
            self._given_up.clear()
            return (*ready, media)
        how = "late" if media.chunk in self._given_up else "doubled"
        self._counts[how] += 1
        return (Ignored("media", f"chunk {media.chunk} is {how}"),)

    def _run(self) -> list[Media]:
        """The frames without a gap from the next one on."""
        ready = []
        while self._next in self._held:
            media = self._held.pop(self._next)
            ready.append(media)
            self._next += 1
            self._begun = True
            self._stamp, self._size, self._behind = media.timestamp_ms, len(media.payload), 0
        return ready

    def _give_up(self) -> list[Media]:
        """Go on with the first frame that is there; the silence in front of it."""
        first = min(self._held)
        missing = first - self._next
        self._counts["missing"] += missing
        self._given_up.extend(range(max(self._next, first - _MOST_REMEMBERED), first))
        self._next = first
        media = self._held[first]
        lasts_ms = self._missing_ms(media, missing)
        if not lasts_ms:
            return []
        began = max(0, media.timestamp_ms - lasts_ms)
        silence = replace(media, payload=b"", timestamp_ms=began, chunk=0, lasts_ms=lasts_ms)
        return [silence]

    def _missing_ms(self, media: Media, frames: int) -> int:
        size = self._size or len(media.payload)
        room = min(frames * size // self._bytes_a_ms, MOST_FILLED_MS)
        if not media.timestamp_ms:
            return room
        ends = self.stamp_ms + self._size // self._bytes_a_ms
        return max(0, min(room, media.timestamp_ms - ends))
