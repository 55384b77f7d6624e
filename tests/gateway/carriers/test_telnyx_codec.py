"""Telnyx's messages: the examples of its reference, the order of media, and what is refused."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.messages import Audio
from aybiza.emulators.phone.telnyx import TelnyxWire
from aybiza.gateway.carriers.codec import (
    MULAW_8000_MONO,
    Connected,
    Dtmf,
    Event,
    Ignored,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
    Unknown,
)
from aybiza.gateway.carriers.telnyx_codec import MAX_BYTES, MIN_BYTES, TelnyxCodec
from aybiza.gateway.carriers.twilio_codec import State

SPEECH = bytes(range(0x10, 0x30)) * 5
STREAM = "32DE0DEA-53CB-4B21-89A4-9E1819C043BC"
CALL = "v2:T02llQxIyaRkhfRKxgAP8nY511EhFLizdvdUKJiSw8d6A9BborherQ"

START: dict[str, Any] = {
    "event": "start",
    "sequence_number": "1",
    "stream_id": STREAM,
    "start": {
        "user_id": "3E6F995F-85F7-4705-9741-53B116D28237",
        "call_control_id": CALL,
        "call_session_id": "ff55a038-6f5d-11ef-9692-02420aeffb1f",
        "from": "+13122010094",
        "to": "+13122123456",
        "tags": ["TAG1", "TAG2"],
        "client_state": "aGF2ZSBhIG5pY2UgZGF5ID1d",
        "custom_parameters": {"customer_id": "customer_123"},
        "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
    },
}
DTMF = {
    "event": "dtmf",
    "stream_id": STREAM,
    "occurred_at": "2025-06-05T08:54:19.698408Z",
    "sequence_number": "5",
    "dtmf": {"digit": "1"},
}
STOP = {
    "event": "stop",
    "sequence_number": "6",
    "stream_id": STREAM,
    "stop": {"call_control_id": CALL},
}
MARK = {"event": "mark", "sequence_number": "7", "stream_id": STREAM, "mark": {"name": "my label"}}


def media(chunk: int, payload: str = "f/8=", **changes: Any) -> dict[str, Any]:
    body = {
        "track": "inbound",
        "chunk": str(chunk),
        "timestamp": str(chunk * 20),
        "payload": payload,
    }
    return {"event": "media", "sequence_number": "4", "stream_id": STREAM, "media": body | changes}


def started(**changes: Any) -> TelnyxCodec:
    codec = TelnyxCodec()
    codec.decode(start(**changes))
    return codec


def start(**changes: Any) -> str:
    body = {key: value for key, value in (START["start"] | changes).items() if value is not ...}
    return json.dumps(START | {"start": body})


def read(codec: TelnyxCodec, *messages: dict[str, Any]) -> list[Event]:
    return [event for message in messages for event in codec.decode(json.dumps(message))]


def refused(codec: TelnyxCodec, message: Any, code: int) -> str:
    before = (codec.state, codec.stream_id)
    with pytest.raises(ProtocolError) as refusal:
        codec.decode(message if isinstance(message, str | bytes) else json.dumps(message))
    assert refusal.value.close_code == code
    assert (codec.state, codec.stream_id) == before
    return refusal.value.reason


def test_the_examples_of_the_reference_are_read() -> None:
    codec = TelnyxCodec()
    events = read(
        codec, {"event": "connected", "version": "1.0.0"}, START, media(1), DTMF, MARK, STOP
    )
    assert events == [
        Connected(),
        Start(
            stream_sid=STREAM,
            call_sid=CALL,
            account_sid="3E6F995F-85F7-4705-9741-53B116D28237",
            tracks=("inbound",),
            media_format=MULAW_8000_MONO,
            custom_parameters={
                "From": "+13122010094",
                "To": "+13122123456",
                "customer_id": "customer_123",
            },
        ),
        Media(b"\x7f\xff", 20, 1, "inbound"),
        Dtmf("1"),
        Mark("my label"),
        Stop(),
    ]
    assert codec.state is State.STOPPED


def test_the_call_is_the_one_that_the_parameter_names() -> None:
    codec = TelnyxCodec()
    event = codec.decode(start(custom_parameters={"CallSid": "v3:other", "From": "+1555"}))[0]
    assert isinstance(event, Start)
    assert event.call_sid == "v3:other" and event.custom_parameters["From"] == "+1555"


def test_what_goes_out_names_no_stream() -> None:
    codec = started()
    payload = base64.b64encode(b"\x7f\xff" * 80).decode()
    assert [json.loads(f) for f in codec.media(b"\x7f\xff" * 80)] == [
        {"event": "media", "media": {"payload": payload}}
    ]
    assert [json.loads(f) for f in codec.mark("0:1:2")] == [
        {"event": "mark", "mark": {"name": "0:1:2"}}
    ]
    assert [json.loads(f) for f in codec.clear()] == [{"event": "clear"}]
    assert codec.farewell() == ()


@given(st.integers(0, 3 * MAX_BYTES))
def test_a_message_has_20_ms_to_30_s_of_audio_and_nothing_is_lost(size: int) -> None:
    frames = started().media(b"\x01" * size)
    sizes = [len(json.loads(frame)["media"]["payload"]) * 3 // 4 for frame in frames]
    assert all(MIN_BYTES <= length <= MAX_BYTES + 2 for length in sizes)
    assert size <= sum(sizes) <= size + MIN_BYTES + 2 * len(sizes)


def test_a_bad_message_of_ours_is_told_and_passed_over() -> None:
    error = {
        "event": "error",
        "stream_id": STREAM,
        "payload": {"code": 100002, "title": "malformed_frame", "detail": "bad frame"},
    }
    assert read(started(), error) == [Unknown("error 100002 malformed_frame bad frame")]
    assert read(started(), {"event": "error"}) == [Unknown("error")]


def test_the_agents_own_track_is_ignored() -> None:
    assert read(started(), media(1, track="outbound")) == [Ignored("media", "track outbound")]


@pytest.mark.parametrize(
    "change",
    [
        {"encoding": "G722", "sample_rate": 8000, "channels": 1},
        {"encoding": "PCMA", "sample_rate": 16000, "channels": 1},
        {"encoding": "L16", "sample_rate": 48000, "channels": 1},
        {"encoding": "PCMU", "sample_rate": 8000, "channels": 2},
    ],
)
def test_another_media_format_is_unsupported(change: dict[str, Any]) -> None:
    assert "PCMU" in refused(TelnyxCodec(), start(media_format=change), 1003)


@pytest.mark.parametrize("name", ["PCMU", "PCMA", "L16", "L16@16000", "L16@24000"])
def test_the_start_tells_the_callers_code_and_the_parameter_the_agents(name: str) -> None:
    wire = TelnyxWire(codec=name, swap_every=0)
    codec = TelnyxCodec()
    for frame in wire.start(CALL, {"Codec": name}):
        codec.decode(frame)
    (said,) = codec.media(SPEECH)
    (audio,) = wire.read(said)
    assert isinstance(audio, Audio) and len(audio.mulaw) == len(SPEECH)
    (heard,) = [event for frame in wire.media(SPEECH) for event in codec.decode(frame)]
    assert isinstance(heard, Media) and len(heard.payload) >= len(SPEECH) - 16
    if name in ("PCMU", "L16"):
        assert audio.mulaw == heard.payload == SPEECH


def test_a_code_of_the_agents_audio_that_nobody_knows_is_refused() -> None:
    assert "G722" in refused(TelnyxCodec(), start(custom_parameters={"Codec": "G722"}), 1003)


def test_audio_with_half_a_sample_is_refused_and_the_next_is_heard() -> None:
    wide = {"encoding": "L16", "sample_rate": 8000, "channels": 1}
    codec = started(media_format=wide)
    refused(codec, media(1, "AAAA"), 1007)
    assert chunks(read(codec, media(1, "AAAAAA=="))) == [1]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"call_control_id": ...}, 1008),
        ({"call_control_id": "no spaces"}, 1008),
        ({"call_control_id": "x" * 129}, 1008),
        ({"custom_parameters": {"CallSid": "a b"}}, 1008),
        ({"custom_parameters": []}, 1007),
        ({"custom_parameters": {"a": 1}}, 1007),
        ({"from": 1}, 1007),
        ({"media_format": "PCMU"}, 1007),
    ],
    ids=str,
)
def test_a_start_that_cannot_be_used_is_refused(changes: dict[str, Any], code: int) -> None:
    refused(TelnyxCodec(), start(**changes), code)


@pytest.mark.parametrize("message", [media(1), DTMF, MARK, STOP])
def test_nothing_comes_before_the_start(message: dict[str, Any]) -> None:
    refused(TelnyxCodec(), message, 1008)


@pytest.mark.parametrize("message", [media(1), DTMF, MARK, STOP])
def test_another_streams_message_is_refused(message: dict[str, Any]) -> None:
    refused(started(), message | {"stream_id": "another"}, 1008)


def test_a_second_start_is_refused_and_an_unknown_event_passed_over() -> None:
    codec = started()
    refused(codec, START, 1008)
    assert read(codec, {"event": "speech_hint", "stream_id": STREAM}) == [Unknown("speech_hint")]


def chunks(events: Sequence[Event]) -> list[int]:
    return [event.chunk for event in events if isinstance(event, Media)]


def test_chunks_that_are_swapped_are_heard_in_order() -> None:
    codec = started()
    assert chunks(read(codec, media(1), media(3), media(2), media(4))) == [1, 2, 3, 4]


def test_what_is_missing_is_heard_as_silence_and_counted() -> None:
    codec = started()
    payload = base64.b64encode(SPEECH).decode()
    events = read(codec, *(media(chunk, payload) for chunk in (1, *range(3, 9))))
    silent = [event for event in events if isinstance(event, Media) and event.lasts_ms]
    assert [event.payload for event in silent] == [b"\xff" * 160]
    assert read(codec, media(2, payload)) == [Ignored("media", "chunk 2 is late")]
    assert codec.mended == {"missing": 1, "late": 1}


def test_what_is_held_back_is_heard_before_the_stop() -> None:
    events = read(started(), media(1), media(3), STOP)
    assert chunks(events) == [1, 3] and events[-1] == Stop()


def test_chunks_without_a_number_are_heard_as_they_come() -> None:
    unnumbered = media(1)
    del unnumbered["media"]["chunk"]
    assert len(read(started(), unnumbered, unnumbered)) == 2
