"""What all tests share does what it says."""

import asyncio
import gc
import logging
import socket

import pytest
import structlog


async def test_a_connection_that_comes_while_its_server_closes_is_closed_too() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    with socket.create_connection(server.sockets[0].getsockname()) as caller:
        loop.call_soon(loop.call_soon, server.close)
        for _round in range(8):
            await asyncio.sleep(0)
        caller.settimeout(5)
        assert await asyncio.to_thread(caller.recv, 1) == b""
    gc.collect()


def test_a_test_may_silence_the_log_of_its_process() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    assert structlog.is_configured()


def test_the_log_of_the_next_test_is_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger().warning("heard_again")
    assert "heard_again" in capsys.readouterr().out
