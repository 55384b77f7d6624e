"""What is said to texts. The socket is a list, the voice the scripted one, the clock a number."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aybiza.emulators.deepgram.engine import ScriptedEngine, SynthesisError
from aybiza.emulators.deepgram.speak import (
    CHARACTERS,
    FLUSHES,
    PIECE_BYTES,
    TEXT_CHARACTERS,
    Closing,
    Pace,
    Speaking,
)
from aybiza.emulators.textaudio import TextAudioDecoder
from tests.speech.kit import nothing_left, until, within

AT_ONCE = Pace(times_real_time=1e6)


class Socket:
    """A speak socket without a wire; what was said on it stands in `said`."""

    def __init__(self, engine: Any = None, pace: Pace = AT_ONCE) -> None:
        self.said: list[bytes | dict[str, Any]] = []
        self.ended: list[tuple[int, str]] = []
        self.noted: list[str] = []
        self.now = 0.0
        self.speaking = Speaking(
            engine or ScriptedEngine(),
            "aura-asteria-en",
            pace,
            self._send,
            self._end,
            lambda what, **_: self.noted.append(what),
            lambda: self.now,
        )

    async def _send(self, message: bytes | str) -> None:
        self.said.append(message if isinstance(message, bytes) else json.loads(message))

    async def _end(self, code: int, reason: str) -> None:
        self.ended.append((code, reason))

    async def tell(self, kind: str, **more: Any) -> Closing | None:
        return await within(self.speaking.message(json.dumps({"type": kind, **more})))

    async def speak(self, *texts: str) -> None:
        for text in texts:
            assert await self.tell("Speak", text=text) is None
        assert await self.tell("Flush") is None

    def types(self) -> list[str]:
        """The types of the messages, audio as one word for each stretch of it."""
        found: list[str] = []
        for message in self.said:
            kind = "audio" if isinstance(message, bytes) else str(message["type"])
            if kind != "audio" or found[-1:] != ["audio"]:
                found.append(kind)
        return found

    async def until(self, kind: str, count: int = 1) -> None:
        await until(lambda: self.types().count(kind) >= count)

    def heard(self) -> str:
        audio = b"".join(message for message in self.said if isinstance(message, bytes))
        return TextAudioDecoder().feed(audio)

    def warnings(self) -> list[str]:
        return [
            message["description"]
            for message in self.said
            if isinstance(message, dict) and message["type"] == "Warning"
        ]


@pytest.fixture
async def socket() -> AsyncIterator[Socket]:
    socket = Socket()
    yield socket
    await within(socket.speaking.close())


async def test_texts_wait_for_a_flush(socket: Socket) -> None:
    await socket.tell("Speak", text="One.")
    await asyncio.sleep(0.01)
    assert socket.said == []
    await socket.tell("Flush")
    await socket.until("Flushed")
    assert socket.types() == ["audio", "Flushed"]
    assert socket.heard() == "One. "


async def test_each_flush_is_answered_behind_its_own_audio(socket: Socket) -> None:
    await socket.speak("One.", "Two.")
    await socket.speak("Three.")
    await socket.speak()
    await socket.until("Flushed", 3)
    assert socket.types() == ["audio", "Flushed", "audio", "Flushed", "Flushed"]
    assert socket.heard() == "One. Two. Three. "
    numbers = [m["sequence_id"] for m in socket.said if isinstance(m, dict)]
    assert numbers == [1, 2, 3]


async def test_audio_comes_in_pieces_of_irregular_size(socket: Socket) -> None:
    await socket.speak("A sentence that is long enough for some pieces of audio. " * 8)
    await socket.until("Flushed")
    sizes = [len(message) for message in socket.said if isinstance(message, bytes)]
    assert len(set(sizes)) > 3
    assert all(PIECE_BYTES[0] <= size <= PIECE_BYTES[1] for size in sizes[:-1])
    assert socket.noted == ["speak", "first_audio"]


async def test_a_text_sounds_the_same_whatever_it_is_flushed_with(socket: Socket) -> None:
    other = Socket()
    await socket.speak("One.", "Two.")
    await other.speak("One.")
    await other.speak("Two.")
    await socket.until("Flushed")
    await other.until("Flushed", 2)
    audio = [b"".join(m for m in s.said if isinstance(m, bytes)) for s in (socket, other)]
    assert audio[0] == audio[1]
    await other.speaking.close()


async def test_a_clear_drops_what_waits_and_what_is_under_way_but_for_the_next_piece() -> None:
    socket = Socket(pace=Pace(times_real_time=1.0))
    async with nothing_left():
        await socket.speak("A long sentence. " * 50)
        await socket.speak("A second one.")
        await socket.tell("Speak", text="A third one.")
        await socket.until("audio")
        assert len(socket.said) == 1
        await socket.tell("Clear")
        # One piece was in flight.
        kinds = ["audio" if isinstance(m, bytes) else m["type"] for m in socket.said]
        assert kinds == ["audio", "audio", "Cleared"]
        await socket.speak("Afterwards.")
        await socket.until("Flushed")
        assert socket.heard().endswith("Afterwards. ")
        assert "second" not in socket.heard()
        await within(socket.speaking.close())


async def test_a_clear_with_nothing_to_drop_is_answered(socket: Socket) -> None:
    await socket.speak("One.")
    await socket.until("Flushed")
    await socket.tell("Clear")
    assert socket.types() == ["audio", "Flushed", "Cleared"]


async def test_the_21st_flush_within_a_minute_is_ignored_with_a_warning(socket: Socket) -> None:
    for _ in range(FLUSHES):
        await socket.speak()
    socket.now = 59.9
    await socket.speak("Kept.")
    assert len(socket.warnings()) == 1
    assert "more than 20 flushes" in socket.warnings()[0]
    await socket.until("Flushed", FLUSHES)
    assert socket.heard() == ""
    socket.now = 60.0
    await socket.speak()
    await socket.until("Flushed", FLUSHES + 1)
    assert socket.heard() == "Kept. "


async def test_a_text_over_the_limit_is_ignored_with_a_warning(socket: Socket) -> None:
    await socket.speak("x" * TEXT_CHARACTERS)
    await socket.until("Flushed")
    assert socket.warnings() == []
    socket.now = 60.0
    await socket.tell("Speak", text="x" * (TEXT_CHARACTERS + 1))
    assert socket.warnings() == ["a text has at most 2000 characters"]


async def test_more_characters_within_a_minute_end_the_socket(socket: Socket) -> None:
    assert await socket.tell("Speak", text="x" * 2000) is None
    assert await socket.tell("Speak", text="x" * (CHARACTERS - 2000)) is None
    closing = await socket.tell("Speak", text="x")
    assert closing == Closing(1008, "DATA-0001: more than 2400 characters in a minute")
    socket.now = 60.0
    assert await socket.tell("Speak", text="x" * 2000) is None


async def test_close_ends_in_order(socket: Socket) -> None:
    await socket.speak("A long sentence. " * 50)
    assert await socket.tell("Close") == Closing(1000, "")


@pytest.mark.parametrize(
    "raw",
    ["", "{", "[" * 50_000, b"\xff\xfe", "null", "[]", '"Speak"', "{}", '{"type": "Speak"}',
     '{"type": "Speak", "text": 7}', '{"type": "Novelty"}', '{"type": ["Flush"]}'],
)  # fmt: skip
async def test_what_is_not_understood_is_answered_with_a_warning(
    socket: Socket, raw: str | bytes
) -> None:
    assert await within(socket.speaking.message(raw)) is None
    assert len(socket.warnings()) == 1
    await socket.speak("Still here.")
    await socket.until("Flushed")


class Mute:
    """A voice that fails at the text "bad", as a real one or as a broken one."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def synthesise(self, text: str, voice: str) -> bytes:
        if text == "bad":
            raise self._error
        return b"\x01" * 160


@pytest.mark.parametrize("error", [SynthesisError("no voice"), RuntimeError("a defect")])
async def test_a_text_that_cannot_be_spoken_ends_the_socket(error: Exception) -> None:
    socket = Socket(Mute(error))
    async with nothing_left():
        await socket.speak("good")
        await socket.speak("bad")
        await until(lambda: bool(socket.ended))
        assert socket.ended == [(1011, "NET-0000: the text could not be spoken")]
        assert socket.types() == ["audio", "Flushed"]
        await within(socket.speaking.close())


async def test_a_socket_that_is_gone_leaves_nothing_in_any_state() -> None:
    async with nothing_left():
        for steps in range(8):
            socket = Socket(pace=Pace(times_real_time=100.0))
            await socket.speak("One sentence. " * 20)
            await socket.speak("Another.")
            for _ in range(steps):
                await asyncio.sleep(0)
            await within(socket.speaking.close())
            await within(socket.speaking.close())
            said = list(socket.said)
            await asyncio.sleep(0.002)
            assert socket.said == said


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
async def test_whatever_is_asked_each_flush_and_clear_is_answered_and_no_text_comes_twice(
    asked: list[tuple[str, int]],
) -> None:
    socket = Socket()
    texts = []
    for number, (kind, length) in enumerate(asked):
        if kind == "Speak":
            text = chr(0x4E00 + number) * length + "."
            texts.append((number, text))
            await socket.tell("Speak", text=text)
        else:
            await socket.tell(kind)
    await socket.tell("Flush")
    await socket.until("Flushed")
    last_clear = max((n for n, (kind, _) in enumerate(asked) if kind == "Clear"), default=-1)
    flushes = 1 + sum(kind == "Flush" for kind, _ in asked[last_clear + 1 :])
    await until(lambda: sum(m == "Flushed" for m in socket.types()) >= flushes)
    assert socket.types().count("Cleared") == sum(kind == "Clear" for kind, _ in asked)
    kept = [text for number, text in texts if number > last_clear]
    heard = socket.heard()
    for text in kept:
        assert text in heard
    for number in range(len(asked)):
        spoken = heard.count(chr(0x4E00 + number))
        assert spoken <= asked[number][1]
    await within(socket.speaking.close())
