"""One thing that goes wrong with a socket at a time of its life."""

from __future__ import annotations

import json

import pytest

from aybiza.emulators.deepgram.faults import KINDS, Fault, Kind
from aybiza.emulators.deepgram.faulty import Faulty
from aybiza.emulators.deepgram.identity import EMULATED
from aybiza.emulators.deepgram.session import Abort, Close, Send
from aybiza.emulators.deepgram.speak import Pace, Speaking
from tests.emulators.deepgram.machines import Driven, case


def faulty(kind: str, **more: float | str) -> Faulty:
    speaking = Speaking(EMULATED, Pace(), lambda what, /, **more: None)
    return Faulty(speaking, Fault("speak", kind, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["close", "abort"])
async def test_a_socket_ends_when_its_time_has_come(kind: str) -> None:
    driven = Driven(faulty(kind, after=2.5))
    await driven.until(2.49)
    assert driven.ended is None
    await driven.until(3.0)
    assert driven.ended_at == 2.5
    assert driven.ended == (Close(1011, "closed on demand") if kind == "close" else Abort())


async def test_a_connection_that_is_taken_and_closed_ends_at_once() -> None:
    code = case("listen_flap")["code"]
    driven = Driven(faulty("close", code=code))
    await driven.until(0.0)
    assert driven.ended == Close(code, "closed on demand")


async def test_a_stalled_socket_takes_messages_and_says_nothing() -> None:
    driven = Driven(faulty("stall", after=1.0))
    await driven.until(1.0)
    driven.told.clear()
    await driven.send({"type": "Clear"})
    await driven.until(100.0)
    assert driven.told == []
    assert driven.ended is None


async def test_a_voice_can_fall_silent_in_the_midst_of_its_answer() -> None:
    session = Speaking(EMULATED, Pace(times_real_time=1.0), lambda what, /, **more: None)
    driven = Driven(Faulty(session, Fault("speak", "stall", after=0.2)))
    await driven.send({"type": "Speak", "text": case("speak_stall")["answer"]})
    await driven.send({"type": "Flush"})
    await driven.until(60.0)
    assert driven.of("Flushed") == []
    assert driven.ended is None


async def test_what_is_said_besides_goes_out_between_the_others() -> None:
    sent = {"type": "Warning", "code": "X", "description": "y"}
    driven = Driven(faulty("message", after=1.0, text=json.dumps(sent)))
    await driven.until(1.0)
    assert driven.told[-1] == (1.0, sent)
    driven = Driven(faulty("unknown"))
    await driven.until(0.0)
    assert driven.told[-1][1]["type"] == "Novelty"
    session = faulty("malformed")
    session.opened(0.0)
    (broken,) = session.wake(0.0)
    assert isinstance(broken, Send)
    with pytest.raises(ValueError):
        json.loads(broken.data)


def test_every_fault_of_a_socket_is_carried_out() -> None:
    kinds: dict[str, Kind] = {n: kind for n, kind in KINDS.items() if kind.group == "socket"}
    for name in kinds:
        session = faulty(name)
        session.opened(0.0)
        session.wake(0.0)
        assert session.due is None or session.due > 0.0
