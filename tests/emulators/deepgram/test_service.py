"""Deepgram in memory: what opens, what is refused, and that two runs of a seed are the same."""

from __future__ import annotations

from typing import Any

from aybiza.emulators.deepgram import Deepgram, Fault
from aybiza.emulators.deepgram.engine import ScriptedEngine
from aybiza.emulators.deepgram.service import Refusal
from tests.emulators.deepgram.machines import Driven

LISTEN = "/v1/listen?model=nova-3&encoding=mulaw&sample_rate=8000"
SPEAK = "/v1/speak?model=aura-asteria-en&encoding=mulaw&sample_rate=8000"
HEADERS = {"authorization": "Token key", "x-deepgram-session-id": "CA1"}


def made(seed: int = 0) -> Deepgram:
    return Deepgram(
        ScriptedEngine(), clock=lambda: 5.0, today=lambda: "2026-01-01T00:00:00.000Z", seed=seed
    )


def test_a_handshake_is_decided_without_a_socket() -> None:
    deepgram = made()
    assert deepgram.handshake(LISTEN, HEADERS) is None
    assert deepgram.handshake(LISTEN, {}) == Refusal(401, "INVALID_AUTH")
    assert deepgram.handshake("/v1/agent", HEADERS) == Refusal(404, "no such endpoint")
    deepgram.faults.add(Fault("listen", "refuse", 429, session="CA1"))
    assert deepgram.handshake(LISTEN, {**HEADERS, "x-deepgram-session-id": "CA2"}) is None
    assert deepgram.handshake(LISTEN, HEADERS) == Refusal(429, "refused on demand")
    assert deepgram.handshake(LISTEN, HEADERS) is None


def told(deepgram: Deepgram, path: str) -> list[Any]:
    return Driven(deepgram.session(path, HEADERS)).told


def test_two_runs_of_one_seed_are_the_same_and_connections_differ() -> None:
    one, same, other = made(), made(), made(seed=1)
    first = told(one, SPEAK)
    assert first == told(same, SPEAK)
    assert first != told(one, SPEAK)
    assert first != told(other, SPEAK)


async def test_a_session_takes_the_fault_of_its_door() -> None:
    deepgram = made()
    deepgram.faults.add(Fault("speak", "abort", after=1.0))
    listening = Driven(deepgram.session(LISTEN, HEADERS))
    speaking = Driven(deepgram.session(SPEAK, HEADERS))
    for socket in (listening, speaking):
        await socket.until(1.0)
    assert listening.ended is None
    assert speaking.ended is not None
    await speaking.session.gone()


async def test_a_strike_is_for_open_sockets_and_what_is_left_of_it_for_the_next() -> None:
    deepgram = made()
    others = Driven(deepgram.session(SPEAK, {**HEADERS, "x-deepgram-session-id": "CA2"}))
    speaking = Driven(deepgram.session(SPEAK, HEADERS))
    deepgram.strike(Fault("speak", "abort", session="CA1"))
    deepgram.strike(Fault("listen", "abort", times=2))
    await speaking.until(5.0)
    await others.until(5.0)
    assert speaking.ended is not None and others.ended is None
    assert [(fault.door, fault.times) for fault in deepgram.faults.waiting()] == [("listen", 2)]
    await speaking.session.gone()
    deepgram.strike(Fault("speak", "abort", session="CA1"))
    assert [fault.door for fault in deepgram.faults.waiting()] == ["listen", "speak"]


def test_what_happens_is_noted_with_its_session_and_time() -> None:
    deepgram = made()
    deepgram.connected(SPEAK, HEADERS, "connected")
    assert deepgram.journal.entries() == [
        {"at": 5.0, "session": "CA1", "what": "connected", "door": "speak"}
    ]
