"""Whatever a carrier's connection brings is an event or a refusal of the protocol's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aybiza.gateway.carriers.audio_socket_codec import AudioSocketCodec, Parser, message
from aybiza.gateway.carriers.codec import MAX_REASON_BYTES, Codec, Frame, Media, ProtocolError
from aybiza.gateway.carriers.paths import CARRIERS

CODECS: dict[str, Callable[[], Codec]] = {
    **{name: carrier.codec for name, carrier in CARRIERS.items()},
    "audiosocket": AudioSocketCodec,
}
EVENTS = ["connected", "start", "media", "dtmf", "mark", "stop", "clear", "error", "killAudio", "x"]
KEYS = [
    *("event", "type", "streamSid", "stream_id", "start", "media", "mark", "dtmf", "stop", "call"),
    *("callSid", "accountSid", "call_control_id", "customParameters", "custom_parameters"),
    *("mediaFormat", "media_format", "encoding", "sampleRate", "sample_rate", "channels", "tracks"),
    *("payload", "chunk", "timestamp", "track", "digit", "name", "data", "rawEvent", "user_id"),
]
WORDS = [*EVENTS, "MZ1", "CA1", "AC1", "audio/x-mulaw", "PCMU", "inbound", "/w==", "9" * 400]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=12,
)
MESSAGES = st.builds(
    lambda body, event: json.dumps({**body, "event": event, "type": event}),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8),
    st.sampled_from(EVENTS),
)
STARTS = [
    '{"event":"start","streamSid":"MZ1","stream_id":"MZ1","start":{"callSid":"CA1",'
    '"accountSid":"AC1","call_control_id":"v3:a","user_id":"u"}}',
    '{"call":"call-1"}',
]
FRAMES: st.SearchStrategy[Frame] = (
    MESSAGES
    | VALUES.map(json.dumps)
    | st.sampled_from(STARTS)
    | st.text(max_size=60)
    | st.binary(max_size=60)
    | st.builds(message, st.integers(0, 255), st.binary(max_size=40))
    | st.just(message(1, bytes(16)))
)


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(frames=st.lists(FRAMES, min_size=1, max_size=12))
def test_a_decoder_raises_nothing_but_its_own_error(name: str, frames: list[Frame]) -> None:
    codec = CODECS[name]()
    for frame in frames:
        try:
            events = codec.decode(frame)
        except ProtocolError as error:
            assert len(error.reason.encode()) <= MAX_REASON_BYTES
            continue
        for event in events:
            assert type(event) is not Media or isinstance(event.payload, bytes)
            told: Any = repr(event)
            assert told


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400), st.lists(st.integers(1, 50), max_size=40))
def test_messages_are_cut_alike_however_they_come(data: bytes, cuts: list[int]) -> None:
    parser, pieces, at = Parser(), [], 0
    for cut in cuts:
        pieces += parser.feed(data[at : at + cut])
        at += cut
    pieces += parser.feed(data[at:])
    assert pieces == Parser().feed(data)
