"""A websocket in memory behaves as websockets' connections do."""

import asyncio

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from aybiza.actors.runtime.clock import virtual_time
from aybiza.faults.pipe import WINDOW, pipe


@virtual_time
async def test_messages_arrive_in_their_order_both_ways() -> None:
    client, server = pipe("/v1/listen?x=1", {"authorization": "Token key"})
    await client.send("one")
    await client.send(b"two")
    await server.send("three")
    assert [await server.recv(), await server.recv()] == ["one", b"two"]
    assert await client.recv() == "three"
    assert server.request is not None and server.request.path == "/v1/listen?x=1"


@virtual_time
async def test_who_reads_on_gets_what_was_sent_before_the_end() -> None:
    client, server = pipe()
    await server.send("last words")
    await server.close(1000, "done")
    assert [message async for message in client] == ["last words"]
    assert (client.close_code, client.close_reason) == (1000, "done")


@virtual_time
async def test_a_close_in_order_and_one_that_is_none_are_told_apart() -> None:
    client, server = pipe()
    await server.close(1001)
    with pytest.raises(ConnectionClosedOK):
        await client.recv()
    client, server = pipe()
    await server.close(1011, "failed")
    with pytest.raises(ConnectionClosedError) as caught:
        await client.send("x")
    assert caught.value.rcvd is not None and caught.value.rcvd.code == 1011


@virtual_time
async def test_a_cut_leaves_no_code() -> None:
    client, server = pipe()
    waiting = asyncio.ensure_future(server.recv())
    await asyncio.sleep(0)
    client.transport.abort()
    with pytest.raises(ConnectionClosedError) as caught:
        await waiting
    assert caught.value.rcvd is None and server.close_code == 1006
    assert client.transport.is_closing()


@virtual_time
async def test_a_peer_that_does_not_read_makes_the_sender_wait() -> None:
    client, server = pipe()
    for number in range(WINDOW):
        await client.send(str(number))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await client.send("one too many")
    assert await server.recv() == "0"
    assert await server.recv() == "1"
    async with asyncio.timeout(1.0):
        await client.send("there is room again")


@virtual_time
async def test_a_peer_can_be_held_up_and_go_on() -> None:
    client, server = pipe()
    server.hold()
    for action in (client.send("x"), server.recv()):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await action
    server.hold(False)
    assert await server.recv() == "x"


@virtual_time
async def test_a_peer_can_stall_and_still_read() -> None:
    client, server = pipe()
    server.hush()
    await server.send("never comes")
    await client.send("comes")
    assert await server.recv() == "comes"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await client.recv()


@virtual_time
async def test_a_message_is_waited_for_until_a_time_and_no_longer() -> None:
    client, server = pipe()
    loop = asyncio.get_running_loop()
    assert await server.recv_until(loop.time() + 2.0) is None and loop.time() == 2.0
    loop.call_later(1.0, client.takes, "one")
    assert await server.recv_until(9.0) == "one" and loop.time() == 3.0
    await client.close(1011)
    with pytest.raises(ConnectionClosedError):
        await server.recv_until(None)


@virtual_time
async def test_what_would_have_to_wait_is_not_taken() -> None:
    client, server = pipe()
    assert [client.takes(str(n)) for n in range(WINDOW + 1)] == [True] * WINDOW + [False]
    assert await server.recv() == "0"
    assert client.takes("next")
    await server.close()
    assert not client.takes("late")
