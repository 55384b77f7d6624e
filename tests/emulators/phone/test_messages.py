"""Messages as Twilio writes them, and the strict reading of what an agent sends."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.messages import (
    CONNECTED,
    AgentError,
    Audio,
    Clear,
    MarkSet,
    StreamWriter,
    new_sid,
    read,
)
from aybiza.gateway.carriers import twilio_codec
from aybiza.gateway.carriers.codec import Dtmf, Mark, Media, Start, Stop
from aybiza.gateway.carriers.twilio_codec import TwilioStream

STREAM, CALL, ACCOUNT = new_sid("MZ"), new_sid("CA"), new_sid("AC")


def writer() -> StreamWriter:
    return StreamWriter(STREAM, CALL, ACCOUNT)


class TestStreamWriter:
    def test_counts_messages_and_chunks_as_strings_from_one(self) -> None:
        out = writer()
        texts = [out.start({}), out.media("AAAA"), out.mark("m"), out.media("AAAA"), out.stop()]
        messages = [json.loads(text) for text in texts]
        assert [message["sequenceNumber"] for message in messages] == ["1", "2", "3", "4", "5"]
        media = [message["media"] for message in messages if "media" in message]
        assert [(m["chunk"], m["timestamp"]) for m in media] == [("1", "0"), ("2", "20")]

    @given(st.dictionaries(st.text(), st.text(), max_size=3), st.binary(max_size=200), st.text())
    def test_a_gateway_understands_every_message(
        self, parameters: dict[str, str], mulaw: bytes, name: str
    ) -> None:
        out, stream = writer(), TwilioStream()
        stream.receive(CONNECTED)
        start = stream.receive(out.start(parameters))
        assert isinstance(start, Start)
        assert (start.stream_sid, start.call_sid, start.account_sid) == (STREAM, CALL, ACCOUNT)
        assert start.custom_parameters == parameters
        payload = base64.b64encode(mulaw).decode()
        assert stream.receive(out.media(payload)) == Media(mulaw, 0, 1, "inbound")
        assert stream.receive(out.dtmf("#")) == Dtmf("#")
        assert stream.receive(out.mark(name)) == Mark(name)
        assert stream.receive(out.stop()) == Stop()


class TestRead:
    def test_reads_what_a_gateway_writes(self) -> None:
        assert read(twilio_codec.media(STREAM, b"\x7f\xff"), STREAM) == Audio(b"\x7f\xff")
        assert read(twilio_codec.mark(STREAM, "ü:1"), STREAM) == MarkSet("ü:1")
        assert read(twilio_codec.clear(STREAM), STREAM) == Clear()

    @pytest.mark.parametrize(
        ("frame", "complaint"),
        [
            (b"\x00", "binary"),
            ("{", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ("[]", "not an object"),
            (twilio_codec.clear("MZ0"), "not MZ"),
            ('{"event":"clear"}', "stream None"),
            (json.dumps({"event": "dance", "streamSid": STREAM}), "does not know"),
            (json.dumps({"event": None, "streamSid": STREAM}), "does not know"),
            (json.dumps({"event": "media", "streamSid": STREAM}), "without its body"),
            (json.dumps({"event": "mark", "streamSid": STREAM, "mark": {}}), "without its body"),
            (
                json.dumps({"event": "media", "streamSid": STREAM, "media": {"payload": "%"}}),
                "not base64",
            ),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_what_twilio_would_not_take_is_an_agent_error(
        self, frame: str | bytes, complaint: str
    ) -> None:
        with pytest.raises(AgentError, match=complaint):
            read(frame, STREAM)
