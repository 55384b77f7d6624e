"""Fields of JSON messages: what is taken, and that a refusal names the field and no secret."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.carriers import json_frames
from aybiza.gateway.carriers.codec import MAX_FRAME_BYTES, ProtocolError


def reason_of(error: pytest.ExceptionInfo[ProtocolError]) -> str:
    return error.value.reason


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"{}", 1003),
        ("{", 1007),
        ("[1]", 1007),
        ("[" * 60_000, 1007),
        ('"' + "x" * MAX_FRAME_BYTES + '"', 1009),
        ('"' + "é" * (MAX_FRAME_BYTES // 2) + '"', 1009),
    ],
)
def test_what_is_no_message_is_refused(frame: str | bytes, code: int) -> None:
    with pytest.raises(ProtocolError) as refusal:
        json_frames.message_of(frame)
    assert refusal.value.close_code == code


def test_a_message_is_an_object() -> None:
    assert json_frames.message_of('{"event":"x"}') == {"event": "x"}


@pytest.mark.parametrize(
    ("value", "number"), [(7, 7), ("7", 7), (0, 0), ("0", 0), (2**63 - 1, 2**63 - 1)]
)
def test_a_count_may_be_a_string(value: object, number: int) -> None:
    assert json_frames.counter({"chunk": value}, "chunk") == number


@pytest.mark.parametrize("value", [-1, 1.5, True, "soon", "9" * 5000, [], {}, float("inf"), 2**63])
def test_what_is_no_count_is_refused_by_its_name(value: object) -> None:
    with pytest.raises(ProtocolError) as refusal:
        json_frames.counter({"chunk": value}, "chunk")
    assert reason_of(refusal).startswith("chunk is ")


def test_an_absent_count_is_zero() -> None:
    assert json_frames.counter({}, "chunk") == 0


def test_a_value_that_may_be_a_secret_is_not_told() -> None:
    with pytest.raises(ProtocolError) as refusal:
        json_frames.strings_in({"parameters": {"token": ["hunter2"]}}, "parameters")
    assert "token" in reason_of(refusal) and "hunter2" not in reason_of(refusal)


@pytest.mark.parametrize("values", [[], "x", 1])
def test_parameters_are_an_object(values: object) -> None:
    with pytest.raises(ProtocolError):
        json_frames.strings_in({"parameters": values}, "parameters")


@given(st.binary(max_size=500))
def test_audio_comes_back_from_its_text(audio: bytes) -> None:
    assert json_frames.payload_of({"payload": json_frames.base64_of(audio)}) == audio


@pytest.mark.parametrize("payload", [None, 7, "f/8", "f 8=", "é", "-_8="])
def test_bad_base64_is_refused(payload: object) -> None:
    with pytest.raises(ProtocolError):
        json_frames.payload_of({"payload": payload})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(values)
def test_any_value_is_taken_or_refused(value: Any) -> None:
    readers: list[Callable[[], object]] = [
        lambda: json_frames.event_name({"event": value}),
        lambda: json_frames.object_in({"start": value}, "start"),
        lambda: json_frames.text(value, "name"),
        lambda: json_frames.strings_in({"parameters": value}, "parameters"),
        lambda: json_frames.counter({"chunk": value}, "chunk"),
        lambda: json_frames.payload_of({"payload": value}),
        lambda: json_frames.digit_of({"digit": value}),
    ]
    for read in readers:
        try:
            read()
        except ProtocolError as error:
            assert error.reason.isascii()


@given(values)
def test_a_value_is_shown_short_and_in_ascii(value: Any) -> None:
    shown = json_frames.shown(value)
    assert shown.isascii() and len(shown) < 600
