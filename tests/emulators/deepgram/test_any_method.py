"""Requests that are no GET, made one that carries them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.deepgram.any_method import MOST_BODY, as_get, method_and_body

PUT = b"PUT /_emulator/pace HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"


def headers(data: bytes) -> dict[str, str]:
    lines = data.decode().split("\r\n\r\n")[0].split("\r\n")[1:]
    return {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


def test_a_get_passes_as_it_is() -> None:
    data = b"GET / HTTP/1.1\r\n"
    assert as_get(data) == data
    assert as_get(b"GE") is None


@given(st.integers(0, len(PUT)))
def test_another_method_is_read_whole_and_handed_on_as_a_get(at: int) -> None:
    assert at == len(PUT) or as_get(PUT[:at]) is None
    made = as_get(PUT)
    assert made is not None and made.startswith(b"GET /_emulator/pace HTTP/1.1\r\n")
    assert "content-length" not in headers(made)
    assert method_and_body(headers(made)) == ("PUT", b"abc")


def test_a_body_that_is_too_large_or_of_no_length_is_told_so() -> None:
    for length in (str(MOST_BODY + 1), "-1", "many"):
        made = as_get(f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
        assert made is not None and method_and_body(headers(made)) == ("TOO-LARGE", b"")
    made = as_get(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert made is not None and method_and_body(headers(made))[0] == "TOO-LARGE"


def test_a_head_without_an_end_is_handed_on_to_be_refused() -> None:
    data = b"PUT " + b"x" * 20_000
    assert as_get(data) == data


def test_without_headers_of_its_own_a_request_is_a_get() -> None:
    assert method_and_body({}) == ("GET", b"")
