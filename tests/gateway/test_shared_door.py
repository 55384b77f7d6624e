"""A socket that several nodes accept from: who takes a caller, and that none is lost."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, closing
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from aybiza.actors.placement import placement
from aybiza.actors.placement.placement import Limits, Place, Row
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM
from aybiza.config.ports import bound
from aybiza.gateway import shared_door
from aybiza.gateway.shared_door import SharedDoor
from tests.call.caller import LIMIT

MACHINE = "127.0.0.1:1900"


class Greeting(asyncio.Protocol):
    """Says who has accepted."""

    def __init__(self, name: str) -> None:
        self._name = name

    def connection_made(self, transport: Any) -> None:
        transport.write(self._name.encode())
        transport.close()


@pytest_asyncio.fixture
async def nodes() -> AsyncIterator[tuple[VM, VM]]:
    async with VM("a") as a, VM("b") as b:
        for own, other in ((a, b), (b, a)):
            board(own).limits = Limits(10)
            board(own).place = Place(f"http://{own.node}", "", MACHINE)
            tell(own, other.node, 0)
        yield a, b


def tell(vm: VM, node: str, calls: int) -> None:
    """That node has told this one how many calls it carries."""
    board(vm).told(Row(node, Place(f"http://{node}", "", MACHINE), calls, 10, 0.0, 0, False, ""))


def greets(vm: VM) -> Callable[[], asyncio.Protocol]:
    return lambda: Greeting(vm.node)


async def knock(listening: socket.socket) -> str:
    async with asyncio.timeout(LIMIT):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        name = (await reader.read()).decode()
        writer.close()
    return name


async def test_callers_go_where_there_is_more_room(
    nodes: tuple[VM, VM], monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy this machine is, the node with more room is there before that.
    monkeypatch.setattr(placement, "BUSIER_SECONDS", 2 * LIMIT)
    a, b = nodes
    board(a).calls = 3
    tell(b, "a", 3)
    with bound("127.0.0.1", 0) as listening, ExitStack() as doors:
        for vm in nodes:
            doors.enter_context(closing(SharedDoor(vm, listening, greets(vm))))
        assert [await knock(listening) for _ in range(10)] == ["b"] * 10


async def test_a_node_that_hangs_is_stood_in_for_by_a_busier_one(nodes: tuple[VM, VM]) -> None:
    board(nodes[0]).calls = 3
    with (
        bound("127.0.0.1", 0) as listening,
        closing(SharedDoor(nodes[0], listening, greets(nodes[0]))),
    ):
        assert await asyncio.gather(*(knock(listening) for _ in range(40))) == ["a"] * 40


async def test_who_waits_when_a_door_closes_is_taken_by_the_next(nodes: tuple[VM, VM]) -> None:
    a, b = nodes
    with bound("127.0.0.1", 0) as listening:
        SharedDoor(a, listening, greets(a)).close()
        waiting = asyncio.create_task(knock(listening))
        await asyncio.sleep(0.05)
        door = SharedDoor(b, listening, greets(b))
        assert await waiting == "b"
        door.close()


async def test_a_door_closes_while_it_leaves_callers_to_others(nodes: tuple[VM, VM]) -> None:
    board(nodes[0]).calls = 3
    with bound("127.0.0.1", 0) as listening:
        door = SharedDoor(nodes[0], listening, greets(nodes[0]))
        waiting = asyncio.create_task(knock(listening))
        await asyncio.sleep(0)
        door.close()
        other = SharedDoor(nodes[1], listening, greets(nodes[1]))
        assert await waiting == "b"
        other.close()


async def test_want_of_descriptors_is_told_and_overcome(
    nodes: tuple[VM, VM], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_door, "REST_SECONDS", 0.01)

    class Short(socket.socket):
        failures = 2

        def dup(self) -> Short:
            return Short(fileno=super().dup().detach())

        def accept(self) -> Any:
            if Short.failures:
                Short.failures -= 1
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    with (
        bound("127.0.0.1", 0) as listening,
        Short(fileno=listening.dup().detach()) as short,
        capture_logs() as logged,
    ):
        door = SharedDoor(nodes[0], short, greets(nodes[0]))
        assert await knock(listening) == "a"
        door.close()
    assert [each["event"] for each in logged] == ["connection_not_accepted"] * 2
