"""Where the processes of an actor system listen.

What is bound is bound for the whole process, so these tests do it in processes of their own.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.actors.node.kit import LIMIT, ROOT, RunningCommand, ask_node

SCRIPT = """\
from aybiza.actors.node.binding import bind_listeners
from thespian.system.transport.TCPTransport import TCPv4ActorAddress

def say():
    listener = TCPv4ActorAddress("127.0.0.1", 1900, external=True)  # as Thespian's admin makes it
    print(*listener.bindArgs[0], sep=":")

"""


def run(script: str, **environment: str) -> list[str]:
    """The lines that a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + script],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    return done.stdout.splitlines()


def listeners(process: psutil.Process) -> set[str]:
    """The addresses on which a process listens."""
    sockets = process.net_connections("tcp")
    return {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}


def test_a_listener_binds_to_every_interface_until_it_is_told_one() -> None:
    script = "say(); bind_listeners('127.0.0.2'); say(); bind_listeners('127.0.0.3'); say()"
    assert run(script) == [":1900", "127.0.0.2:1900", "127.0.0.3:1900"]


def test_an_address_that_is_bound_is_told_to_others_and_known_as_our_own() -> None:
    script = """
bind_listeners("127.0.0.2")
told = TCPv4ActorAddress(None, 1900, external=True)
print(*told.connectArgs[0], sep=":")
from thespian.system.transport.IPBase import thisSystem
print(thisSystem.isLocalAddr("127.0.0.2"), thisSystem.isLocalAddr("127.0.0.3"))
"""
    assert run(script) == ["127.0.0.2:1900", "True False"]


@pytest.mark.parametrize(("sizes", "files"), [({}, 0), ({"THESPLOG_FILE_MAXSIZE": "50000"}, 1)])
def test_thespian_keeps_a_log_file_of_its_own_only_if_it_is_asked_to(
    tmp_path: Path, sizes: dict[str, str], files: int
) -> None:
    script = """
import logging
from thespian.system.utilis import thesplog
thesplog("said by Thespian", level=logging.ERROR)
"""
    run(script, **{"TMPDIR": str(tmp_path), **sizes})
    assert len(list(tmp_path.rglob("*"))) == files


def test_every_process_of_a_node_listens_on_loopback_only(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    node_pid()
    top = psutil.Process(command.process.pid)
    processes = [top, *top.children(recursive=True)]
    assert len(processes) == 5  # the command, the admin, its logger, the keeper, the node
    assert [listeners(process) for process in processes] == [{"127.0.0.1"}] * 5


def test_the_actor_system_listens_where_it_is_told_to_only() -> None:
    with RunningCommand("serving", "--cluster-bind", "127.0.0.2") as command:
        command.ready()
        addresses = {part: listeners(process) for part, process in command.tree().items()}
        assert addresses.pop("node") == {"127.0.0.1", "127.0.0.2"}  # its own door, and Thespian's
        assert set(map(frozenset, addresses.values())) == {frozenset({"127.0.0.2"})}
        assert ask_node(command.port, {}, LIMIT, address="127.0.0.2")["echo"] == {}
