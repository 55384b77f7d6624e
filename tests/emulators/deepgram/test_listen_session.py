"""A listen v1 socket as a machine: orders, silence, and a recogniser that misbehaves."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram.engine import ScriptedRecogniser
from aybiza.emulators.deepgram.faults import Fault, Faults
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.listen import Parameters
from aybiza.emulators.deepgram.listen_session import SILENCE_SECONDS, ListenSession
from aybiza.emulators.deepgram.session import Close
from aybiza.speech import mulaw
from tests.emulators.deepgram.machines import Driven

IDENTITY = Identity.of(1, 1, "nova-3", "2026-01-01T00:00:00.000Z")
ALL = Parameters(endpointing_ms=300, utterance_end_ms=1000, interim_results=True, vad_events=True)


def driven(*faults: Fault) -> Driven:
    waiting = Faults()
    waiting.add(*faults)
    strike = waiting.strike("listen", "call")
    session = ListenSession(
        ScriptedRecogniser(), ALL, IDENTITY, lambda what, /, **more: None, strike
    )
    return Driven(session, "listen")


async def hear(driven: Driven, *parts: str | float) -> None:
    """Words, and pauses in seconds, as they come on a line: 20 ms at a time."""
    for part in parts:
        audio = textaudio.encode(part) if isinstance(part, str) else mulaw.silence(part)
        audio += mulaw.silence(-len(audio) % 160 / 8000)
        for at in range(0, len(audio), 160):
            await driven.until(driven.now + 0.02)
            await driven.send(audio[at : at + 160])


def texts(driven: Driven, **wanted: Any) -> list[str]:
    """The words of the results with these members."""
    return [
        message["channel"]["alternatives"][0]["transcript"]
        for message in driven.of("Results")
        if all(message[name] == value for name, value in wanted.items())
    ]


async def test_it_closes_after_ten_seconds_without_a_message_and_says_what_it_heard() -> None:
    socket = driven()
    audio = mulaw.silence(0.5)
    await socket.send(audio)
    await socket.until(SILENCE_SECONDS - 0.01)
    assert socket.ended is None
    await socket.until(60.0)
    assert socket.ended == Close(1011, "NET-0001: no audio was received in time")
    assert socket.ended_at == SILENCE_SECONDS
    assert socket.told[-1][1] == {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": IDENTITY.request_id,
        "sha256": hashlib.sha256(audio).hexdigest(),
        "created": "2026-01-01T00:00:00.000Z",
        "duration": 0.5,
        "channels": 1,
    }


async def test_keep_alive_keeps_it_open_and_is_not_answered() -> None:
    socket = driven()
    for _ in range(10):
        await socket.until(socket.now + 9.0)
        await socket.send({"type": "KeepAlive"})
    assert socket.told == []
    assert socket.ended is None


async def test_finalize_is_answered_from_finalize() -> None:
    socket = driven()
    await hear(socket, "hello there")
    await socket.send({"type": "Finalize"})
    assert texts(socket, is_final=True, from_finalize=True) == ["hello there"]


@pytest.mark.parametrize(
    ("terms", "answer"),
    [(["aybiza"], "ConfigureSuccess"), ("aybiza", "ConfigureFailure"), ([1], "ConfigureFailure")],
)
async def test_configure_is_answered(terms: Any, answer: str) -> None:
    socket = driven()
    await socket.send({"type": "Configure", "keyterms": terms})
    assert [message["type"] for _, message in socket.told] == [answer]


async def test_words_stay_interim_until_finalize() -> None:
    socket = driven(Fault("listen", "no_final", times=None))
    await hear(socket, "yes that", 0.6, "is me", 0.6)
    assert texts(socket, is_final=True) == []
    assert "yes that" in texts(socket, is_final=False)
    await socket.send({"type": "Finalize"})
    assert texts(socket, is_final=True) == ["yes that is me"]
    (final,) = [m for m in socket.of("Results") if m["is_final"]]
    words = final["channel"]["alternatives"][0]["words"]
    assert [word["word"] for word in words] == ["yes", "that", "is", "me"]
    assert final["start"] == 0.0


async def test_finalize_can_stay_without_an_answer() -> None:
    socket = driven(Fault("listen", "no_finalize"))
    await hear(socket, "hello")
    await socket.send({"type": "Finalize"})
    assert texts(socket, is_final=True) == []
    await socket.send({"type": "Finalize"})
    assert texts(socket, is_final=True) == ["hello"]


async def test_a_final_can_come_late_behind_the_utterance_end() -> None:
    socket = driven(Fault("listen", "late_final", seconds=2.0))
    await hear(socket, "hello", 1.2)
    assert texts(socket, is_final=True) == []
    assert len(socket.of("UtteranceEnd")) == 1
    await hear(socket, 1.2)
    assert texts(socket, is_final=True) == ["hello"]


async def test_a_final_can_come_twice() -> None:
    socket = driven(Fault("listen", "double_final"))
    await hear(socket, "hello", 0.5)
    assert texts(socket, is_final=True) == ["hello", "hello"]


async def test_an_utterance_end_can_be_older_than_the_newest_words() -> None:
    socket = driven(Fault("listen", "stale_utterance_end"))
    await hear(socket, "my account number is", 0.4, "four four seven one and so on and on")
    kinds = [(m["type"], m.get("last_word_end")) for _, m in socket.told]
    stale = next(at for at, (kind, _) in enumerate(kinds) if kind == "UtteranceEnd")
    newest = socket.told[stale - 1][1]["channel"]["alternatives"][0]["words"][-1]["end"]
    assert kinds[stale][1] == 0.08
    assert newest > 0.4
    await hear(socket, 1.5)
    assert texts(socket, is_final=True, speech_final=True)[1] == (
        "four four seven one and so on and on"
    )
    assert len(socket.of("UtteranceEnd")) == 2


@pytest.mark.parametrize(("kind", "ends"), [("unknown_word_end", [-1]), ("no_utterance_end", [])])
async def test_an_utterance_end_can_be_without_a_time_or_missing(
    kind: str, ends: list[float]
) -> None:
    socket = driven(Fault("listen", kind))
    await hear(socket, "i need a cleaning", 1.5)
    assert [message["last_word_end"] for message in socket.of("UtteranceEnd")] == ends


async def test_words_can_have_a_low_confidence() -> None:
    socket = driven(Fault("listen", "low_confidence", value=0.2, times=None))
    await hear(socket, "hello", 0.5)
    best = socket.of("Results")[-1]["channel"]["alternatives"][0]
    assert best["confidence"] == 0.2
    assert [word["confidence"] for word in best["words"]] == [0.2]


async def test_the_same_interim_can_come_again_each_second() -> None:
    socket = driven(
        Fault("listen", "repeat_interim", seconds=1.0, text="that is me"),
        Fault("listen", "no_final"),
    )
    await hear(socket, "yes that is me", 6.0)
    assert texts(socket, is_final=False).count("yes that is me") >= 5
    await socket.send({"type": "Finalize"})
    count = len(socket.told)
    await socket.until(socket.now + 3.0)
    assert len(socket.told) == count


async def test_close_stream_settles_the_rest_and_closes() -> None:
    socket = driven()
    await hear(socket, "good bye")
    await socket.send({"type": "CloseStream"})
    assert texts(socket, is_final=True) == ["good bye"]
    assert socket.told[-1][1]["type"] == "Metadata"
    assert socket.ended == Close(1000)


async def test_what_is_not_understood_closes_it() -> None:
    socket = driven()
    await socket.send("[")
    assert socket.ended == Close(1008, "DATA-0000: the message is not understood")
