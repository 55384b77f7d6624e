"""Telnyx's messages: the examples of its reference, the order of media, and what is refused."""

import base64
import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from aybiza.gateway.carriers.telnyx_codec import (
    HELD_CHUNKS,
    MAX_BYTES,
    MIN_BYTES,
    Reorderer,
    TelnyxCodec,
)
from aybiza.gateway.carriers.twilio_codec import State

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
        {"encoding": "PCMA", "sample_rate": 8000, "channels": 1},
        {"encoding": "L16", "sample_rate": 16000, "channels": 1},
        {"encoding": "PCMU", "sample_rate": 8000, "channels": 2},
    ],
)
def test_another_media_format_is_unsupported(change: dict[str, Any]) -> None:
    assert "PCMU" in refused(TelnyxCodec(), start(media_format=change), 1003)


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


def test_a_chunk_that_does_not_come_is_waited_for_no_longer_than_the_bound() -> None:
    codec = started()
    numbers = [1, *range(3, 3 + HELD_CHUNKS)]
    assert chunks(read(codec, *map(media, numbers))) == [1]
    assert chunks(read(codec, media(3 + HELD_CHUNKS))) == [*range(3, 4 + HELD_CHUNKS)]
    assert read(codec, media(2)) == [Ignored("media", "chunk 2 came too late")]


def test_what_is_held_back_is_heard_before_the_stop() -> None:
    events = read(started(), media(1), media(3), STOP)
    assert chunks(events) == [1, 3] and events[-1] == Stop()


def test_chunks_without_a_number_are_heard_as_they_come() -> None:
    unnumbered = media(1)
    del unnumbered["media"]["chunk"]
    assert len(read(started(), unnumbered, unnumbered)) == 2


@given(st.integers(1, 60), st.integers(0, HELD_CHUNKS - 1), st.randoms())
def test_chunks_displaced_by_less_than_the_bound_are_all_heard_in_order(
    number: int, reach: int, rng: random.Random
) -> None:
    order = sorted(range(1, number + 1), key=lambda chunk: chunk + rng.random() * (reach + 1))
    order.sort(key=lambda chunk: chunk != 1)
    reorderer, heard = Reorderer(), []
    for chunk in order:
        heard += chunks(reorderer.take(Media(b"x", 0, chunk, "inbound")))
    heard += chunks(reorderer.flush())
    assert heard == list(range(1, number + 1))


@given(st.lists(st.integers(1, 40), max_size=60))
def test_whatever_comes_is_heard_in_rising_order_and_once(order: list[int]) -> None:
    reorderer, heard = Reorderer(), []
    for chunk in order:
        heard += chunks(reorderer.take(Media(b"x", 0, chunk, "inbound")))
    heard += chunks(reorderer.flush())
    assert heard == sorted(set(heard)) and set(heard) <= set(order)
