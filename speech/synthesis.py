"""Which texts are synthesised together, when, and what to do about those that are never said. Pure.

Texts wait in their order. `next` gives the `Go` that is to be sent now: its texts are spoken and
flushed in one. The first text of a turn goes alone and at once; the following ones go together when
the audio that is left to hear runs low (`LOW_SECONDS`). A long text goes in parts. One go is under
way at a time: audio carries no name of its text.

A go that ends without its audio is tried again, text by text, so that one text which cannot be said
costs no other. A voice that pauses where the one before has stalled has said all of it, and does
not tell (`untold`), if that is about as long as what was whole before makes likely: from
then on a pause behind so much is a go's end, as any is where the end was told ahead of the audio.
What stalls is not whole with a voice whose protocol has an end of its own (`tells_ends`). Audio
behind an end is heard all the same (a `tail`), and from then on what this voice tells of an end is
not believed but for the pause behind it.

A text that has been tried `TRIES` times and brought nothing new is passed over: it counts as said,
in its place, with the pause that would have been behind it. So does a text without anything to say,
but for the pause. What is out of a go already is not sent to the caller again
(`skip`); the ledger knows how much that is.

Errors: none. Times are seconds of the owner's clock.
Source: Deepgram, speak v1: Flush, Flushed, limits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import wrap

from aybiza.speech.mulaw import silence
from aybiza.speech.playout import BYTES_A_SECOND, Ledger, Sentence

# Enough to hear while the next texts are synthesised.
LOW_SECONDS = 2.5
# What goes together at most: some 25 seconds of speech.
GO_CHARACTERS = 400
TRIES = 2
# A flush that is done without audio may be the echo of another one: so long its own may take.
EMPTY_SECONDS = 0.5
# Where the end of a go is not told, or was told ahead of its audio, so long a pause is the end.
QUIET_SECONDS = 1.0
# Of the audio that a text is likely to have: less of it is not the whole.
LIKELY_SHARE = 0.9
# A text has at most so much audio, and a second for each of its characters.
MOST_SECONDS = 30.0
# Audio that came in small pieces lies in pieces of so many bytes: all of them are counted again and
# again.
PIECE_BYTES = 4_000
# Bytes of a character, of a voice that has told nothing to be whole yet: nobody speaks faster.
LEAST_BYTES = BYTES_A_SECOND // 50
# Behind a text that broke off, so that the next one is no part of it.
PAUSE = silence(0.25)
# So long behind the end of a go its audio may still come.
TAIL_SECONDS = 6.0


@dataclass(slots=True)
class Text:
    """A text to be said: as written, and as the voice is to read it.

    `most_came`: the most audio that has come for it in one try; `broken`: no more of it ever will.
    `then`: the next part of the same
    sentence; `base`: how many bytes of audio the parts before this one have.
    """

    sentence: Sentence
    written: str
    spoken: str
    tries: int = 0
    alone: bool = False
    most_came: int = 0
    broken: bool = False
    base: int = 0
    then: Text | None = None


@dataclass(slots=True)
class Go:
    """Texts that are spoken in one; see the module.

    `audio` is what the caller is to get next of it; `complete`: nothing follows. `skip` bytes of it
    are out, `carried` of these by a go before it. `came`: all audio of this try. `emptied`: when it
    was told to be done without any. `told`: that was ahead of its audio; `last`: when that came.
    `tail`: it is what came of another go behind its end.
    """

    texts: list[Text]
    asked: float
    skip: int = 0
    carried: int = 0
    audio: deque[bytes] = field(default_factory=deque)
    complete: bool = False
    came: int = 0
    emptied: float | None = None
    told: bool = False
    last: float = 0.0
    tail: bool = False

    @property
    def name(self) -> Sentence:
        """Under which its audio stands in the ledger."""
        return self.texts[0].sentence

    @property
    def characters(self) -> int:
        return sum(len(text.spoken) + 1 for text in self.texts)


class Synthesis:
    """See the module. `voiced` makes of a text what the voice is to read, "" if that is nothing.
    `low`: seconds of audio with which the next texts are synthesised."""

    def __init__(
        self, ledger: Ledger, voiced: Callable[[str], str], low: float = LOW_SECONDS
    ) -> None:
        self.low = low
        self._ledger = ledger
        self._voiced = voiced
        self._turn: int | None = None
        self._skip = 0
        self._untold = self.tells_ends = False
        # Of what went out together all but the last: what is out of it may be the next one's.
        self._sharing: set[Sentence] = set()
        # Whether ends are told ahead of audio; the go that ended last on this socket.
        self._hasty = False
        self._ended: Go | None = None
        # Characters of what was taken to be said whole, and bytes of it.
        self._whole = (0, 0)
        self.waiting: deque[Text] = deque()
        self.goes: deque[Go] = deque()
        self.finishing = False

    def give(self, sentence: Sentence, text: str, *, recorded: bool = False) -> None:
        """Say it behind the others. What is about the line (`seq` not above 0) goes before them,
        unless one of them is broken off. `recorded`: there is audio of it (`kept`)."""
        voiced = [text] if recorded else parts_of(self._voiced(text))
        parts = [Text(sentence, text, part, alone=recorded) for part in voiced]
        for part, following in pairwise(parts):
            part.then, part.alone, following.alone = following, True, True
        parts = parts or [Text(sentence, text, "")]
        if sentence.seq <= 0 and not self._skip:
            self.waiting.extendleft(reversed(parts))
        else:
            self.waiting.extend(parts)
        self.finishing = False

    def drop(self, is_late: Callable[[Text], bool]) -> list[Text]:
        """Forget those of the asides that wait which come too late by now; these."""
        late = [text for text in self.waiting if text.sentence.seq <= 0 and is_late(text)]
        for text in late:
            self.waiting.remove(text)
        return late

    def clear(self) -> bool:
        """Forget everything; whether a go was under way."""
        awaited = self.awaited is not None
        self.waiting.clear()
        self.goes.clear()
        self._turn, self._skip, self.finishing = None, 0, False
        self._ended = None
        self._sharing.clear()
        return awaited

    @property
    def awaited(self) -> Go | None:
        """The go that is under way."""
        return next((go for go in self.goes if not go.complete), None)

    @property
    def buffered(self) -> float:
        """Seconds of audio that have come and are not out."""
        return sum(len(piece) for go in self.goes for piece in go.audio) / BYTES_A_SECOND

    def wants(self, lead: float, *, early: bool) -> bool:
        """Whether a go is to be sent now; `lead`: seconds of audio that are left to hear; `early`:
        whether a flush that nobody waits for is affordable."""
        if not self.waiting or self.awaited is not None:
            return False
        return lead <= self.low or (self.finishing and early)

    def next(self, now: float, lead: float, *, early: bool, most: int = GO_CHARACTERS) -> Go | None:
        """The go to send now, of `most` characters if it can be less, or None."""
        self._pass_over_the_wordless(now)
        if not self.wants(lead, early=early):
            return None
        go = self._add([self.waiting.popleft() for _ in range(self._together(most))], now)
        self._turn = go.name.turn
        return go

    def _together(self, most: int) -> int:
        """How many of the waiting texts go together."""
        first, characters = self.waiting[0], 0
        if first.alone or first.sentence.turn != self._turn:
            return 1
        for count, text in enumerate(self.waiting):
            characters += len(text.spoken) + 1
            is_other = text.alone or not text.spoken or text.sentence.turn != self._turn
            if count and (is_other or characters > most):
                return count
        return len(self.waiting)

    def _add(self, texts: list[Text], now: float) -> Go:
        first, *others = texts
        self._sharing.update(self._ledger.together(first.sentence)[:-1])
        self._ledger.given(first.sentence, len(first.written))
        for text in others:
            self._ledger.given(text.sentence, len(text.written), first.sentence)
        out = max(0, self._ledger.bytes_sent(first.sentence) - first.base)
        go = Go(texts, now, out + self._skip, self._skip)
        self._skip = 0
        self.goes.append(go)
        return go

    def kept(self, text: Text, audio: bytes, now: float) -> None:
        """Say a waiting text by audio that was kept, before the go that is under way."""
        self.waiting.remove(text)
        go = self._add([text], now)
        self.goes.pop()
        go.complete, self._skip = True, go.carried
        if go.skip < len(audio):
            go.audio.append(audio[go.skip :])
        before = next((i for i, other in enumerate(self.goes) if not other.complete), None)
        self.goes.insert(len(self.goes) if before is None else before, go)

    def audio(self, mulaw: bytes, now: float) -> bool:
        """The next audio has come; whether it is the first of its go."""
        go = self.awaited or self._tail(now)
        if go is None:
            return False
        first = not go.came
        go.came += len(mulaw)
        go.emptied, go.last = None, now
        if go.complete and (following := go.texts[-1].then) is not None:
            following.base += len(mulaw)
        passed = min(go.skip, len(mulaw))
        go.skip -= passed
        if passed < len(mulaw):
            _join(go.audio, mulaw[passed:])
        return first

    @property
    def is_too_long(self) -> bool:
        """Whether more audio has come for a go than its texts can have."""
        go = self.awaited or self._ended
        return go is not None and go.came > (MOST_SECONDS + go.characters) * BYTES_A_SECOND

    def _tail(self, now: float) -> Go | None:
        """Of the go whose end was told, or taken for one, ahead of its last audio."""
        ended = self._ended
        if ended is None or now - ended.last > TAIL_SECONDS:
            return None
        self._hasty = True
        if ended in self.goes:
            return ended
        tail = Go(ended.texts, now, ended.skip, complete=True, came=ended.came, tail=True)
        self.goes.append(tail)
        self._ended = tail
        return tail

    def flushed(self, now: float) -> Go | None:
        """A flush is done: the go that is complete by it."""
        go = self.awaited
        self._untold = False
        if go is None:
            return None
        if not go.came or self._hasty:
            go.emptied, go.told = now, True
            return None
        return self._complete(go)

    def paused(self, now: float) -> Go | None:
        """The go that is complete by a pause, where its end is not told behind its audio."""
        go = self.awaited
        if go is None or not go.came or self.due is None or now < self.due:
            return None
        self._untold = self._untold or not go.told
        return self._complete(go)

    def _complete(self, go: Go) -> Go:
        go.complete, self._ended = True, go
        characters, came = self._whole
        self._whole = characters + go.characters, came + go.came
        following = go.texts[-1].then
        if following is None:
            # Texts that went out together have one count: what is left of it is the next ones'.
            # Of one that went alone another voice was slower, and this one has said all of it.
            self._skip = go.skip if go.texts[-1].sentence in self._sharing else 0
        else:
            following.base = go.texts[0].base + go.came
        return go

    @property
    def due(self) -> float | None:
        """When the flush under way is silent or over, if no audio comes."""
        go = self.awaited
        if go is None:
            return None
        if go.came:
            over = go.told or (self._is_untold(go) and self._is_likely_whole(go))
            return go.last + QUIET_SECONDS if over else None
        return None if go.emptied is None else go.emptied + EMPTY_SECONDS

    def _is_untold(self, go: Go) -> bool:
        again = len(go.texts) == 1 and go.came == go.texts[0].most_came
        return (self._untold or again) and not self.tells_ends

    def is_silent(self, now: float) -> bool:
        """Whether a flush that was done without audio has had its time."""
        go = self.awaited
        return go is not None and not go.came and self.due is not None and now >= self.due

    def lost(self, now: float, *, tried: bool = True) -> list[Text]:
        """The go under way will not be completed; the texts that are passed over for it. `tried`:
        its texts have reached the voice."""
        go, self._ended = self.awaited, None
        if go is None:
            return []
        self.goes.remove(go)
        self._skip = go.carried
        if tried:
            first = go.texts[0]
            for text in go.texts:
                text.tries = 0 if go.came > first.most_came else text.tries + 1
                text.alone = True
            first.most_came = max(first.most_came, go.came)
        given_up = [text for text in go.texts if text.tries >= TRIES]
        for text in reversed(go.texts):
            self.waiting.appendleft(text)
        for text in given_up:
            text.spoken, text.broken = "", text.most_came > 0 and text.then is None
            if text.then is not None:
                # What is out of the sentence is not of the part that follows.
                text.then.base = self._ledger.bytes_sent(text.sentence)
        self._pass_over_the_wordless(now)
        return given_up

    def _is_likely_whole(self, go: Go) -> bool:
        """Whether what came is as long as this voice takes for a text, or else any voice."""
        characters, came = self._whole if self._whole[0] else (1, LEAST_BYTES)
        return go.came * characters >= LIKELY_SHARE * came * go.characters

    def _pass_over_the_wordless(self, now: float) -> None:
        if self.awaited is not None:
            return
        while self.waiting and not self.waiting[0].spoken:
            text = self.waiting.popleft()
            go = self._add([text], now)
            go.complete, self._skip = True, go.carried
            if text.broken:
                go.audio.append(PAUSE)


def _join(audio: deque[bytes], piece: bytes) -> None:
    if audio and len(audio[-1]) + len(piece) <= PIECE_BYTES:
        piece = audio.pop() + piece
    audio.append(piece)


def parts_of(spoken: str) -> list[str]:
    """The text cut between words, where it is too long for one go; nothing for a blank one."""
    return wrap(spoken, GO_CHARACTERS, break_on_hyphens=False)
