"""SignalWire's messages: the examples of its reference, in their envelope and without."""

import json
from typing import Any

import pytest

from aybiza.emulators.phone.messages import Audio
from aybiza.emulators.phone.signalwire import SignalWireWire
from aybiza.gateway.carriers.codec import (
    MULAW_8000_MONO,
    Connected,
    Dtmf,
    Ignored,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
)
from aybiza.gateway.carriers.signalwire_codec import SignalWireCodec

STREAM = "7d56cc11-536d-4a45-b4fb-ed3d55be843b"
CALL = "76ac3c36-56da-4a3e-a0d6-b5f8df6da9ad"
ACCOUNT = "b08dacad-2f6c-4de1-93d6-cc732e0c69c5"

CONNECTED = {"event": "connected", "protocol": "Call", "version": "0.2.0"}
START: dict[str, Any] = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "streamSid": STREAM,
        "accountSid": ACCOUNT,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}
MEDIA = {
    "event": "media",
    "sequenceNumber": "1002",
    "media": {"track": "inbound", "chunk": "1001", "timestamp": "20041", "payload": "f/8="},
}
DTMF = {"event": "dtmf", "streamSid": STREAM, "dtmf": {"duration": 2700, "digit": "8"}}
MARK = {"event": "mark", "streamSid": STREAM, "mark": {"name": "item_CK5XvgANb1jVorf5VQlKQ:43500"}}
CLEAR = {"event": "clear", "streamSid": STREAM}
STOP = {"event": "stop", "sequenceNumber": "1002"}


def enveloped(message: dict[str, Any]) -> dict[str, Any]:
    """The message as the reference shows it."""
    return {
        "timestamp": "2025-09-26T16:25:04.794Z",
        "direction": "inbound",
        "eventType": message["event"],
        "streamSid": STREAM,
        "callSid": CALL,
        "sequenceNumber": "1",
        "rawEvent": message,
    }


def bare(message: dict[str, Any]) -> dict[str, Any]:
    """The message by itself."""
    return message


@pytest.mark.parametrize("form", [bare, enveloped])
def test_the_examples_of_the_reference_are_read(form: Any) -> None:
    codec = SignalWireCodec()
    sent = [CONNECTED, START, MEDIA, DTMF, MARK, CLEAR, STOP]
    events = [event for message in sent for event in codec.decode(json.dumps(form(message)))]
    assert events == [
        Connected(),
        Start(STREAM, CALL, ACCOUNT, ("inbound",), MULAW_8000_MONO, {}),
        Media(b"\x7f\xff", 20041, 1001, "inbound"),
        Dtmf("8"),
        Mark("item_CK5XvgANb1jVorf5VQlKQ:43500"),
        Ignored("clear", "our own, done"),
        Stop(),
    ]


def started() -> SignalWireCodec:
    codec = SignalWireCodec()
    codec.decode(json.dumps(START))
    return codec


def test_what_goes_out_is_twilios_to_the_letter() -> None:
    codec = started()
    assert json.loads(codec.media(b"\x7f\xff")[0]) == {
        "event": "media",
        "streamSid": STREAM,
        "media": {"payload": "f/8="},
    }
    assert json.loads(codec.mark("my label")[0]) == {
        "event": "mark",
        "streamSid": STREAM,
        "mark": {"name": "my label"},
    }
    assert json.loads(codec.clear()[0]) == {"event": "clear", "streamSid": STREAM}


def test_another_streams_message_is_refused() -> None:
    with pytest.raises(ProtocolError) as refusal:
        started().decode(json.dumps(MEDIA | {"streamSid": CALL}))
    assert refusal.value.close_code == 1008


@pytest.mark.parametrize("inner", [None, 7, "x", []])
def test_an_envelope_without_a_message_is_refused(inner: object) -> None:
    with pytest.raises(ProtocolError) as refusal:
        SignalWireCodec().decode(json.dumps({"eventType": "start", "rawEvent": inner}))
    assert refusal.value.close_code == 1007


@pytest.mark.parametrize("sid", ["", "a b", 'a"', "x" * 65, 7, None])
def test_an_ill_formed_stream_id_is_refused(sid: object) -> None:
    start = START | {"start": START["start"] | {"streamSid": sid}}
    with pytest.raises(ProtocolError):
        SignalWireCodec().decode(json.dumps(start))


@pytest.mark.parametrize("name", ["PCMU", "PCMA", "L16", "L16@16000", "L16@24000"])
def test_the_start_tells_the_code_of_both_directions(name: str) -> None:
    wire, codec = SignalWireWire(codec=name), SignalWireCodec()
    for frame in wire.start(CALL, {}):
        codec.decode(frame)
    speech = bytes(range(0x10, 0x30)) * 5
    (said,) = codec.media(speech)
    (audio,) = wire.read(said)
    assert isinstance(audio, Audio) and len(audio.mulaw) == len(speech)
    (heard,) = [event for frame in wire.media(speech) for event in codec.decode(frame)]
    assert isinstance(heard, Media) and len(heard.payload) >= len(speech) - 16


def test_audio_of_a_code_that_is_not_known_is_refused() -> None:
    wide = {"encoding": "audio/x-L16", "sampleRate": 48000, "channels": 1}
    start = START | {"start": START["start"] | {"mediaFormat": wide}}
    with pytest.raises(ProtocolError) as refusal:
        SignalWireCodec().decode(json.dumps(start))
    assert refusal.value.close_code == 1003
