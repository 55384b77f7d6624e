"""Strangers at the cluster's ports: whatever they send, the nodes stay up and keep little of it."""

import contextlib
import pickle
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import psutil
import pytest

from aybiza.actors.node import frames, guard
from tests.actors.cluster.machines import Machine, quietly
from tests.actors.node.kit import LIMIT, until
from tests.slowness import slowness

pytestmark = pytest.mark.real_time

CONNECTIONS = 2000
LENGTHS = (0, 1, frames.MAC_BYTES, frames.ANSWER_BYTES, frames.HEAD_BYTES - 1, frames.HEAD_BYTES)
"""Lengths that a frame, its head or an answer to it may have."""
GROWTH = 40 * 1024 * 1024
"""Bytes by which an attack may let a process grow."""


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine("alone", nodes=2) as machine:
        machine.ready()
        machine.sees("alone-1", "alone-2")
        yield machine


@pytest.fixture
def doors(machine: Machine) -> dict[int, psutil.Process]:
    """The ports on which the command, admin, logger, keeper and nodes listen, parents first."""
    found: dict[int, psutil.Process] = {}
    command = psutil.Process(machine.process.pid)
    for process in (command, *command.children(recursive=True)):
        for each in process.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN:
                found.setdefault(each.laddr.port, process)  # a fork has its parent's, too
    assert len(found) == 8  # Thespian's six, and where other nodes come to each
    return found


def knock(port: int, data: bytes) -> bytes:
    """What a stranger gets for this."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as stranger,
        contextlib.suppress(ConnectionError),
    ):
        stranger.sendall(data)
        return stranger.recv(100)
    return b""


def test_no_door_answers_or_unpickles_what_a_stranger_sends(
    machine: Machine, doors: dict[int, psutil.Process], tmp_path: Path
) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
    pickle.loads(pickle.dumps(Bomb(tmp_path / "proof")))
    assert (tmp_path / "proof").exists()
    dice = random.Random(3)
    attacks = [
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"%d>" % len(bomb) + bomb,
        b"%d>" % frames.MAX_FRAME + b"\x80" * 5_000_000,
        b"-1>" + bomb,
        b"x" * 5_000_000,
        *(dice.randbytes(3000) for _ in range(10)),
        *(b"%d>" % length + bytes(length) for length in LENGTHS),
    ]
    with ThreadPoolExecutor(len(doors)) as strangers:  # who sends too little is waited for
        answers = strangers.map(lambda at: knock(*at), product(doors, attacks))
        assert set(answers) == {b""}
    assert not (tmp_path / "exploded").exists()
    assert machine.ask("alone-1", op="call", node="alone-2", request=1)["reply"] == ["echo", 1]
    assert machine.seen("alone-1", "down") == []
    machine.event("frames_refused")
    refused = [machine.ask(name, op="refused")["counts"] for name in machine.names]
    # Each node tells what all processes of its machine have refused.
    why = ("cookie", "length", "slow")
    assert sum(refused[0][reason] for reason in why) >= len(attacks) * len(doors)
    assert refused[1] == refused[0]


def test_half_a_frame_that_is_held_open_is_given_up(
    doors: dict[int, psutil.Process],
) -> None:
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        waiting = []
        for port in doors:
            stranger = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
            stranger.sendall(b"500>" + b"x" * (frames.HEAD_BYTES - 1))
            waiting.append(stack.enter_context(stranger))
        for stranger in waiting:
            with contextlib.suppress(ConnectionError):
                assert stranger.recv(100) == b""
    assert time.monotonic() - began < guard.FRAME_LIMIT.total_seconds() * 2 * slowness()


def test_many_connections_leave_the_nodes_up_and_small(
    machine: Machine, doors: dict[int, psutil.Process]
) -> None:
    before = {port: process.memory_info().rss for port, process in doors.items()}
    strangers: list[socket.socket] = []
    try:
        for index in range(CONNECTIONS):
            stranger = socket.socket()
            strangers.append(stranger)
            stranger.settimeout(LIMIT)
            stranger.connect(("127.0.0.1", list(doors)[index % len(doors)]))
            stranger.sendall(b"5")
        attacked = time.monotonic()
        calls = quietly(lambda: machine.ask("alone-1", op="call", node="alone-2", request=1))
        assert until(calls, "the nodes answer")["reply"] == ["echo", 1]
        assert time.monotonic() - attacked < 10 * slowness()
        for port, process in doors.items():
            limit = guard.MAX_CONNECTIONS + 50

            def few(process: psutil.Process = process, limit: int = limit) -> bool:
                return process.num_fds() < limit

            until(few, f"{process.pid} has few connections")
            assert process.memory_info().rss - before[port] < GROWTH
    finally:
        for stranger in strangers:
            stranger.close()
    assert machine.seen("alone-1", "down") == []
