"""FreeSWITCH's side of the wire: what reaches the playout buffer, and when."""

import json

import numpy as np
import pytest

from aybiza.emulators.phone.bridge import HangUp
from aybiza.emulators.phone.freeswitch import (
    FIRST_SAMPLES,
    MARKER,
    MAX_MARKS,
    MORE_SAMPLES,
    FreeSwitchWire,
)
from aybiza.emulators.phone.messages import AgentError, Audio, Clear, MarkSet


def audio(samples: int, value: int = 1000) -> bytes:
    return np.full(samples, value, dtype="<i2").tobytes()


def mark(name: str) -> str:
    return json.dumps({"type": "mark", "data": {"name": name}})


def test_nothing_is_played_before_enough_has_come() -> None:
    wire = FreeSwitchWire()
    assert wire.read(audio(FIRST_SAMPLES - 1)) == ()
    assert [len(m.mulaw) for m in wire.read(audio(1)) if isinstance(m, Audio)] == [
        FIRST_SAMPLES - 1,
        1,
    ]
    assert wire.read(audio(MORE_SAMPLES - 1)) == ()
    assert len(wire.read(audio(1))) == 2


def test_a_mark_goes_in_ahead_of_the_audio_that_follows_it() -> None:
    wire = FreeSwitchWire()
    wire.read(audio(100))
    assert wire.read(mark("m")) == ()
    reached = wire.read(audio(FIRST_SAMPLES))
    assert [type(message) for message in reached] == [Audio, MarkSet, Audio]


def test_a_mark_behind_nothing_that_is_kept_goes_in_at_once() -> None:
    assert FreeSwitchWire().read(mark("m")) == (MarkSet("m"),)


def test_marks_beyond_the_modules_number_are_lost() -> None:
    wire = FreeSwitchWire()
    taken = [message for n in range(MAX_MARKS + 5) for message in wire.read(mark(str(n)))]
    assert len(taken) == MAX_MARKS
    wire.mark("0")
    assert wire.read(mark("again")) == (MarkSet("again"),)


def test_a_kill_does_not_reach_what_has_not_come_to_the_playout_buffer() -> None:
    wire = FreeSwitchWire()
    wire.read(audio(100))
    assert wire.read('{"type":"killAudio"}') == (Clear(),)
    reached = wire.read(audio(FIRST_SAMPLES))
    assert sum(len(m.mulaw) for m in reached if isinstance(m, Audio)) == FIRST_SAMPLES + 100


def test_a_disconnect_is_a_hang_up() -> None:
    assert FreeSwitchWire().read('{"type":"disconnect","data":{}}') == (HangUp(),)


@pytest.mark.parametrize("frame", [b"\x00", "{", "[]", '{"type":"mark"}', audio(1, MARKER)])
def test_what_the_module_cannot_use_is_an_error_of_the_agent(frame: str | bytes) -> None:
    with pytest.raises(AgentError):
        FreeSwitchWire().read(frame)


def test_the_fork_sends_metadata_audio_and_texts() -> None:
    wire = FreeSwitchWire()
    assert json.loads(wire.start("uuid", {"From": "1"})[0]) == {"call": "uuid", "From": "1"}
    assert len(wire.media(b"\xff" * 160)[0]) == 320
    sent = [*wire.dtmf("1"), *wire.mark("m"), *wire.stop()]
    assert [json.loads(frame)["type"] for frame in sent] == ["dtmf", "mark", "stop"]
