"""A request of many small parts is not read to its end."""

from __future__ import annotations

from typing import Any

import h11

from aybiza.gateway.admission.request_parser import MOST_LINES, MOST_PIECES, RequestParser
from tests.cases import each

HEAD = b"POST /incoming HTTP/1.1\r\nHost: phone\r\n"


def read(data: bytes) -> list[Any]:
    """The events of a request that comes at once, up to the bound that it meets."""
    parser = RequestParser(16 * 1024)
    events: list[Any] = []
    parser.receive_data(data)
    try:
        while (event := parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            events.append(event)
    except h11.RemoteProtocolError as error:
        events.append(error)
    return events


def test_a_body_of_a_byte_a_chunk_is_not_read_to_its_end() -> None:
    chunks = b"1\r\na\r\n" * 60_000 + b"0\r\n\r\n"
    events = read(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert len(events) == MOST_PIECES + 2
    assert isinstance(events[-1], h11.RemoteProtocolError)


@each([b"a:\r\n" * 3_900, b"a:\n" * 3_900, b"".join(b"%x:\r\n" % n for n in range(2_500))])
def test_a_head_of_thousands_of_lines_is_not_read(head: bytes) -> None:
    (refusal,) = read(HEAD + head + b"\r\n")
    assert isinstance(refusal, h11.RemoteProtocolError)


@each(
    [
        HEAD + b"A: b\r\n" * (MOST_LINES - 10) + b"Content-Length: 4\r\n\r\na\n\n\n",
        HEAD + b"Content-Length: 4000\r\n\r\n" + b"\n" * 4_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"3\r\nabc\r\n" * 250 + b"0\r\n\r\n",
    ],
)
def test_what_carriers_and_proxies_send_is_read(sent: bytes) -> None:
    assert isinstance(read(sent)[-1], h11.EndOfMessage)


def test_each_request_of_a_connection_has_its_own_pieces() -> None:
    parser = RequestParser(16 * 1024)
    for _ in range(3):
        parser.receive_data(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        parser.receive_data(b"1\r\na\r\n" * (MOST_PIECES - 1) + b"0\r\n\r\n")
        while not isinstance(parser.next_event(), h11.EndOfMessage):
            pass
        parser.send(h11.Response(status_code=204, headers=[]))
        parser.send(h11.EndOfMessage())
        parser.start_next_cycle()
