"""Event-stream frames, read back by botocore."""

import json
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.bedrock import eventstream

MESSAGE_START = bytes.fromhex(
    "0000007700000052abb5d36e0b3a6576656e742d7479706507000c6d6573736167655374617274"
    "0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d657373"
    "6167652d747970650700056576656e747b22726f6c65223a2022617373697374616e74227d5be0d2f5"
)

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)


def test_an_event_is_the_frame_that_the_service_sends() -> None:
    assert eventstream.event_frame("messageStart", {"role": "assistant"}) == MESSAGE_START


@given(
    headers=st.dictionaries(names, st.text(st.characters(codec="utf-8"), max_size=200), max_size=5),
    payload=st.binary(max_size=500),
    size=st.integers(1, 64),
)
def test_botocore_reads_every_frame_in_whatever_slices_it_comes(
    headers: dict[str, str], payload: bytes, size: int
) -> None:
    whole = eventstream.frame(headers, payload) * 2
    buffer: Any = EventStreamBuffer()
    read = []
    for start in range(0, len(whole), size):
        buffer.add_data(whole[start : start + size])
        read += list(buffer)
    assert [message.headers for message in read] == [headers, headers]
    assert [message.payload for message in read] == [payload, payload]


def test_an_exception_names_its_type_and_carries_its_message() -> None:
    buffer: Any = EventStreamBuffer()
    buffer.add_data(eventstream.exception_frame("throttlingException", "too many"))
    message = next(buffer)
    assert message.headers[":message-type"] == "exception"
    assert message.headers[":exception-type"] == "throttlingException"
    assert json.loads(message.payload) == {"message": "too many"}


def test_an_error_has_headers_only() -> None:
    buffer: Any = EventStreamBuffer()
    buffer.add_data(eventstream.error_frame("InternalFailure", "no luck"))
    message = next(buffer)
    assert message.headers[":error-code"] == "InternalFailure"
    assert message.headers[":error-message"] == "no luck"
    assert message.payload == b""


def test_a_bad_crc_is_noticed() -> None:
    buffer: Any = EventStreamBuffer()
    buffer.add_data(eventstream.with_bad_crc(MESSAGE_START))
    with pytest.raises(ChecksumMismatch):
        next(buffer)
