"""The besiegers open what they are told and go when they are closed; figures are read rightly."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from aybiza.benchmarks.doors import SAYINGS, _Memory, _refused, main

METRICS = b"""# HELP aybiza_refused_total Requests and connections that the doors have refused
aybiza_refused_total{door="media",reason="slow"} 16.0
aybiza_refused_total{door="http",reason="rate"} 3.0
aybiza_processes 20.0
"""


async def test_besiegers_say_their_sayings_at_both_doors_and_go_when_closed() -> None:
    heard: list[set[bytes]] = [set(), set()]

    def door(number: int) -> asyncio.StreamReaderProtocol:
        async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                async with asyncio.timeout(0.5):
                    heard[number].add((await reader.read(100))[:20])
            except TimeoutError:
                heard[number].add(b"")
            writer.close()

        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), hear)

    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(lambda n=n: door(n), "127.0.0.1", 0) for n in (0, 1)]  # type: ignore[misc]
    ports = [str(server.sockets[0].getsockname()[1]) for server in servers]
    command = ["-m", "aybiza.benchmarks.doors", "--connections", "40", "--besiege", *ports]
    besiegers = await asyncio.create_subprocess_exec(sys.executable, *command)
    async with asyncio.timeout(60):
        assert await besiegers.wait() == 0
    for server in servers:
        server.close()
    assert heard == [{saying[:20] for saying in SAYINGS}] * 2


def test_refusals_are_read_from_the_metrics() -> None:
    class Metrics(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(METRICS)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Metrics) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        found = _refused(f"http://127.0.0.1:{server.server_port}")
        thread.join()
    assert found == {"media/slow": 16.0, "http/rate": 3.0}


def test_the_most_memory_is_kept() -> None:
    with _Memory(os.getpid()) as memory:
        threading.Event().wait(0.2)
    assert memory.most > 10.0


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--connections", "many"])
    assert ended.value.code == 2
    assert "--connections" in capsys.readouterr().err
