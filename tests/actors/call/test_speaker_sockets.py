"""The speaker and a Deepgram that misbehaves, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.call import kept_phrases
from aybiza.actors.call.speaker_actor import KEPT_SECONDS, Finish, Speak, SpeakerActor
from aybiza.actors.runtime import Pid, virtual_time
from aybiza.dialogue.events import Heard, LineFailed, Unsaid
from aybiza.emulators.textaudio import TextAudioDecoder, encode
from aybiza.speech.deepgram_socket import DeepgramRefused
from aybiza.speech.deepgram_speak import Audio, Cleared, Flushed
from tests.actors.call.sockets import Place, Socket, place
from tests.call.kit import AGENT
from tests.speech.test_reconnect import most_in

# Sixteen characters a second, as people speak.
BYTES_PER_CHAR = 480


class Voice:
    """What a speak socket does: joined texts, audio ten times as fast as speech, limits. `pause`:
    nothing comes for so long in the midst of a flush; `early`: its end is told so long before its
    last audio."""

    def __init__(
        self, first: float = 0.03, refuses: str = "xyzzy", pause: float = 0.0, early: float = 0.0
    ) -> None:
        self.first = first
        self.pause = pause
        self.early = early
        self.refuses = refuses
        self.texts: list[str] = []
        self.flushes: list[float] = []
        self.joined: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._order: dict[int, asyncio.Lock] = {}

    def __call__(self, socket: Socket, kind: str, what: Any) -> None:
        if kind == "speak":
            if self.refuses in what:
                socket.end(1008, "DATA-0001")
            self.texts.append(what)
        elif kind == "flush":
            self.flushes.append(asyncio.get_running_loop().time())
            self.joined.append("".join(self.texts))
            self.texts.clear()
            task = asyncio.ensure_future(self._in_order(socket, self.joined[-1]))
            self._tasks.add(task)
        elif kind == "clear":
            self.texts.clear()
            for task in self._tasks:
                task.cancel()
            socket.say(Cleared(0))

    async def _in_order(self, socket: Socket, text: str) -> None:
        async with self._order.setdefault(id(socket), asyncio.Lock()):
            await self._say(socket, text)

    async def _say(self, socket: Socket, text: str) -> None:
        await asyncio.sleep(self.first)
        audio = encode(text, BYTES_PER_CHAR)
        half = len(audio) // 3200 * 1600
        for start in range(0, len(audio), 1600):
            await asyncio.sleep(self.pause if start == half else 0.0)
            if self.early and start + 1600 >= len(audio):
                socket.say(Flushed(0))
                await asyncio.sleep(self.early)
            socket.say(Audio(audio[start : start + 1600]))
            await asyncio.sleep(0.02)
        if not self.early:
            socket.say(Flushed(0))


def voice(there: Place, **options: Any) -> Voice:
    """Have all sockets speak."""
    made = Voice(**options)

    def does(socket: Socket) -> None:
        made.texts.clear()
        socket.on = made

    there.deepgram.does = does
    return made


async def started(there: Place) -> Pid:
    pid = await there.vm.start(SpeakerActor, there.context)
    assert pid is not None
    await asyncio.sleep(0.1)
    return pid


def say(there: Place, pid: Pid, turn: int, *texts: str, first: int = 1) -> None:
    for seq, text in enumerate(texts, first):
        there.vm.cast(pid, Speak(turn, seq, text, there.line.ledger.generation))
    there.vm.cast(pid, Finish(turn))


def heard(there: Place) -> str:
    return TextAudioDecoder().feed(bytes(there.telephone.played))


def counted(events: list[Any]) -> list[tuple[int, int]]:
    return [(event.turn, event.seq) for event in events if isinstance(event, Heard)]


CODES = (
    "I have ten codes for you. Code one is 11001. Next one is 22002. Then comes 33003. "
    "After that 44004. Now it is 55005. Here is 66006. Please note 77007. Write down 88008. "
    "Almost there 99009. One more 10101. Two more 20202. Now hear 30303. Let me read 40404. "
    "Last is 50505. Goodbye now."
)


@virtual_time
async def test_the_texts_of_a_flush_are_apart_and_flushes_are_few() -> None:
    async with place() as there:
        spoken = voice(there)
        pid = await started(there)
        texts = [f"{text.rstrip('.')}." for text in CODES.split(". ")]
        say(there, pid, 1, *texts)
        await asyncio.sleep(60.0)
        assert heard(there).split() == CODES.split()
        assert all(text.endswith(" ") or text == "" for text in spoken.joined)
        assert len(spoken.flushes) <= 4
        assert counted(there.events()) == [(1, seq + 1) for seq in range(len(texts))]


@virtual_time
async def test_in_a_minute_of_twelve_sentences_the_first_audio_comes_as_soon_as_ever() -> None:
    async with place() as there:
        spoken = voice(there)
        pid = await started(there)
        firsts = []
        for turn in range(1, 25):
            began = there.now
            there.vm.cast(pid, Speak(turn, 1, "That is fine with me.", 0))
            await asyncio.sleep(0.5)
            there.vm.cast(pid, Finish(turn))
            await asyncio.sleep(2.0)
            firsts.append(there.telephone.first_audio(began))
        assert max(firsts) <= firsts[0] + 0.35, "a new socket, where one has had its twenty"
        assert max(firsts[:19]) == pytest.approx(firsts[0], abs=0.01)
        assert heard(there).count("fine with me") == 24
        assert most_in(60.0, spoken.flushes) <= 24


@virtual_time
async def test_a_text_that_is_refused_is_tried_twice_and_told_and_the_rest_is_spoken() -> None:
    async with place() as there:
        voice(there)
        pid = await started(there)
        with capture_logs() as entries:
            say(
                there,
                pid,
                1,
                "The first part.",
                "The glyph xyzzy cannot be said.",
                "The last part.",
            )
            await asyncio.sleep(30.0)
        assert heard(there).split() == ["The", "first", "part.", "The", "last", "part."]
        events = there.events()
        assert counted(events) == [(1, 1), (1, 3)] and Unsaid(1, 2) in events
        tried = [
            t for s in there.deepgram.sockets for k, t in s.sent if k == "speak" and "xyzzy" in t
        ]
        assert len(tried) == 2
        [told] = [entry for entry in entries if entry["event"] == "text_passed_over"]
        assert (told["turn"], told["seq"]) == (1, 2) and "glyph" not in str(entries)
        assert not [e for e in there.events() if isinstance(e, LineFailed)]


@pytest.mark.parametrize("silent", [1, 2])
@virtual_time
async def test_a_silent_socket_is_replaced_and_nothing_is_lost(silent: int) -> None:
    async with place() as there:
        spoken = voice(there)

        def does(socket: Socket) -> None:
            spoken.texts.clear()
            socket.on = spoken if len(there.deepgram.asked) > silent else (lambda *_: None)

        there.deepgram.does = does
        pid = await started(there)
        kept_phrases.table(there.vm).keep(AGENT.voice, AGENT.filler, encode("Wait. ", 480))
        text = "This is said although the voice fell silent once."
        say(there, pid, 1, text)
        await asyncio.sleep(30.0)
        # A text on which two sockets are silent is taken for one that cannot be said: where that
        # is all there was to say, the caller is told that something went wrong.
        assert heard(there).split() == (text if silent == 1 else AGENT.error).split()


ODD: list[dict[str, float]] = [{"pause": 4.0}, {"early": 0.3}]


@pytest.mark.parametrize("odd", ODD, ids=str)
@virtual_time
async def test_a_voice_that_pauses_or_tells_its_end_too_early_is_heard_to_its_end(
    odd: dict[str, float],
) -> None:
    async with place() as there:
        voice(there, **odd)
        pid = await started(there)
        texts = [["Yes.", "That is fine with me."], ["And this is said as well."]]
        for turn, given in enumerate(texts, 1):
            say(there, pid, turn, *given)
            await asyncio.sleep(30.0)
        assert heard(there).split() == " ".join(" ".join(given) for given in texts).split()
        assert counted(there.events()) == [(1, 1), (1, 2), (2, 1)]


def refuse(_: Socket) -> None:
    raise DeepgramRefused(503)


async def hang(_: Socket) -> None:
    await asyncio.sleep(3600)


DOORS: dict[str, Callable[[Socket], Any]] = {
    "refuses": refuse,
    "does not answer": hang,
    "closes at once": lambda socket: socket.end(1011),
    "says nothing": lambda socket: None,
    "takes nothing": lambda socket: setattr(socket, "takes", False),
}


@pytest.mark.parametrize("does", DOORS.values(), ids=list(DOORS))
@virtual_time
async def test_without_a_voice_what_is_kept_is_heard_and_the_rest_is_the_end(does: Any) -> None:
    async with place() as there:
        there.deepgram.does = does
        phrases = kept_phrases.table(there.vm)
        for text in (AGENT.greeting, AGENT.filler, AGENT.closing):
            phrases.keep(AGENT.voice, text, encode(f"{text} ", BYTES_PER_CHAR))
        pid = await started(there)
        say(there, pid, 0, AGENT.greeting)
        await asyncio.sleep(8.0)
        assert heard(there).split() == AGENT.greeting.split()
        assert there.telephone.heard_at[0][0] <= 5.0
        began = there.now
        say(there, pid, 1, "Nobody has kept this one.")
        told: dict[str, float] = {}
        for _ in range(250):
            await asyncio.sleep(0.1)
            for event in there.events():
                told.setdefault(type(event).__name__, there.now - began)
        assert told["LineFailed"] <= 16.0
        assert most_in(10.0, there.deepgram.asked) <= 5
        say(there, pid, 2, AGENT.closing)
        await asyncio.sleep(5.0)
        assert heard(there).endswith(f"{AGENT.closing} ")
        asked = len(there.deepgram.asked)
        await asyncio.sleep(60.0)
        assert len(there.deepgram.asked) == asked, "it is given up for good"


@virtual_time
async def test_without_a_voice_and_without_kept_phrases_the_line_has_failed() -> None:
    async with place() as there:
        there.deepgram.does = refuse
        pid = await started(there)
        say(there, pid, 0, AGENT.greeting)
        await asyncio.sleep(16.0)
        assert [type(e) for e in there.events()] == [LineFailed]
        say(there, pid, 1, AGENT.closing)
        await asyncio.sleep(0.1)
        assert [type(e) for e in there.events()] == [LineFailed, LineFailed]


@virtual_time
async def test_a_text_without_a_word_counts_as_heard_and_costs_nothing() -> None:
    async with place() as there:
        spoken = voice(there)
        pid = await started(there)
        say(there, pid, 1, "***", "😊", "One.", "…")
        await asyncio.sleep(5.0)
        assert heard(there) == "One. "
        assert spoken.joined == ["One. "]
        assert counted(there.events()) == [(1, 1), (1, 2), (1, 3), (1, 4)]


@virtual_time
async def test_a_filler_is_heard_before_what_the_voice_does_not_say() -> None:
    async with place() as there:
        kept_phrases.table(there.vm).keep(AGENT.voice, AGENT.filler, encode("Wait. ", 480))
        pid = await started(there)
        say(there, pid, 1, "Nobody says this.")
        await asyncio.sleep(2.0)
        there.vm.cast(pid, Speak(1, 0, AGENT.filler, 0))
        await asyncio.sleep(1.0)
        assert heard(there) == "Wait. "


@virtual_time
async def test_a_filler_does_not_wait_for_a_voice_that_is_slow_to_begin() -> None:
    async with place() as there:
        kept_phrases.table(there.vm).keep(AGENT.voice, AGENT.filler, encode("Wait. ", 480))
        pid = await started(there)
        await asyncio.sleep(0.1)
        say(there, pid, 1, "Nobody says this.")
        await asyncio.sleep(0.05)
        there.vm.cast(pid, Speak(1, 0, AGENT.filler, 0))
        began = there.now
        await asyncio.sleep(1.5)
        assert there.telephone.heard_at[0][0] - began < KEPT_SECONDS + 0.15


@virtual_time
async def test_a_filler_that_comes_too_late_is_not_heard() -> None:
    async with place() as there:
        spoken = voice(there)
        pid = await started(there)
        say(there, pid, 1, "This is the answer.")
        await asyncio.sleep(0.5)
        there.vm.cast(pid, Speak(1, 0, AGENT.filler, 0))
        await asyncio.sleep(5.0)
        assert heard(there) == "This is the answer. "
        assert spoken.joined == ["This is the answer. "]


@virtual_time
async def test_words_about_the_line_are_heard_before_what_waits() -> None:
    async with place() as there:
        voice(there)
        pid = await started(there)
        say(there, pid, 1, "One is here.", "Two is here.", "Three is here.")
        await asyncio.sleep(0.05)
        there.vm.cast(pid, Speak(1, 0, AGENT.bridge, 0))
        await asyncio.sleep(9.0)
        assert heard(there) == f"One is here. {AGENT.bridge} Two is here. Three is here. "


@virtual_time
async def test_what_was_said_whole_is_kept_at_its_first_use() -> None:
    async with place() as there:
        voice(there)
        pid = await started(there)
        say(there, pid, 0, AGENT.greeting)
        say(there, pid, 1, "This is no fixed phrase.")
        await asyncio.sleep(10.0)
        phrases = kept_phrases.table(there.vm)
        assert phrases.get(AGENT.voice, AGENT.greeting) == encode(f"{AGENT.greeting} ", 480)
        assert len(phrases) == 1


@virtual_time
async def test_what_is_cleared_is_forgotten_and_what_follows_is_whole() -> None:
    async with place() as there:
        voice(there)
        pid = await started(there)
        say(there, pid, 1, "One two three four five six seven eight.", "And more of it.")
        await asyncio.sleep(1.0)
        there.line.clear(there.now)
        there.vm.cast(pid, "stop")
        before = len(there.telephone.played)
        say(there, pid, 2, "Something else.")
        await asyncio.sleep(10.0)
        after = TextAudioDecoder().feed(bytes(there.telephone.played[before:]))
        assert after == "Something else. "
        assert there.events()[-1] == Heard(2, 1)


@virtual_time
async def test_a_voice_that_sounds_without_end_is_left_and_what_it_could_not_say_is_told() -> None:
    async with place() as there:

        def does(socket: Socket) -> None:
            async def endless() -> None:
                while not socket.closed:
                    socket.say(Audio(bytes(16_000)))
                    await asyncio.sleep(0.01)

            def on(_: Socket, kind: str, what: Any) -> None:
                if kind == "flush":
                    sounding.append(asyncio.ensure_future(endless()))

            socket.on = on

        sounding: list[asyncio.Task[None]] = []
        there.deepgram.does = does
        pid = await started(there)
        say(there, pid, 1, "One text.")
        with capture_logs() as lines:
            await asyncio.sleep(400.0)
        assert len(sounding) >= 2 and all(task.done() for task in sounding)
        told = [line["reason"] for line in lines if line["event"] == "speaker_down"]
        assert "it sends more sound than the text can have" in told
        assert any(isinstance(event, Unsaid | LineFailed) for event in there.events())
        # What is out is what was to be heard: no more than the text can have, for each try.
        assert len(there.telephone.played) <= 45 * 8_000
