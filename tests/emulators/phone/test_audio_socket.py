"""Asterisk's side of the wire: what it sends, and what it breaks off at."""

from uuid import uuid4

import pytest

from aybiza.emulators.phone.audio_socket import AUDIO, HANG_UP, AudioSocketWire
from aybiza.emulators.phone.bridge import HangUp
from aybiza.emulators.phone.messages import AgentError, Audio


def message(kind: int, payload: bytes = b"") -> bytes:
    return bytes([kind]) + len(payload).to_bytes(2, "big") + payload


def test_a_call_begins_with_its_uuid() -> None:
    call = uuid4()
    assert AudioSocketWire().start(str(call), {}) == (b"\x01\x00\x10" + call.bytes,)


def test_audio_keys_and_the_end_have_their_kinds() -> None:
    wire = AudioSocketWire()
    sent = [*wire.media(b"\xff" * 160), *wire.dtmf("#"), *wire.stop()]
    assert [frame[0] for frame in sent if isinstance(frame, bytes)] == [0x10, 0x03, 0x00]
    assert len(sent[0]) == 323


def test_messages_are_read_however_they_are_cut() -> None:
    wire = AudioSocketWire()
    stream = message(AUDIO, bytes(320)) + message(HANG_UP)
    found = [m for at in range(len(stream)) for m in wire.read(stream[at : at + 1])]
    assert [type(m) for m in found] == [Audio, HangUp]


def test_audio_that_comes_faster_than_it_is_played_is_an_error_of_the_agent() -> None:
    now = 0.0
    wire = AudioSocketWire(now=lambda: now)
    for _ in range(10):
        wire.read(message(AUDIO, bytes(320)))
    with pytest.raises(AgentError, match="ahead of its time"):
        wire.read(message(AUDIO, bytes(320)))
    now = 1.0
    assert len(wire.read(message(AUDIO, bytes(320)))) == 1


@pytest.mark.parametrize("sent", [message(AUDIO), message(AUDIO, b"\x00"), message(0x03, b"1")])
def test_asterisk_breaks_off_at_anything_but_audio(sent: bytes) -> None:
    with pytest.raises(AgentError):
        AudioSocketWire().read(sent)


def test_there_are_no_marks() -> None:
    with pytest.raises(AssertionError):
        AudioSocketWire().mark("m")
