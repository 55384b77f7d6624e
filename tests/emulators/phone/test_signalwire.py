"""SignalWire's side of the wire: Twilio's messages, but for where the stream is named."""

import json

import pytest

from aybiza.emulators.phone.messages import AgentError, Clear, MarkSet
from aybiza.emulators.phone.signalwire import SignalWireWire


def test_media_and_stop_do_not_name_their_stream() -> None:
    wire = SignalWireWire()
    sent = [*wire.media(b"\xff"), *wire.stop(), *wire.dtmf("1"), *wire.mark("m")]
    assert ["streamSid" in json.loads(frame) for frame in sent] == [False, False, True, True]


def test_the_envelope_holds_the_message_as_it_is() -> None:
    bare, enveloped = SignalWireWire(), SignalWireWire(enveloped=True)
    enveloped.stream_sid = bare.stream_sid
    (outer,), (inner,) = enveloped.dtmf("1"), bare.dtmf("1")
    assert json.loads(outer)["rawEvent"] == json.loads(inner)
    assert "event" not in json.loads(outer)


def test_what_the_agent_sends_names_the_stream() -> None:
    wire = SignalWireWire()
    mark = {"event": "mark", "streamSid": wire.stream_sid, "mark": {"name": "m"}}
    assert wire.read(json.dumps(mark)) == (MarkSet("m"),)
    clear = {"event": "clear", "streamSid": wire.stream_sid}
    assert wire.read(json.dumps(clear)) == (Clear(),)
    assert json.loads(str(wire.cleared()))["event"] == "clear"
    with pytest.raises(AgentError):
        wire.read('{"event":"clear"}')
