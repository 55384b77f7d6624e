"""A process of the actor system as ActorProcess sets it up, alone and in a running node."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.actors.node.kit import LIMIT, ROOT, RunningCommand, ask_node

ACTOR = """\
import ctypes, json, logging, multiprocessing, os, signal, sys
from aybiza.actors.node.actor_process import ActorProcess, leave

root, manager = logging.root, logging.Logger.manager
handled = []

class Fails(ActorProcess):
    def handle(self, message, sender):
        handled.append(message)
        if message == "fail":
            os.write(2, f"{handled}".encode())
            raise LookupError("no such thing")

    def watched(self):
        return [7, 8]

def actor(pipe):
    # What Thespian does to a process before there is an actor in it.
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL):
        signal.signal(number, lambda *_: None)
    logging.root = logging.Logger.root = logging.RootLogger(logging.WARNING)
    logging.Logger.manager = logging.Manager(logging.root)
    actor = Fails()
    print("printed")
    os.write(1, b"printed below\\n")
    death = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(death))  # PR_GET_PDEATHSIG
    pipe.send(
        {
            "signals": {
                name: getattr(signal.getsignal(getattr(signal, name)), "name", "a function")
                for name in ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGINT", "SIGHUP")
            },
            "logging": logging.root is logging.Logger.root is root
                and logging.Logger.manager is manager,
            "death": death.value,
            "watched": actor.receiveMessage("good", None).filenos,
        }
    )
    actor.receiveMessage("fail", None)

here, there = multiprocessing.Pipe()
process = multiprocessing.get_context("fork").Process(target=actor, args=[there])
process.start()
there.close()
facts = here.recv()
process.join()
print(json.dumps({**facts, "exitcode": process.exitcode}))
"""


@dataclass
class Seen:
    """What an actor's process was, and what it wrote."""

    facts: dict[str, Any]
    log: str


@pytest.fixture(scope="module")
def seen() -> Seen:
    # With an output that is buffered, as that of most processes is.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", ACTOR],
        cwd=ROOT,
        env=buffered,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    return Seen(json.loads(done.stdout), done.stderr)


def test_a_fault_ends_the_process_and_ctrl_c_and_hang_up_do_not(seen: Seen) -> None:
    faults = ("SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL")
    assert seen.facts["signals"] == {
        **dict.fromkeys(faults, "SIG_DFL"),
        **dict.fromkeys(("SIGINT", "SIGHUP"), "SIG_IGN"),
    }


def test_the_process_is_killed_when_its_parent_ends(seen: Seen) -> None:
    assert seen.facts["death"] == signal.SIGKILL


def test_the_logging_tree_is_that_of_before_the_actor_system(seen: Seen) -> None:
    assert seen.facts["logging"] is True


def test_what_is_printed_goes_to_standard_error_at_once(seen: Seen) -> None:
    assert "printed\nprinted below\n" in seen.log


def test_the_watch_is_renewed_with_each_message(seen: Seen) -> None:
    assert seen.facts["watched"] == [7, 8]


def test_a_message_that_cannot_be_handled_ends_the_process_and_is_not_handled_again(
    seen: Seen,
) -> None:
    assert seen.facts["exitcode"] == os.EX_SOFTWARE
    assert seen.log.count("['good', 'fail']") == 1
    assert "'fail', 'fail'" not in seen.log
    assert "actor_failed" in seen.log
    assert "LookupError: no such thing" in seen.log


def test_what_a_node_prints_goes_to_standard_error(command: RunningCommand) -> None:
    command.event("node_up")
    assert "printed by the node\n" in command.log()
    assert "printed below the node\n" in command.log()


def test_what_a_library_logs_in_a_node_is_in_the_log(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    node_pid()
    ask_node(command.port, {"log": "a library's warning"}, LIMIT)
    assert command.event("a library's warning")["logger"] == "a.library"


def test_a_node_leaves_ctrl_c_and_hang_up_to_its_command(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    assert ask_node(command.port, {}, LIMIT)["pid"] == pid


def test_a_fault_ends_a_node_and_it_is_back(
    command: RunningCommand, node_pid: Callable[[], int]
) -> None:
    pid = node_pid()
    ask_node(command.port, {"fault": 1}, LIMIT)
    assert command.event("node_down", pid=pid)["reason"] == "killed by SIGSEGV"
    assert node_pid() != pid
