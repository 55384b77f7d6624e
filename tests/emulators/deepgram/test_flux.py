"""A listen v2 socket as a machine: turns, thresholds, orders, and a recogniser that misbehaves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.emulators import textaudio
from aybiza.emulators.deepgram.engine import ScriptedRecogniser
from aybiza.emulators.deepgram.faults import Fault, Faults
from aybiza.emulators.deepgram.flux import Flux, Thresholds
from aybiza.emulators.deepgram.identity import Identity
from aybiza.emulators.deepgram.session import Close
from aybiza.speech import mulaw
from tests.emulators.deepgram.machines import Driven

IDENTITY = Identity.of(1, 1, "flux-general-en", "2026-01-01T00:00:00.000Z")
LONG = "0123456789" * 15  # 600 ms


def driven(thresholds: Thresholds | None = None, *faults: Fault) -> Driven:
    waiting = Faults()
    waiting.add(*faults)
    return Driven(
        Flux(
            ScriptedRecogniser(),
            thresholds or Thresholds(),
            IDENTITY,
            lambda what, /, **more: None,
            waiting.strike("flux", "call"),
        ),
        "flux",
    )


async def hear(driven: Driven, *parts: str | float) -> None:
    """Words, and pauses in seconds, as they come on a line: 20 ms at a time."""
    for part in parts:
        audio = textaudio.encode(part) if isinstance(part, str) else mulaw.silence(part)
        audio += mulaw.silence(-len(audio) % 160 / 8000)
        for at in range(0, len(audio), 160):
            await driven.until(driven.now + 0.02)
            await driven.send(audio[at : at + 160])


def turns(driven: Driven) -> list[tuple[str, int, str]]:
    """The events but for updates: what, which turn, which words."""
    return [
        (m["event"], m["turn_index"], m["transcript"])
        for m in driven.of("TurnInfo")
        if m["event"] != "Update"
    ]


async def test_it_begins_with_connected_and_numbers_its_messages() -> None:
    socket = driven()
    await hear(socket, LONG, 1.0)
    numbers = [message["sequence_id"] for _, message in socket.told]
    assert socket.told[0][1]["type"] == "Connected"
    assert numbers == list(range(len(numbers)))


async def test_a_turn_starts_goes_on_and_ends_when_its_threshold_is_reached() -> None:
    socket = driven(Thresholds(eot_threshold=0.8))
    await hear(socket, 0.5, LONG, 1.0, "and again", 1.0)
    assert turns(socket) == [
        ("StartOfTurn", 0, LONG[: len(turns(socket)[0][2])]),
        ("EndOfTurn", 0, LONG),
        ("StartOfTurn", 1, "and again"),
        ("EndOfTurn", 1, "and again"),
    ]
    (first, _) = [m for m in socket.of("TurnInfo") if m["event"] == "EndOfTurn"]
    # 500 ms of silence, 600 ms of speech, then 400 ms until the confidence is 0.8.
    assert first["audio_window_end"] == pytest.approx(1.5, abs=0.02)
    assert first["end_of_turn_confidence"] >= 0.8
    assert first["trigger"] == "model"
    assert [word["word"] for word in first["words"]] == [LONG]


async def test_updates_come_every_250_ms_of_audio() -> None:
    socket = driven()
    await hear(socket, 2.0)
    updates = [m for m in socket.of("TurnInfo") if m["event"] == "Update"]
    assert len(updates) == 7
    assert {m["transcript"] for m in updates} == {""}


async def test_an_eager_end_is_confirmed_with_the_same_words() -> None:
    socket = driven(Thresholds(eager_eot_threshold=0.4))
    await hear(socket, "book a table", 1.0)
    events = turns(socket)
    assert [event for event, _, _ in events] == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
    assert events[1][2] == events[2][2] == "book a table"


async def test_an_eager_end_is_taken_back_by_further_speech() -> None:
    socket = driven(Thresholds(eager_eot_threshold=0.4))
    await hear(socket, "my name is", 0.26, " mary", 1.0)
    assert [event for event, _, _ in turns(socket)] == [
        "StartOfTurn",
        "EagerEndOfTurn",
        "TurnResumed",
        "EagerEndOfTurn",
        "EndOfTurn",
    ]
    assert turns(socket)[-1][2] == "my name is mary"


async def test_without_an_eager_threshold_there_are_no_eager_ends() -> None:
    socket = driven()
    await hear(socket, "book a table", 1.0)
    assert [event for event, _, _ in turns(socket)] == ["StartOfTurn", "EndOfTurn"]


async def test_a_sound_without_words_is_no_turn() -> None:
    socket = driven()
    await socket.send(b"\x20" * 1600)
    await hear(socket, 2.0, "hello", 1.0)
    assert turns(socket) == [("StartOfTurn", 0, "hello"), ("EndOfTurn", 0, "hello")]


async def test_a_low_confidence_leaves_the_end_to_the_timeout() -> None:
    socket = driven(Thresholds(eot_timeout_ms=3000), Fault("flux", "low_confidence", value=0.2))
    await hear(socket, "well", 2.9)
    assert [event for event, _, _ in turns(socket)] == ["StartOfTurn"]
    await hear(socket, 0.3)
    end = socket.of("TurnInfo")[-1]
    assert turns(socket)[-1][0] == "EndOfTurn"
    assert end["event"] in ("EndOfTurn", "Update")
    assert next(m for m in socket.of("TurnInfo") if m["event"] == "EndOfTurn")["trigger"] == (
        "timeout"
    )


async def test_an_end_of_turn_can_be_late_or_never_come() -> None:
    socket = driven(
        None,
        Fault("flux", "late_end_of_turn", seconds=2.0),
        Fault("flux", "no_end_of_turn", text="two"),
    )
    await hear(socket, "one", 1.0)
    assert [event for event, _, _ in turns(socket)] == ["StartOfTurn"]
    await hear(socket, 2.0)
    assert turns(socket)[-1] == ("EndOfTurn", 0, "one")
    await hear(socket, "two", 4.0, "three", 1.0)
    assert [turn for event, turn, _ in turns(socket) if event == "EndOfTurn"] == [0, 2]


async def test_an_eager_end_can_be_taken_back_without_speech() -> None:
    socket = driven(Thresholds(eager_eot_threshold=0.4), Fault("flux", "resume"))
    await hear(socket, "book a table", 1.0)
    assert [event for event, _, _ in turns(socket)] == [
        "StartOfTurn",
        "EagerEndOfTurn",
        "TurnResumed",
        "EagerEndOfTurn",
        "EndOfTurn",
    ]


async def test_a_turn_can_be_ended_by_order() -> None:
    socket = driven()
    await hear(socket, "book a table")
    await socket.send({"type": "ForceEndTurn"})
    assert socket.of("TurnInfo")[-1]["trigger"] == "manual"
    await socket.send({"type": "ForceEndTurn"})
    assert len([e for e, _, _ in turns(socket) if e == "EndOfTurn"]) == 1


async def test_close_stream_ends_the_turn_and_the_socket() -> None:
    socket = driven()
    await hear(socket, "good bye")
    await socket.send({"type": "CloseStream"})
    assert turns(socket)[-1] == ("EndOfTurn", 0, "good bye")
    assert socket.ended == Close(1000)


async def test_thresholds_can_be_set_anew() -> None:
    socket = driven()
    await socket.send({"type": "Configure", "thresholds": {"eager_eot_threshold": 0.4}})
    (answer,) = socket.of("ConfigureSuccess")
    assert answer["thresholds"] == {
        "eot_threshold": 0.7,
        "eager_eot_threshold": 0.4,
        "eot_timeout_ms": 5000,
    }
    await hear(socket, "book a table", 1.0)
    assert ("EagerEndOfTurn", 0, "book a table") in turns(socket)


@pytest.mark.parametrize(
    "thresholds", [{"eot_threshold": 2}, {"novelty": 1}, [], {"eot_timeout_ms": "soon"}]
)
async def test_thresholds_without_sense_change_nothing(thresholds: Any) -> None:
    socket = driven()
    await socket.send({"type": "Configure", "thresholds": thresholds})
    assert len(socket.of("ConfigureFailure")) == 1
    assert socket.ended is None


@pytest.mark.parametrize("message", ["{", '{"type": "KeepAlive"}', "[]", '{"type": "Finalize"}'])
async def test_what_flux_does_not_know_is_an_error_that_ends_the_socket(message: str) -> None:
    socket = driven()
    await socket.send(message)
    assert socket.told[-1][1]["type"] == "Error"
    assert isinstance(socket.ended, Close) and socket.ended.code == 1008


async def test_without_audio_it_ends_after_ten_seconds() -> None:
    socket = driven()
    await socket.until(60.0)
    assert socket.ended_at == 10.0
    assert isinstance(socket.ended, Close) and socket.ended.code == 1011


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({}, "model is one of flux-general-en"),
        ({"model": "nova-3"}, "not 'nova-3'"),
        ({"model": "flux-general-en", "eot_threshold": "0.4"}, "from 0.5 to 1"),
        ({"model": "flux-general-en", "eot_threshold": "high"}, "is a number, not 'high'"),
        ({"model": "flux-general-en", "eager_eot_threshold": "0.95"}, "from 0.3 to 0.9"),
        ({"model": "flux-general-en", "eager_eot_threshold": "0.8"}, "at most eot_threshold"),
        ({"model": "flux-general-en", "eot_timeout_ms": "100"}, "from 500 to 60000"),
    ],
)
def test_parameters_that_are_not_accepted_say_why(query: dict[str, str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Thresholds.of(query)


NEXT = {
    None: {"StartOfTurn"},
    "StartOfTurn": {"EagerEndOfTurn", "EndOfTurn"},
    "EagerEndOfTurn": {"TurnResumed", "EndOfTurn"},
    "TurnResumed": {"EagerEndOfTurn", "EndOfTurn"},
    "EndOfTurn": {"StartOfTurn"},
}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(st.sampled_from(["a", "bc ", "def"]), st.floats(0.02, 0.8)), max_size=8))
async def test_whatever_is_said_events_follow_the_state_machine_and_no_word_is_lost(
    parts: list[str | float],
) -> None:
    socket = driven(Thresholds(eager_eot_threshold=0.4))
    await hear(socket, *parts, 1.0)
    before: str | None = None
    for event, _, _ in turns(socket):
        assert event in NEXT[before]
        before = event
    ended = "".join(text for event, _, text in turns(socket) if event == "EndOfTurn")
    said = "".join(part for part in parts if isinstance(part, str))
    assert ended.replace(" ", "") == said.replace(" ", "")
