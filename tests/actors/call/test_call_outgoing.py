"""A call that was placed listens for tones while it matters, and tells who has answered."""

from __future__ import annotations

from typing import Any

import numpy as np

from aybiza.actors.call.call_outgoing import CallOutgoing
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.events import ToneHeard
from aybiza.dialogue.journal import (
    AgentSentence,
    Answered,
    Dialled,
    Ended,
    Entry,
    SentenceHeard,
)
from aybiza.dialogue.outbound.dialler import Heard
from aybiza.dialogue.outbound.who_answers import WATCH_SECONDS
from aybiza.speech import mulaw
from aybiza.speech.line import Line
from tests.actors.recordings.test_recordings_actor import Sink

WAVE = 8_000 * np.sin(2 * np.pi * 1_000 * np.arange(2_400) / 8_000)
BEEP = mulaw.encode(WAVE.astype(np.int16)) + mulaw.silence(0.1)


class Machine:
    """Stands for the VM and for the call's context."""

    remote = None
    time = 0.0

    def __init__(self) -> None:
        self.casts: list[Any] = []
        self.telemetry = self
        self.line = Line("CA1", Sink(), clock=self.now)

    def now(self) -> float:
        return self.time

    def cast(self, to: Any, request: Any) -> None:
        self.casts.append((to, request))

    def heard(self, _: Any) -> bool:
        """Nobody listens to what is emitted."""
        return False


def made(*entries: Entry) -> tuple[Machine, Conversation, CallOutgoing]:
    machine: Any = Machine()
    talk = Conversation()
    for entry in entries:
        talk.apply(entry)
    return machine, talk, CallOutgoing(machine, machine, talk)


def tell(talk: Conversation, call: CallOutgoing, *entries: Entry) -> None:
    for entry in entries:
        talk.apply(entry)
        call.entered(entry)


def tones(machine: Machine) -> list[Any]:
    found = []
    while (posted := machine.line.inbox.begin()) is not None:
        found.append(posted.event)
        machine.line.inbox.done()
    return found


def test_a_call_that_came_in_is_not_listened_to() -> None:
    machine, talk, call = made()
    assert machine.line.tones is None
    tell(talk, call, Ended("hangup"))
    assert machine.casts == []


def test_a_tone_is_told_to_the_call_until_it_is_known_who_is_there() -> None:
    machine, talk, call = made(Dialled("a1"))
    machine.line.hear(BEEP)
    assert tones(machine) == [ToneHeard(1_000, 0.3)]
    machine.time = WATCH_SECONDS + 1
    machine.line.hear(BEEP)
    assert tones(machine) == []
    assert machine.line.tones is None
    assert call is not None and talk.dialled == "a1"


def test_a_machine_is_listened_to_for_its_beep_however_long_it_speaks() -> None:
    machine, talk, call = made(Dialled("a1"))
    tell(talk, call, Answered("machine", "phrase"))
    machine.time = WATCH_SECONDS + 1
    machine.line.hear(BEEP)
    assert len(tones(machine)) == 1


def test_audio_that_comes_all_at_once_does_not_hold_the_loop() -> None:
    machine, _, _ = made(Dialled("a1"))
    machine.line.hear(BEEP + mulaw.silence(20))
    assert tones(machine) == []


def test_the_ledger_is_told_who_has_answered_and_whether_a_message_was_left() -> None:
    machine, talk, call = made(Dialled("a1"))
    tell(talk, call, Answered("machine", "tone"), AgentSentence(1, 1, "Call us."))
    tell(talk, call, SentenceHeard(1, 1), Ended("voicemail"))
    assert machine.casts == [
        ("outbound", Heard("a1", "machine")),
        ("outbound", Heard("a1", "machine", message_left=True)),
    ]
    machine, talk, call = made(Dialled("a1"), Answered("machine", "tone"))
    tell(talk, call, AgentSentence(1, 1, "Call us."), Ended("voicemail"))
    assert machine.casts == [("outbound", Heard("a1", "machine"))]


def test_who_hangs_up_before_anything_is_known_is_unknown() -> None:
    machine, talk, call = made(Dialled("a1"))
    tell(talk, call, Ended("hangup"))
    assert machine.casts == [("outbound", Heard("a1", "unknown"))]
