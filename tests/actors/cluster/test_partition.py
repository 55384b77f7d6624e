"""A real partition: two machines in network namespaces of their own, and a cable that is pulled.

Needs the right to make namespaces (root, or CAP_SYS_ADMIN and CAP_NET_ADMIN) and the `ip` command.
The cable is out for `SHORT_SECONDS`; AYBIZA_PARTITION_SECONDS=30 makes it longer:

    AYBIZA_PARTITION_SECONDS=30 python -m pytest -s tests/actors/cluster/test_partition.py
"""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.actors.cluster.machines import Machine, quietly
from tests.actors.node.kit import until
from tests.slowness import slowness

pytestmark = pytest.mark.real_time

HEAD = f"aybiza{os.getpid() % 100_000}"
SHORT_SECONDS = 8.0
"""Longer than silence and every retry of Thespian's."""
SILENT_SECONDS = float(os.environ.get("AYBIZA_PARTITION_SECONDS", SHORT_SECONDS))
NAMES = 20
"""Registrations on each side before the cable is pulled, and as many while it is out."""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=10)


def may_make_namespaces() -> bool:
    if shutil.which("ip") is None:
        return False
    try:
        ip("netns", "add", f"{HEAD}try")
        ip("netns", "del", f"{HEAD}try")
    except (subprocess.SubprocessError, OSError):
        return False
    return True


class InNamespace(Machine):
    """A machine in the namespace `space`; what is asked of it is asked from inside."""

    def __init__(self, space: str, name: str, address: str, **options: Any) -> None:
        self.space = space
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY)
        with self._inside():
            super().__init__(name, address=address, **options)

    def ask(self, node: str, /, **request: Any) -> Any:
        with self._inside():
            return super().ask(node, **request)

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        os.close(self._home)

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        there = os.open(f"/var/run/netns/{self.space}", os.O_RDONLY)
        try:
            _setns(there)
            yield
        finally:
            _setns(self._home)
            os.close(there)


def _setns(descriptor: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@pytest.fixture
def cable() -> Iterator[tuple[str, str]]:
    """Two namespaces with the addresses 10.231.0.1 and 10.231.0.2, joined by a cable."""
    if not may_make_namespaces():
        text = "NO NETWORK NAMESPACES HERE: THE PARTITION TEST DOES NOT RUN (needs root and ip)"
        os.write(2, f"\n{text}\n".encode())  # pytest tells of a skip only when asked
        pytest.skip(text)
    one, two = f"{HEAD}a", f"{HEAD}b"
    try:
        for space in (one, two):
            ip("netns", "add", space)
            ip("-n", space, "link", "set", "lo", "up")
        ip("-n", one, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", two)
        for number, space in enumerate((one, two), 1):
            ip("-n", space, "addr", "add", f"10.231.0.{number}/24", "dev", "cable")
            ip("-n", space, "link", "set", "cable", "up")
        yield one, two
    finally:
        for space in (one, two):
            with contextlib.suppress(subprocess.SubprocessError):
                ip("netns", "del", space)


def register(machine: Machine, node: str, *names: str) -> dict[str, str]:
    """Have the node register these; the acknowledged ones with their owner."""
    return {name: machine.ask(node, op="register", name=name)["owner"] for name in names}


def numbered(head: str) -> list[str]:
    return [f"{head}-{number}" for number in range(NAMES)]


def test_a_partition_parts_and_heals_without_reorder_or_replay(cable: tuple[str, str]) -> None:
    one, two = cable
    with contextlib.ExitStack() as stack:
        left = stack.enter_context(InNamespace(one, "left", "10.231.0.1"))
        left.ready()
        right = stack.enter_context(InNamespace(two, "right", "10.231.0.2", join=left))
        right.ready()
        left.sees("left", "right")
        assert right.ask("right", op="register", name="before") == {"owner": "right"}
        acknowledged = register(left, "left", *numbered("left"))
        acknowledged |= register(right, "right", *numbered("right"))
        left.ask("left", op="cast", node="right", numbers=[0, 100])
        right.ask("right", op="cast", node="left", numbers=[0, 100])

        pulled = time.time()
        ip("-n", one, "link", "set", "cable", "down")
        left.ask("left", op="cast", node="right", numbers=[100, 200])
        right.ask("right", op="cast", node="left", numbers=[100, 200])
        for machine, name in ((left, "left"), (right, "right")):
            machine.sees(name)
            down = machine.seen(name, "down")[-1]
            assert down[0] - pulled < 2.5 * slowness()
        assert left.ask("left", op="call", node="right", request=1) == {"failed": "noconnection"}
        assert left.ask("left", op="whereis", name="before") == {"owner": None}
        assert right.ask("right", op="register", name="n") == {"owner": "right"}
        assert left.ask("left", op="register", name="n") == {"owner": "left"}
        acknowledged |= register(left, "left", *numbered("left-alone"))
        acknowledged |= register(right, "right", *numbered("right-alone"))
        time.sleep(max(0.0, SILENT_SECONDS - (time.time() - pulled)))

        ip("-n", one, "link", "set", "cable", "up")
        left.sees("left", "right")
        right.sees("right", "left")
        left.ask("left", op="cast", node="right", numbers=[200, 300])
        right.ask("right", op="cast", node="left", numbers=[200, 300])
        for machine, name in ((left, "left"), (right, "right")):

            def arrived(machine: Machine = machine, name: str = name) -> list[int] | None:
                numbers: list[int] = machine.ask(name, op="seen")["numbers"]
                return numbers if 299 in numbers else None

            numbers = until(quietly(arrived), "what was sent after it has come")
            # Of what was under way when the cable went, the beginning may have arrived, in order.
            assert numbers == [*range(100 + len(numbers) - 200), *range(200, 300)]
        for machine, name in ((left, "left"), (right, "right")):
            until(quietly(partial(machine.ask, name, op="whereis", name="n")), "it answers")
            assert machine.ask(name, op="whereis", name="n") == {"owner": "right"}
            assert machine.ask(name, op="whereis", name="before") == {"owner": "right"}
            found = {each: machine.ask(name, op="whereis", name=each) for each in acknowledged}
            assert found == {each: {"owner": owner} for each, owner in acknowledged.items()}
            conflicts = [e for e in machine.seen(name, "other") if "NameConflict" in e[2]]
            assert len(conflicts) == 1
