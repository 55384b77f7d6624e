"""The Twilio codec: frames to events, refusals with their close codes, frames written."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.messages import StreamWriter
from aybiza.gateway.carriers import twilio_codec
from aybiza.gateway.carriers.codec import (
    CLOSE_INVALID_DATA,
    CLOSE_MESSAGE_TOO_BIG,
    CLOSE_POLICY_VIOLATION,
    CLOSE_UNSUPPORTED_DATA,
    MAX_FRAME_BYTES,
    MAX_REASON_BYTES,
    MULAW_8000_MONO,
    Connected,
    Dtmf,
    Ignored,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
    Unknown,
)
from aybiza.gateway.carriers.twilio_codec import TRANSITIONS, State, TwilioCodec, TwilioStream

STREAM = "MZ0123456789abcdef0123456789abcdef"
CALL = "CA0123456789abcdef0123456789abcdef"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
OTHER_STREAM = "MZ" + "f" * 32
MEDIA_FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


def frame(event: str, **members: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": "2", "streamSid": STREAM, **members})


def start_frame(**changes: Any) -> str:
    """A `start` as Twilio sends it; a change to `...` leaves the member out."""
    body: dict[str, Any] = {
        "accountSid": ACCOUNT,
        "streamSid": STREAM,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": MEDIA_FORMAT,
        "customParameters": {"token": "s3cret"},
    } | changes
    return frame("start", start={k: v for k, v in body.items() if v is not ...})


def media_frame(payload: str = "f/8=", **changes: Any) -> str:
    body = {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": payload}
    return frame("media", media=body | changes)


FRAMES = {
    "connected": json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}),
    "start": start_frame(),
    "media": media_frame(),
    "dtmf": frame("dtmf", dtmf={"track": "inbound_track", "digit": "1"}),
    "mark": frame("mark", mark={"name": "u7:3"}),
    "stop": frame("stop", stop={"accountSid": ACCOUNT, "callSid": CALL}),
}

PATHS = {
    State.AWAITING_START: ["connected"],
    State.STREAMING: ["connected", "start"],
    State.STOPPED: ["connected", "start", "stop"],
}


def stream_in(state: State) -> TwilioStream:
    stream = TwilioStream()
    for name in PATHS[state]:
        stream.receive(FRAMES[name])
    assert stream.state is state
    return stream


def assert_refused(stream: TwilioStream, given_frame: str | bytes, close_code: int) -> str:
    """Raised, and nothing has changed. Returns the reason."""
    before = (stream.state, stream.stream_sid)
    with pytest.raises(ProtocolError) as refusal:
        stream.receive(given_frame)
    assert refusal.value.close_code == close_code
    assert (stream.state, stream.stream_sid) == before
    return refusal.value.reason


class TestOrder:
    def test_a_whole_call_yields_one_event_a_frame_in_order(self) -> None:
        stream = TwilioStream()
        order = ["connected", "start", "media", "dtmf", "mark", "stop"]
        events = [stream.receive(FRAMES[name]) for name in order]
        assert [type(event) for event in events] == [Connected, Start, Media, Dtmf, Mark, Stop]
        assert stream.state is State.STOPPED

    def test_start_without_connected_is_taken(self) -> None:
        stream = TwilioStream()
        assert isinstance(stream.receive(FRAMES["start"]), Start)
        assert stream.stream_sid == STREAM

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("name", FRAMES)
    def test_an_event_follows_the_table_or_is_refused_as_out_of_turn(
        self, state: State, name: str
    ) -> None:
        stream = stream_in(state)
        if name in TRANSITIONS[state]:
            stream.receive(FRAMES[name])
            assert stream.state is TRANSITIONS[state][name]
        else:
            reason = assert_refused(stream, FRAMES[name], CLOSE_POLICY_VIOLATION)
            assert name in reason and state.value in reason

    def test_a_second_start_is_refused_and_the_first_stream_goes_on(self) -> None:
        stream = stream_in(State.STREAMING)
        assert_refused(stream, FRAMES["start"], CLOSE_POLICY_VIOLATION)
        assert stream.receive(FRAMES["media"]) == Media(b"\x7f\xff", 5, 1, "inbound")

    def test_stop_may_come_twice(self) -> None:
        assert stream_in(State.STOPPED).receive(FRAMES["stop"]) == Stop()

    @pytest.mark.parametrize("state", State)
    def test_an_unknown_event_is_named_and_changes_nothing(self, state: State) -> None:
        stream = stream_in(state)
        assert stream.receive(frame("speechHint", hint={})) == Unknown("speechHint")
        assert stream.state is state

    def test_an_unknown_event_name_is_made_short_and_printable(self) -> None:
        event = TwilioStream().receive(json.dumps({"event": "\ud800\n\x1b" + "x" * 500}))
        assert isinstance(event, Unknown)
        assert event.event.isascii() and len(event.event) < 200


class TestStart:
    def test_carries_the_ids_the_format_and_the_parameters(self) -> None:
        assert TwilioStream().receive(FRAMES["start"]) == Start(
            stream_sid=STREAM,
            call_sid=CALL,
            account_sid=ACCOUNT,
            tracks=("inbound",),
            media_format=MULAW_8000_MONO,
            custom_parameters={"token": "s3cret"},
        )

    def test_members_that_say_nothing_new_may_be_absent(self) -> None:
        event = TwilioStream().receive(
            start_frame(
                accountSid=..., tracks=..., mediaFormat=..., customParameters=..., streamSid=...
            )
        )
        assert event == Start(STREAM, CALL, "", ("inbound",), MULAW_8000_MONO, {})

    def test_numbers_of_the_media_format_may_be_strings(self) -> None:
        body = {"encoding": "audio/x-mulaw", "sampleRate": "8000", "channels": "1"}
        event = TwilioStream().receive(start_frame(mediaFormat=body))
        assert isinstance(event, Start) and event.media_format == MULAW_8000_MONO

    @pytest.mark.parametrize(
        "change",
        [{"encoding": "audio/l16"}, {"sampleRate": 16000}, {"channels": 2}],
        ids=str,
    )
    def test_another_media_format_is_unsupported(self, change: dict[str, Any]) -> None:
        given_frame = start_frame(mediaFormat=MEDIA_FORMAT | change)
        assert_refused(TwilioStream(), given_frame, CLOSE_UNSUPPORTED_DATA)

    @pytest.mark.parametrize("sid", [None, 7, "", "MZ", "CA12", 'MZ1"', "MZ é", "MZ" + "0" * 63])
    def test_an_ill_formed_stream_sid_is_refused(self, sid: object) -> None:
        given_frame = json.dumps({"event": "start", "streamSid": sid, "start": {"callSid": CALL}})
        assert_refused(TwilioStream(), given_frame, CLOSE_POLICY_VIOLATION)

    def test_a_start_without_any_stream_sid_is_refused(self) -> None:
        given_frame = json.dumps({"event": "start", "start": {"callSid": CALL}})
        assert_refused(TwilioStream(), given_frame, CLOSE_POLICY_VIOLATION)

    def test_two_different_stream_sids_are_refused(self) -> None:
        given_frame = start_frame(streamSid=OTHER_STREAM)
        assert_refused(TwilioStream(), given_frame, CLOSE_POLICY_VIOLATION)

    @pytest.mark.parametrize("sid", [..., None, 7, "", "CA 1", "x" * 65])
    def test_an_ill_formed_call_sid_is_refused(self, sid: object) -> None:
        assert_refused(TwilioStream(), start_frame(callSid=sid), CLOSE_POLICY_VIOLATION)

    @pytest.mark.parametrize(
        "change",
        [
            {"tracks": "inbound"},
            {"tracks": [1]},
            {"mediaFormat": "mulaw"},
            {"mediaFormat": {"encoding": None}},
            {"customParameters": []},
            {"customParameters": {"a": 1}},
            {"customParameters": {"a": "\ud800"}},
        ],
        ids=str,
    )
    def test_a_member_of_the_wrong_type_is_invalid(self, change: dict[str, Any]) -> None:
        assert_refused(TwilioStream(), start_frame(**change), CLOSE_INVALID_DATA)

    def test_a_refused_parameter_is_named_without_its_value(self) -> None:
        given_frame = start_frame(customParameters={"token": ["hunter2"]})
        reason = assert_refused(TwilioStream(), given_frame, CLOSE_INVALID_DATA)
        assert "token" in reason and "hunter2" not in reason


class TestMedia:
    @given(st.binary(max_size=4000), st.integers(0, 2**40), st.integers(0, 2**40), st.booleans())
    def test_brings_the_bytes_and_counters_whether_string_or_number(
        self, mulaw: bytes, timestamp: int, chunk: int, as_string: bool
    ) -> None:
        cast: type = str if as_string else int
        given_frame = media_frame(
            base64.b64encode(mulaw).decode(), timestamp=cast(timestamp), chunk=cast(chunk)
        )
        event = stream_in(State.STREAMING).receive(given_frame)
        assert event == Media(mulaw, timestamp, chunk, "inbound")

    def test_counters_may_be_written_as_any_number_or_not_at_all(self) -> None:
        for chunk, counted in ((3, 3), ("3", 3), (3.0, 3), (None, 0)):
            event = stream_in(State.STREAMING).receive(media_frame(chunk=chunk, timestamp=None))
            assert isinstance(event, Media) and (event.chunk, event.timestamp_ms) == (counted, 0)

    def test_absent_counters_are_zero_and_an_absent_track_is_the_inbound_one(self) -> None:
        event = stream_in(State.STREAMING).receive(frame("media", media={"payload": "f/8="}))
        assert event == Media(b"\x7f\xff", 0, 0, "inbound")

    def test_the_outbound_track_is_ignored(self) -> None:
        event = stream_in(State.STREAMING).receive(media_frame(track="outbound"))
        assert event == Ignored("media", "track outbound")

    @pytest.mark.parametrize("payload", ["f/8", "f/8==", "f 8=", "f/8=f/8=", "====", "é", "-_8="])
    def test_bad_base64_is_invalid(self, payload: str) -> None:
        assert_refused(stream_in(State.STREAMING), media_frame(payload), CLOSE_INVALID_DATA)

    @pytest.mark.parametrize(
        "change",
        [
            {"payload": None},
            {"payload": 7},
            {"track": 7},
            {"timestamp": "soon"},
            {"timestamp": 1.5},
            {"timestamp": -1},
            {"chunk": True},
            {"chunk": "9" * 5000},
            {"chunk": []},
        ],
        ids=lambda change: str(change)[:40],
    )
    def test_a_member_of_the_wrong_type_is_invalid(self, change: dict[str, Any]) -> None:
        assert_refused(stream_in(State.STREAMING), media_frame(**change), CLOSE_INVALID_DATA)

    @pytest.mark.parametrize("name", ["media", "dtmf", "mark", "stop"])
    def test_a_message_need_not_name_its_stream(self, name: str) -> None:
        message = json.loads(FRAMES[name])
        del message["streamSid"]
        named = stream_in(State.STREAMING).receive(FRAMES[name])
        assert stream_in(State.STREAMING).receive(json.dumps(message)) == named

    @pytest.mark.parametrize("sid", [OTHER_STREAM, "", None, 7, {}])
    @pytest.mark.parametrize("name", ["media", "dtmf", "mark", "stop"])
    def test_a_foreign_stream_sid_is_refused(self, name: str, sid: object) -> None:
        message = json.loads(FRAMES[name]) | {"streamSid": sid}
        stream = stream_in(State.STREAMING)
        assert_refused(stream, json.dumps(message), CLOSE_POLICY_VIOLATION)


class TestDtmfAndMark:
    @pytest.mark.parametrize("digit", "0123456789*#ABCD")
    def test_every_key_is_taken(self, digit: str) -> None:
        given_frame = frame("dtmf", dtmf={"digit": digit})
        assert stream_in(State.STREAMING).receive(given_frame) == Dtmf(digit)

    @pytest.mark.parametrize("digit", ["", "12", "x", 1, None])
    def test_another_digit_is_invalid(self, digit: object) -> None:
        given_frame = frame("dtmf", dtmf={"digit": digit})
        assert_refused(stream_in(State.STREAMING), given_frame, CLOSE_INVALID_DATA)

    @pytest.mark.parametrize("name", [None, 3, "\udfff"])
    def test_a_mark_without_a_usable_name_is_invalid(self, name: object) -> None:
        given_frame = frame("mark", mark={"name": name})
        assert_refused(stream_in(State.STREAMING), given_frame, CLOSE_INVALID_DATA)


class TestFrames:
    @pytest.mark.parametrize("state", State)
    def test_a_binary_frame_is_unsupported(self, state: State) -> None:
        assert_refused(stream_in(state), FRAMES["media"].encode(), CLOSE_UNSUPPORTED_DATA)

    @pytest.mark.parametrize(
        "text",
        [
            *("", "{", "hello", "[" * 60_000, "1" * 5000, "[]", "null", "7", '"media"', "{}"),
            *('{"event":7}', '{"event":null}', '{"event":"media","media":nul}'),
        ],
        ids=lambda text: text[:20],
    )
    def test_what_is_not_a_message_is_invalid(self, text: str) -> None:
        assert_refused(stream_in(State.STREAMING), text, CLOSE_INVALID_DATA)

    @pytest.mark.parametrize("letter", ["x", "é"])
    def test_the_limit_counts_bytes_and_is_itself_allowed(self, letter: str) -> None:
        room = MAX_FRAME_BYTES - len('{"event":""}')
        name = letter * (room // len(letter.encode()))
        fits = f'{{"event":"{name}"}}'
        assert isinstance(TwilioStream().receive(fits), Unknown)
        reason = assert_refused(TwilioStream(), fits + "  ", CLOSE_MESSAGE_TOO_BIG)
        assert str(MAX_FRAME_BYTES) in reason

    @given(st.text(), st.integers(1000, 4999))
    def test_a_reason_always_fits_a_close_frame(self, reason: str, code: int) -> None:
        error = ProtocolError(code, reason * 20)
        assert error.reason.isascii() and len(error.reason) <= MAX_REASON_BYTES


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
mangled_messages = st.builds(
    lambda name, sid, body: json.dumps({"event": name, "streamSid": sid, name: body}),
    st.sampled_from([*FRAMES, "other"]),
    st.sampled_from([STREAM, OTHER_STREAM]) | json_values,
    st.dictionaries(
        st.sampled_from(
            [
                *("payload", "track", "chunk", "timestamp", "digit", "name", "streamSid"),
                *("callSid", "tracks", "mediaFormat", "customParameters", "accountSid"),
            ]
        ),
        json_values,
    )
    | json_values,
)


class TestAnyInput:
    @given(
        st.sampled_from(State),
        st.lists(
            st.text()
            | st.binary()
            | mangled_messages
            | st.sampled_from(list(FRAMES.values()))
            | st.text(st.characters(exclude_categories=())),
            max_size=6,
        ),
    )
    def test_only_protocol_errors_come_out_and_they_change_nothing(
        self, state: State, frames: list[str | bytes]
    ) -> None:
        stream = stream_in(state)
        for given_frame in frames:
            before = (stream.state, stream.stream_sid)
            try:
                stream.receive(given_frame)
            except ProtocolError as error:
                assert error.close_code in {1003, 1007, 1008, 1009}
                assert (stream.state, stream.stream_sid) == before


class TestWrite:
    @given(st.binary(max_size=2000))
    def test_media_carries_the_audio_in_base64(self, mulaw: bytes) -> None:
        message = json.loads(twilio_codec.media(STREAM, mulaw))
        payload = message["media"].pop("payload")
        assert message == {"event": "media", "streamSid": STREAM, "media": {}}
        assert base64.b64decode(payload, validate=True) == mulaw

    @given(st.text())
    def test_mark_carries_any_name(self, name: str) -> None:
        message = json.loads(twilio_codec.mark(STREAM, name))
        assert message == {"event": "mark", "streamSid": STREAM, "mark": {"name": name}}

    def test_clear_names_the_stream(self) -> None:
        assert json.loads(twilio_codec.clear(STREAM)) == {"event": "clear", "streamSid": STREAM}


def _streaming() -> TwilioCodec:
    codec = TwilioCodec()
    codec.decode(start_frame())
    return codec


_AUDIO = (
    '{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"1",'
    '"timestamp":"5","payload":"no+JhoaJjpz="},"streamSid":"MZ0123456789abcdef0123456789abcdef"}'
)


def test_audio_is_known_by_its_looks_as_twilio_and_its_emulator_write_it() -> None:
    payload = base64.b64encode(bytes(160)).decode()
    emulated = StreamWriter(STREAM, CALL, ACCOUNT).media(payload)
    for message in (_AUDIO, _AUDIO.replace(":", ": ").replace(",", ", "), emulated):
        (event,) = _streaming().decode(message)
        assert isinstance(event, Media)
        assert _streaming().audio(message.encode()) == event.payload


@given(
    st.integers(0, len(_AUDIO) - 1),
    st.integers(0, 12),
    st.one_of(st.text(max_size=3), st.sampled_from(['"', "}", "\\", "0", "=", "outbound"])),
)
def test_what_is_taken_for_audio_is_that_to_the_whole_codec_too(
    at: int, cut: int, put: str
) -> None:
    message = _AUDIO[:at] + put + _AUDIO[at + cut :]
    audio = _streaming().audio(message.encode("utf-8", "surrogatepass"))
    if audio is not None:
        (event,) = _streaming().decode(message)
        assert isinstance(event, Media)
        assert event.payload == audio


def test_nothing_is_audio_before_the_start_behind_the_stop_or_of_another_stream() -> None:
    message = _AUDIO.encode()
    assert _streaming().audio(message) is not None
    assert TwilioCodec().audio(message) is None
    stopped = _streaming()
    stopped.decode(frame("stop"))
    assert stopped.audio(message) is None
    assert _streaming().audio(message.replace(b"MZ0", b"MZ1")) is None
    sid = b'"streamSid":"' + STREAM.encode() + b'"'
    assert _streaming().audio(message.replace(b'"media":{', sid + b',"media":{')) is None
