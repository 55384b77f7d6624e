"""The fork's websocket: messages as mod_audio_fork has them, and what its buffers need."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.carriers.codec import (
    MULAW_8000_MONO,
    Dtmf,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
    Unknown,
)
from aybiza.gateway.carriers.freeswitch_codec import FIRST_SAMPLES, MORE_SAMPLES, FreeSwitchCodec
from aybiza.speech import mulaw

CALL = "9b7ac42e-6a5b-4f3e-8d8e-9e3a1f0b6c21"
METADATA = json.dumps({"call": CALL, "From": "1001", "To": "5000"})


def started() -> FreeSwitchCodec:
    codec = FreeSwitchCodec()
    codec.decode(METADATA)
    return codec


def refused(codec: FreeSwitchCodec, frame: str | bytes, code: int) -> str:
    with pytest.raises(ProtocolError) as refusal:
        codec.decode(frame)
    assert refusal.value.close_code == code
    return refusal.value.reason


def samples(frame: str | bytes) -> int:
    """How much audio a frame has."""
    return len(frame) // 2 if isinstance(frame, bytes) else 0


def test_the_metadata_is_the_start() -> None:
    parameters = {"From": "1001", "To": "5000"}
    start = Start(CALL, CALL, "", ("inbound",), MULAW_8000_MONO, parameters)
    assert FreeSwitchCodec().decode(METADATA) == (start,)


def test_marks_keys_and_the_stop_are_read() -> None:
    codec = started()
    playout = '{"type": "mark", "data": {"name":"0:1:2", "event": "playout"}}'
    cleared = '{"type": "mark", "data": {"name":"0:1:3", "event": "cleared"}}'
    sent = [playout, cleared, '{"type":"dtmf","digit":"#"}', '{"type":"stop"}', '{"type":"stop"}']
    events = [event for frame in sent for event in codec.decode(frame)]
    assert events == [Mark("0:1:2"), Mark("0:1:3"), Dtmf("#"), Stop(), Stop()]


def test_what_goes_out_is_what_the_module_reads() -> None:
    codec = started()
    assert json.loads(codec.mark("0:1:2")[-1]) == {"type": "mark", "data": {"name": "0:1:2"}}
    assert json.loads(codec.clear()[-1]) == {"type": "killAudio"}
    farewell = json.loads(codec.farewell()[0])
    assert farewell["type"] == "disconnect" and isinstance(farewell["data"], dict)


def test_no_mu_law_code_stands_for_the_sample_that_is_a_mark() -> None:
    assert -1 not in mulaw.decode(bytes(range(256)))


@given(st.lists(st.binary(min_size=1, max_size=401), max_size=8))
def test_audio_arrives_as_mu_law_wherever_samples_are_cut(pieces: list[bytes]) -> None:
    codec, linear = started(), b"".join(pieces)
    events = [event for piece in pieces for event in codec.decode(piece)]
    heard = b"".join(event.payload for event in events if isinstance(event, Media))
    whole = np.frombuffer(linear[: len(linear) // 2 * 2], dtype="<i2")
    assert heard == mulaw.encode(whole)


@given(st.lists(st.integers(1, 3000) | st.sampled_from(["mark", "clear"]), max_size=20))
def test_the_module_never_keeps_audio_behind_a_mark_or_a_clear(given_steps: list[Any]) -> None:
    codec, kept, wanted = started(), 0, FIRST_SAMPLES
    for step in given_steps:
        if step == "mark":
            frames = codec.mark("m")
        else:
            frames = codec.clear() if step == "clear" else codec.media(b"\x01" * step)
        for frame in frames:
            kept += samples(frame)
            if kept >= wanted:
                kept, wanted = 0, MORE_SAMPLES
            if isinstance(frame, str):
                assert kept == 0


def test_no_more_silence_goes_out_than_the_module_needs() -> None:
    codec = started()
    codec.media(b"\x01" * 1000)
    assert [samples(frame) for frame in codec.mark("m")] == [FIRST_SAMPLES - 1000, 0]
    codec.media(b"\x01" * 100)
    assert [samples(frame) for frame in codec.clear()] == [MORE_SAMPLES - 100, 0]
    assert len(codec.mark("m")) == 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x00\x00", 1008),
        ("{", 1007),
        ("[]", 1007),
        ("{}", 1008),
        ('{"call":""}', 1008),
        ('{"call":"a b"}', 1008),
        ('{"call":7}', 1007),
        (json.dumps({"call": CALL, "To": 7}), 1007),
        (json.dumps({"call": CALL, "To": "\ud800"}), 1007),
    ],
)
def test_only_metadata_with_the_call_begins_a_stream(frame: str | bytes, code: int) -> None:
    codec = FreeSwitchCodec()
    refused(codec, frame, code)
    assert isinstance(codec.decode(METADATA)[0], Start)


def test_a_value_of_the_metadata_is_not_told() -> None:
    reason = refused(FreeSwitchCodec(), json.dumps({"call": CALL, "Token": ["hunter2"]}), 1007)
    assert "Token" in reason and "hunter2" not in reason


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{}", 1007),
        ('{"type":7}', 1007),
        ('{"type":"mark"}', 1007),
        ('{"type":"mark","data":{}}', 1007),
        ('{"type":"dtmf","digit":"12"}', 1007),
        (bytes(64 * 1024 + 1), 1009),
    ],
)
def test_a_message_that_cannot_be_read_is_refused(frame: str | bytes, code: int) -> None:
    refused(started(), frame, code)


def test_after_the_stop_nothing_comes() -> None:
    codec = started()
    codec.decode('{"type":"stop"}')
    refused(codec, b"\x00\x00", 1008)
    refused(codec, '{"type":"dtmf","digit":"1"}', 1008)


def test_what_the_module_may_send_later_is_passed_over() -> None:
    assert started().decode('{"type":"transcription","data":{}}') == (Unknown("transcription"),)
