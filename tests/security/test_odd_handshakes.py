"""Whatever bytes a stranger begins with at a door, the answer is a refusal and never a fault."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from tests.call.caller import LIMIT
from tests.call.kit import world

PATHS = [
    *(b"/console/events", b"/media", b"/healthz", b"/caf\xc3\xa9", b"/\xff", b"/%ff%00", b"*"),
    *(b"http://x/console/events", b"//x/media", b"/console/events?\xe9", b"/console/events#\xe9"),
    *(b"/" + b"a" * 9000, b"/media?" + b"%" * 500, b"/console/%65vents", b"/a b"),
]
HEADERS = [
    *(b"", b"Sec-WebSocket-Protocol: token.\xe9", b"Sec-WebSocket-Protocol: token.%"),
    *(
        b"Sec-WebSocket-Protocol: ,,\xff,",
        b"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b",
    ),
    *(b"Sec-WebSocket-Key: \xff", b"Sec-WebSocket-Key: AAAA", b"Sec-WebSocket-Version: 99"),
    *(b"Sec-WebSocket-Extensions: permessage-deflate; \xff=1", b"Sec-WebSocket-Extensions: ;;,"),
    *(b"Origin: \xff\xfe", b"Origin: https://[", b"Host: a\r\nHost: b", b"Host: \xff", b"Host: ["),
    *(b"Upgrade: h2c", b"Connection: close", b"Authorization: Bearer \xff", b"X-Forwarded-For: ["),
    *(b"Content-Length: 5", b"Content-Length: -1", b"Transfer-Encoding: \xff", b"Expect: \xff"),
    *(b"\xff: 1", b": 1", b"A" * 300 + b": 1", b"X: " + b"1" * 9000),
]


def handshake(path: bytes, header: bytes, method: bytes = b"GET") -> bytes:
    lines = [
        method + b" " + path + b" HTTP/1.1",
        *(b"Host: 127.0.0.1", b"Upgrade: websocket", b"Connection: Upgrade"),
        *(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", b"Sec-WebSocket-Version: 13"),
        *([header] if header else []),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


BEGUN = [
    *(handshake(path, b"") for path in PATHS),
    *(handshake(path, header) for path in PATHS[:2] for header in HEADERS),
    *(handshake(PATHS[0], b"", method) for method in (b"POST", b"\xff", b"", b"CONNECT")),
    *(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"\r\n\r\n", b"\x00" * 50),
    b"GET / HTTP/9.9\r\n\r\n",
]


async def begin(host: str, port: int, data: bytes) -> None:
    """Say this, hear what is answered, and go."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(data)
    writer.write_eof()
    try:
        async with asyncio.timeout(LIMIT):
            while await reader.read(4096):
                pass
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()


async def test_no_beginning_is_a_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    faults: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))
    with capture_logs() as logs, caplog.at_level(logging.ERROR):
        async with world(tmp_path) as place:
            for url in (place.node.http_url, place.node.media_url):
                where = urlsplit(url)
                assert where.hostname and where.port
                for data in BEGUN:
                    await begin(where.hostname, where.port, data)
            async with httpx.AsyncClient(base_url=place.node.http_url) as client:
                assert (await client.get("/healthz")).text == "ok\n"
    loop.set_exception_handler(None)
    assert faults == []
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert errors == []
    assert [log for log in logs if log["log_level"] in ("error", "critical")] == []
