"""What all tests share does what it says."""

import asyncio
import gc
import socket


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
