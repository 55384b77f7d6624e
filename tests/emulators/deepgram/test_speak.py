"""What is said to texts. The socket is a list, the voice the scripted one, the clock a number."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aybiza.emulators.deepgram.engine import ScriptedEngine, SynthesisError
from aybiza.emulators.deepgram.faults import Fault, Faults
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.schemas import problem
from aybiza.emulators.deepgram.session import Action, Close, Send, Synthesise
from aybiza.emulators.deepgram.speak import (
    CHARACTERS,
    FLUSHES,
    PIECE_BYTES,
    TEXT_CHARACTERS,
    Pace,
    Speaking,
    sentences,
)
from aybiza.emulators.textaudio import TextAudioDecoder

CASES = Path(__file__).parents[1] / "cases"
IDENTITY = Identity.of(1, 1, "aura-asteria-en", "2026-01-01T00:00:00.000Z")
AT_ONCE = Pace(times_real_time=1e6)


class Socket:
    """A speak socket without a wire; `until` lets its time go by, `said` is what was said on it."""

    def __init__(self, engine: Any = None, pace: Pace = AT_ONCE, **limits: Any) -> None:
        self.said: list[bytes | dict[str, Any]] = []
        self.ended: list[Close] = []
        self.noted: list[tuple[str, dict[str, Any]]] = []
        self.faults = Faults()
        self.now = 0.0
        self._engine = engine or ScriptedEngine()
        self.speaking = Speaking(
            IDENTITY,
            pace,
            lambda what, /, **more: self.noted.append((what, more)),
            self.faults.strike("speak", "call"),
            **limits,
        )
        self._do(self.speaking.opened(self.now))
        self.said.clear()

    def tell(self, kind: str, **more: Any) -> None:
        self.raw(json.dumps({"type": kind, **more}))

    def raw(self, message: str | bytes) -> None:
        self._do(self.speaking.message(self.now, message))

    def speak(self, *texts: str) -> None:
        for text in texts:
            self.tell("Speak", text=text)
        self.tell("Flush")

    def until(self, when: float) -> None:
        """Let the time go by to `when`."""
        while not self.ended and (due := self.speaking.due) is not None and due <= when:
            self.now = max(self.now, due)
            self._do(self.speaking.wake(self.now))
        self.now = max(self.now, when)

    def finish(self) -> None:
        """Let everything be said that was asked for; takes less than a second here."""
        self.until(self.now + 0.5)

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Send(bytes(data)):
                    self.said.append(data)
                case Send(data):
                    message = json.loads(data)
                    assert problem("speak", message) is None
                    self.said.append(message)
                case Synthesise(ticket, text, voice):
                    self._do(self.speaking.synthesised(self.now, ticket, self._audio(text, voice)))
                case Close():
                    self.ended.append(action)

    def _audio(self, text: str, voice: str) -> bytes | None:
        coroutine = self._engine.synthesise(text, voice)
        try:
            coroutine.send(None)
        except StopIteration as done:
            audio: bytes | None = done.value
            return audio
        except SynthesisError:
            return None
        raise AssertionError("the scripted voice does not wait")

    def types(self) -> list[str]:
        """The types of the messages, audio as one word for each stretch of it."""
        found: list[str] = []
        for message in self.said:
            kind = "audio" if isinstance(message, bytes) else str(message["type"])
            if kind != "audio" or found[-1:] != ["audio"]:
                found.append(kind)
        return found

    def audio(self) -> bytes:
        return b"".join(message for message in self.said if isinstance(message, bytes))

    def heard(self) -> str:
        return TextAudioDecoder().feed(self.audio())

    def warnings(self) -> list[str]:
        return [
            message["description"]
            for message in self.said
            if isinstance(message, dict) and message["type"] == "Warning"
        ]


@pytest.fixture
def socket() -> Socket:
    return Socket()


def test_it_begins_with_who_it_is() -> None:
    session = Speaking(IDENTITY, Pace(), lambda what, /, **more: None)
    (told,) = session.opened(0.0)
    assert isinstance(told, Send) and json.loads(told.data) == {
        "type": "Metadata",
        "request_id": IDENTITY.request_id,
        "model_name": "aura-asteria-en",
        "model_version": "2025-01-01.0",
        "model_uuid": IDENTITY.model_uuid,
    }


def test_texts_wait_for_a_flush(socket: Socket) -> None:
    socket.tell("Speak", text="One.")
    socket.finish()
    assert socket.said == []
    socket.tell("Flush")
    socket.finish()
    assert socket.types() == ["audio", "Flushed"]
    assert socket.heard() == "One. "


def test_the_texts_of_a_flush_are_joined_exactly_as_they_were_sent() -> None:
    case = json.loads((CASES / "speak_joined.json").read_text())
    texts = re.findall(r"\S.*?[.!?](?= |$)", case["answer"])
    assert len(texts) > 10
    glued, apart = Socket(), Socket()
    glued.speak(*texts)
    apart.speak(*[text + " " for text in texts])
    for socket in (glued, apart):
        socket.until(5.0)
    assert glued.heard() == "".join(texts) + " "
    assert "11001.Next" in glued.heard()
    assert apart.heard() == case["answer"] + " "


def test_each_flush_is_answered_behind_its_own_audio(socket: Socket) -> None:
    socket.speak("One. ", "Two.")
    socket.speak("Three.")
    socket.speak()
    socket.finish()
    assert socket.types() == ["audio", "Flushed", "audio", "Flushed", "Flushed"]
    assert socket.heard() == "One. Two. Three. "
    numbers = [m["sequence_id"] for m in socket.said if isinstance(m, dict)]
    assert numbers == [1, 2, 3]


def test_audio_comes_in_pieces_of_irregular_size(socket: Socket) -> None:
    socket.speak("A sentence, that is long enough for some pieces of audio, " * 8)
    socket.finish()
    sizes = [len(message) for message in socket.said if isinstance(message, bytes)]
    assert len(set(sizes)) > 3
    assert all(PIECE_BYTES[0] <= size <= PIECE_BYTES[1] for size in sizes[:-1])
    assert [what for what, _ in socket.noted] == ["speak", "flush", "first_audio"]


def test_audio_comes_as_fast_as_the_pace_says() -> None:
    socket = Socket(pace=Pace(first_ms=120, times_real_time=2.0))
    socket.speak("x" * 250)
    socket.until(0.119)
    assert socket.said == []
    # A character lasts 4 ms, and there is one more, for the pause behind a flush.
    socket.until(0.120 + 0.502)
    assert socket.types() == ["audio", "Flushed"]


def test_a_sentence_sounds_the_same_whatever_it_is_flushed_with(socket: Socket) -> None:
    other = Socket()
    socket.speak("One. ", "Two.")
    other.speak("One. ")
    other.speak("Two.")
    for one in (socket, other):
        one.finish()
    assert socket.audio() == other.audio()


def test_a_clear_drops_what_waits_and_what_is_under_way_but_for_the_next_piece() -> None:
    socket = Socket(pace=Pace(times_real_time=1.0))
    socket.speak("A long sentence. " * 50)
    socket.speak("A second one.")
    socket.tell("Speak", text="A third one.")
    assert len(socket.said) == 1
    socket.until(0.01)
    socket.tell("Clear")
    # One piece may be in flight.
    kinds = ["audio" if isinstance(m, bytes) else m["type"] for m in socket.said]
    assert kinds in (["audio", "audio", "Cleared"], ["audio", "Cleared"])
    socket.speak("Afterwards.")
    socket.until(5.0)
    assert socket.heard().endswith("Afterwards. ")
    assert "second" not in socket.heard()


def test_a_clear_with_nothing_to_drop_is_answered(socket: Socket) -> None:
    socket.speak("One.")
    socket.finish()
    socket.tell("Clear")
    assert socket.types() == ["audio", "Flushed", "Cleared"]


def test_the_21st_flush_within_a_minute_is_ignored_with_a_warning(socket: Socket) -> None:
    for _ in range(FLUSHES):
        socket.speak()
    socket.until(59.9)
    socket.speak("Kept.")
    assert len(socket.warnings()) == 1
    assert "more than 20 flushes" in socket.warnings()[0]
    assert socket.types().count("Flushed") == FLUSHES
    assert socket.heard() == ""
    socket.until(60.0)
    socket.speak()
    socket.finish()
    assert socket.types().count("Flushed") == FLUSHES + 1
    assert socket.heard() == "Kept. "


def test_a_text_over_the_limit_is_ignored_with_a_warning(socket: Socket) -> None:
    socket.speak("x" * TEXT_CHARACTERS)
    socket.until(60.0)
    assert socket.warnings() == []
    socket.tell("Speak", text="x" * (TEXT_CHARACTERS + 1))
    assert socket.warnings() == ["a text has at most 2000 characters"]


def test_more_characters_within_a_minute_end_the_socket(socket: Socket) -> None:
    socket.tell("Speak", text="x" * 2000)
    socket.tell("Speak", text="x" * (CHARACTERS - 2000))
    assert socket.ended == []
    socket.tell("Speak", text="x")
    assert socket.ended == [Close(1008, "DATA-0001: more than 2400 characters in a minute")]
    later = Socket()
    later.tell("Speak", text="x" * 2000)
    later.until(60.0)
    later.tell("Speak", text="x" * 2000)
    assert later.ended == []


def test_close_ends_in_order(socket: Socket) -> None:
    socket.speak("A long sentence. " * 50)
    socket.tell("Close")
    assert socket.ended == [Close(1000)]


@pytest.mark.parametrize(
    ("limits", "told_at", "ends"),
    [({"lifetime_seconds": 30.0}, 20.0, 30.0), ({"idle_seconds": 10.0}, 5.0, 15.0)],
)
def test_a_socket_has_a_longest_life_and_a_longest_silence(
    limits: dict[str, Any], told_at: float, ends: float
) -> None:
    socket = Socket(**limits)
    socket.until(told_at)
    socket.tell("Speak", text="Still here.")
    socket.until(ends - 0.01)
    assert socket.ended == []
    socket.until(ends)
    assert [close.code for close in socket.ended] == [1011]


@pytest.mark.parametrize(
    "raw",
    ["", "{", "[" * 50_000, b"\xff\xfe", "null", "[]", '"Speak"', "{}", '{"type": "Speak"}',
     '{"type": "Speak", "text": 7}', '{"type": "Novelty"}', '{"type": ["Flush"]}'],
)  # fmt: skip
def test_what_is_not_understood_is_answered_with_a_warning(
    socket: Socket, raw: str | bytes
) -> None:
    socket.raw(raw)
    assert len(socket.warnings()) == 1
    socket.speak("Still here.")
    socket.finish()
    assert socket.types()[-1] == "Flushed"


class Mute:
    """A voice that fails at the text "bad"."""

    async def synthesise(self, text: str, voice: str) -> bytes:
        if text == "bad":
            raise SynthesisError("no voice")
        return b"\x01" * 160


def test_a_text_that_cannot_be_spoken_ends_the_socket() -> None:
    socket = Socket(Mute())
    socket.speak("good")
    socket.finish()
    socket.speak("bad")
    assert socket.ended == [Close(1011, "NET-0000: the text could not be spoken")]
    assert socket.types() == ["audio", "Flushed"]


async def test_a_socket_that_is_gone_says_nothing_more_in_any_state() -> None:
    for steps in range(8):
        socket = Socket(pace=Pace(times_real_time=100.0))
        socket.speak("One sentence. " * 20)
        socket.speak("Another.")
        socket.until(steps * 0.003)
        await socket.speaking.gone()
        await socket.speaking.gone()
        said = list(socket.said)
        socket.until(10.0)
        assert socket.said == said


POISON = json.loads((CASES / "poison_sentence.json").read_text())


@pytest.mark.parametrize(
    ("kind", "types", "heard"),
    [
        ("skip_text", ["audio", "Flushed", "audio", "Flushed"], "One. Two. Three. "),
        ("never_say", ["audio", "Flushed"], "One. "),
        ("no_flushed", ["audio", "Flushed", "audio"], "One. Two. The glyph ☠ is here. Three. "),
    ],
)
def test_a_text_can_be_one_that_the_voice_does_not_say(
    socket: Socket, kind: str, types: list[str], heard: str
) -> None:
    socket.faults.add(Fault("speak", kind, text=POISON["poison"]))
    socket.speak("One.")
    socket.speak("Two. The glyph ☠ is here. Three.")
    socket.finish()
    assert socket.types() == types
    assert socket.heard() == heard
    assert socket.faults.waiting() == []


def test_the_journal_tells_a_text_that_was_left_out_of_several(socket: Socket) -> None:
    socket.faults.add(Fault("speak", "skip_text", times=2, text="e"))
    socket.speak("One.")
    socket.finish()
    socket.speak("Two. Three.")
    socket.finish()
    skipped = [more for what, more in socket.noted if what == "skipped"]
    assert skipped == [{"text": "One.", "alone": True}, {"text": "Three.", "alone": False}]


def test_a_text_that_is_never_said_holds_up_all_that_is_behind_it_until_a_clear(
    socket: Socket,
) -> None:
    socket.faults.add(Fault("speak", "never_say", text="☠", times=None))
    for _ in range(2):
        socket.speak(POISON["answer"])
        socket.speak("Behind it.")
        socket.until(socket.now + 30.0)
        assert socket.heard() == ""
        socket.tell("Clear")
    assert socket.types() == ["Cleared", "Cleared"]
    socket.speak("After it.")
    socket.finish()
    assert socket.heard() == "After it. "


def test_a_text_can_close_the_socket(socket: Socket) -> None:
    socket.faults.add(Fault("speak", "refuse_text", 1008, text="☠"))
    socket.tell("Speak", text="fine")
    assert socket.ended == []
    socket.tell("Speak", text="The glyph ☠.")
    assert [close.code for close in socket.ended] == [1008]


def test_an_answer_can_be_late_doubled_or_missing(socket: Socket) -> None:
    socket.faults.add(
        Fault("speak", "slow", seconds=2.0, text="One"),
        Fault("speak", "double_flushed", text="Two"),
        Fault("speak", "no_cleared"),
    )
    socket.speak("One.")
    socket.until(1.99)
    assert socket.said == []
    socket.until(2.5)
    assert socket.types() == ["audio", "Flushed"]
    socket.speak("Two.")
    socket.finish()
    socket.tell("Clear")
    assert socket.types() == ["audio", "Flushed", "audio", "Flushed", "Flushed"]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("Speak"), st.integers(0, 60)),
            st.tuples(st.just("Flush"), st.just(0)),
            st.tuples(st.just("Clear"), st.just(0)),
        ),
        max_size=14,
    )
)
def test_whatever_is_asked_each_flush_and_clear_is_answered_and_no_text_comes_twice(
    asked: list[tuple[str, int]],
) -> None:
    socket = Socket()
    texts = []
    for number, (kind, length) in enumerate(asked):
        if kind == "Speak":
            text = chr(0x4E00 + number) * length + "."
            texts.append((number, text))
            socket.tell("Speak", text=text)
        else:
            socket.tell(kind)
    socket.tell("Flush")
    socket.until(5.0)
    last_clear = max((n for n, (kind, _) in enumerate(asked) if kind == "Clear"), default=-1)
    flushes = 1 + sum(kind == "Flush" for kind, _ in asked[last_clear + 1 :])
    assert sum(m == "Flushed" for m in socket.types()) >= flushes
    assert socket.types().count("Cleared") == sum(kind == "Clear" for kind, _ in asked)
    kept = [text for number, text in texts if number > last_clear]
    heard = socket.heard()
    for text in kept:
        assert text in heard
    for number in range(len(asked)):
        spoken = heard.count(chr(0x4E00 + number))
        assert spoken <= asked[number][1]


@given(st.text())
def test_sentences_joined_are_the_text(text: str) -> None:
    parts = sentences(text)
    assert "".join(parts) in (text, text.rstrip()) or not text.strip()
    assert all(part.strip() for part in parts)
