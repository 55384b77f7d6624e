"""AudioSocket's messages: vectors of the protocol's definition, and what is refused."""

import struct
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.audio_socket import AudioSocketWire
from aybiza.emulators.phone.messages import Audio
from aybiza.gateway.carriers.audio_socket_codec import (
    AUDIO,
    CLEAR,
    ERROR,
    HANG_UP,
    ID,
    KEY,
    MARK,
    AudioSocketCodec,
    Parser,
    audio_of,
    message,
    seconds_of,
)
from aybiza.gateway.carriers.codec import (
    Dtmf,
    Frame,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
    Unknown,
)
from aybiza.speech import mulaw

CALL = UUID("40325ec2-5efd-4bd3-805f-53576e581d13")


def begun() -> AudioSocketCodec:
    codec = AudioSocketCodec()
    codec.decode(message(ID, CALL.bytes))
    return codec


def refused(codec: AudioSocketCodec, frame: Frame, code: int) -> None:
    with pytest.raises(ProtocolError) as refusal:
        codec.decode(frame)
    assert refusal.value.close_code == code


def test_a_hang_up_is_three_zero_bytes() -> None:
    assert message(HANG_UP) == b"\x00\x00\x00"


def test_the_length_is_big_endian_and_the_samples_are_little_endian() -> None:
    audio = AudioSocketCodec().media(mulaw.encode(np.array([1000] * 160, dtype=np.int16)))
    assert len(audio) == 1 and isinstance(audio[0], bytes)
    assert audio[0][:3] == b"\x10\x01\x40"
    heard = struct.unpack("<160h", audio_of(audio[0]))
    assert set(heard) == {int(mulaw.decode(mulaw.encode(np.array([1000], dtype=np.int16)))[0])}


def test_the_uuid_is_the_call() -> None:
    start = AudioSocketCodec().decode(b"\x01\x00\x10" + CALL.bytes)[0]
    assert isinstance(start, Start)
    assert start.call_sid == start.stream_sid == "40325ec2-5efd-4bd3-805f-53576e581d13"


@pytest.mark.parametrize("kind", [HANG_UP, ERROR])
@pytest.mark.parametrize("payload", [b"", b"\x01"])
def test_a_hang_up_and_an_error_end_the_call(kind: int, payload: bytes) -> None:
    codec = begun()
    assert codec.decode(message(kind, payload)) == (Stop(),)
    assert codec.decode(message(kind, payload)) == (Stop(),)
    refused(codec, message(AUDIO, bytes(320)), 1008)


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
def test_every_key_is_taken(digit: str) -> None:
    assert begun().decode(message(KEY, digit.encode())) == (Dtmf(digit),)


@given(st.binary(max_size=2000).map(lambda data: data[: len(data) // 2 * 2]))
def test_audio_arrives_as_mu_law(linear: bytes) -> None:
    event = begun().decode(message(AUDIO, linear))[0]
    assert isinstance(event, Media)
    assert event.payload == mulaw.encode(np.frombuffer(linear, dtype="<i2"))


@pytest.mark.parametrize(("kind", "rate"), [(0x10, 8000), (0x12, 16_000), (0x13, 24_000)])
def test_a_channel_is_answered_in_the_rate_that_it_speaks(kind: int, rate: int) -> None:
    codec, wire = begun(), AudioSocketWire(lambda: 0.0, rate)
    speech = bytes(range(0x10, 0x30)) * 5
    (frame,) = wire.media(speech)
    assert isinstance(frame, bytes) and frame[0] == kind
    (heard,) = codec.decode(frame)
    assert isinstance(heard, Media) and len(heard.payload) >= len(speech) - 16
    (said,) = codec.media(speech)
    assert isinstance(said, bytes) and seconds_of(said) == 0.02
    (audio,) = wire.read(said)
    assert isinstance(audio, Audio) and len(audio.mulaw) == len(speech)
    refused(codec, message(0x10 if kind != 0x10 else 0x12, bytes(320)), 1008)


def test_audio_is_counted_in_media_time() -> None:
    codec = begun()
    times = [codec.decode(message(AUDIO, bytes(320)))[0] for _ in range(3)]
    assert [(e.timestamp_ms, e.chunk) for e in times if isinstance(e, Media)] == [
        (0, 1),
        (20, 2),
        (40, 3),
    ]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (message(KEY, b"X"), 1007),
        (message(KEY, b""), 1007),
        (message(AUDIO, b"\x00"), 1007),
        (message(0x11, bytes(480)), 1003),
        (message(0x18, bytes(480)), 1003),
        (message(ID, CALL.bytes), 1008),
        (b"\x10\x00", 1007),
        (b"\x10\x00\x05abc", 1007),
    ],
)
def test_what_is_no_message_of_a_call_is_refused(frame: bytes, code: int) -> None:
    codec = begun()
    refused(codec, frame, code)
    assert codec.decode(message(KEY, b"5")) == (Dtmf("5"),)


@pytest.mark.parametrize(
    "frame", [message(AUDIO, bytes(320)), message(HANG_UP), message(KEY, b"1"), message(ID, b"x")]
)
def test_only_a_uuid_begins_a_call(frame: bytes) -> None:
    codec = AudioSocketCodec()
    refused(codec, frame, 1008)
    assert isinstance(codec.decode(message(ID, CALL.bytes))[0], Start)


def test_a_kind_of_later_days_is_passed_over() -> None:
    assert begun().decode(message(0x20, b"?")) == (Unknown("kind 0x20"),)


def test_marks_and_clears_stay_on_this_side_of_the_wire() -> None:
    codec = begun()
    assert codec.mark("0:1:2") == (f"{MARK}0:1:2",)
    assert codec.clear() == (CLEAR,)
    assert codec.decode(f"{MARK}0:1:2") == (Mark("0:1:2"),)


@given(st.binary(max_size=1000))
def test_audio_goes_out_in_frames_of_20_ms_and_is_never_empty(audio: bytes) -> None:
    frames = begun().media(audio)
    payloads = [audio_of(frame) for frame in frames if isinstance(frame, bytes)]
    assert b"".join(payloads) == mulaw.decode(audio).astype("<i2").tobytes()
    assert all(0 < len(payload) <= 320 for payload in payloads)
    assert all(len(payload) == 320 for payload in payloads[:-1])


@given(st.lists(st.binary(min_size=0, max_size=400), max_size=5), st.data())
def test_messages_are_whole_however_tcp_cuts_them(
    payloads: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(bytes([0x10]) + len(p).to_bytes(2, "big") + p for p in payloads)
    parser, found = Parser(), []
    while stream:
        at = data.draw(st.integers(1, len(stream)))
        found += parser.feed(stream[:at])
        stream = stream[at:]
    assert [message[3:] for message in found] == payloads


def test_ids_of_calls_are_uuids_as_people_write_them() -> None:
    call = uuid4()
    codec = AudioSocketCodec()
    start = codec.decode(b"\x01\x00\x10" + call.bytes)[0]
    assert isinstance(start, Start) and UUID(start.call_sid) == call == UUID(start.stream_sid)
