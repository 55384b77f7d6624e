"""Telnyx's side of the wire: what it sends, and what it does not take."""

import json

import pytest

from aybiza.emulators.phone.messages import AgentError, Audio, Clear, MarkSet
from aybiza.emulators.phone.telnyx import TelnyxWire


def test_a_stream_begins_with_the_call_and_its_format() -> None:
    connected, start = map(json.loads, TelnyxWire().start("v3:call", {"From": "+1", "a": "b"}))
    assert connected == {"event": "connected", "version": "1.0.0"}
    assert start["start"]["call_control_id"] == "v3:call"
    assert start["start"]["from"] == "+1" and "to" not in start["start"]
    assert start["start"]["custom_parameters"] == {"From": "+1", "a": "b"}
    assert start["start"]["media_format"]["encoding"] == "PCMU"


def test_every_so_often_two_chunks_are_swapped() -> None:
    wire = TelnyxWire(swap_every=3)
    sent = [json.loads(frame) for _ in range(7) for frame in wire.media(b"\xff")]
    assert [int(message["media"]["chunk"]) for message in sent] == [1, 2, 4, 3, 5, 7, 6]


@pytest.mark.parametrize("size", [0, 159, 240_003])
def test_media_of_another_length_is_not_taken(size: int) -> None:
    payload = json.dumps({"event": "media", "media": {"payload": "AAAA" * (size // 3)}})
    with pytest.raises(AgentError):
        TelnyxWire().read(payload)


def test_what_the_agent_wants_is_read() -> None:
    wire, payload = TelnyxWire(), "/" * 216
    media = json.dumps({"event": "media", "media": {"payload": payload}})
    assert wire.read(media) == (Audio(b"\xff" * 162),)
    assert wire.read('{"event":"mark","mark":{"name":"m"}}') == (MarkSet("m"),)
    assert wire.read('{"event":"clear"}') == (Clear(),)


@pytest.mark.parametrize("frame", [b"\xff", "", "[]", '{"event":"mark"}', '{"event":"stop"}'])
def test_anything_else_is_an_error_of_the_agent(frame: str | bytes) -> None:
    with pytest.raises(AgentError):
        TelnyxWire().read(frame)
