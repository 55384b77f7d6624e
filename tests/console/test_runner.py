"""One run, from its ready line to its exit code: it ends all that it has started, and says why."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from aybiza.actors.node.messages import NodeUp
from aybiza.console.emulated import URLS
from aybiza.console.runner import ready_line
from tests.actors.node.kit import LIMIT, RunningCommand, WholeCommand, ask_node, until
from tests.slowness import slowness

UP = NodeUp(1, 77, {"node": "a@b", "media": "ws://here/media", "http": "http://there"})


def test_the_ready_line_names_the_doors_and_then_the_node() -> None:
    assert ready_line(UP) == "ready: media ws://here/media, http http://there, node a@b pid 77"


def test_the_ready_line_as_json_has_the_same() -> None:
    assert list(json.loads(ready_line(UP, as_json=True)).items()) == [
        ("media", "ws://here/media"),
        ("http", "http://there"),
        ("node", "a@b"),
        ("pid", 77),
    ]


def test_a_node_without_a_name_and_doors_has_a_ready_line_too() -> None:
    up = NodeUp(1, 77, {})
    assert ready_line(up) == "ready: node node pid 77"
    assert json.loads(ready_line(up, as_json=True)) == {"node": "node", "pid": 77}


@dataclass
class Ended:
    """What a run that was told to stop has left."""

    code: int
    seconds: float
    output: list[str]
    log: str
    files: list[Path]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    folder = tmp_path_factory.mktemp("temporary")
    with WholeCommand("serving", TMPDIR=str(folder)) as command:
        command.ready()
        with socket.create_connection(("127.0.0.1", command.port)) as stranger:
            stranger.sendall(b"nothing that Thespian knows>" * 100)
            stranger.recv(1)  # it hangs up, and writes of it where it keeps its own log
        told = time.monotonic()
        command.process.send_signal(signal.SIGTERM)
        code = command.wait()
        seconds = time.monotonic() - told
        assert command.process.stdout is not None
        rest = command.process.stdout.readlines()
        yield Ended(code, seconds, rest, command.log(), list(folder.rglob("*")))


def test_sigterm_ends_everything_within_five_seconds(ended: Ended) -> None:
    assert ended.code == 0
    assert ended.seconds < 5 * slowness()


def test_a_node_ends_in_order(ended: Ended) -> None:
    assert "closed in order" in ended.log


def test_the_ready_line_is_all_of_the_output(ended: Ended) -> None:
    assert ended.output == []


def test_no_file_is_left_behind(ended: Ended) -> None:
    assert ended.files == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_hang_up_reach_the_whole_group_and_end_it(number: signal.Signals) -> None:
    with WholeCommand("serving") as command:
        command.ready()
        os.killpg(command.process.pid, number)
        assert command.wait() == 0
        assert "closed in order" in command.log()


def test_sigterm_to_every_process_at_once_ends_all_in_order() -> None:
    with RunningCommand("serving") as command:
        command.ready()
        for process in command.tree().values():
            process.terminate()
        assert command.wait() == 0
        assert "closed in order" in command.log()


def test_a_node_with_calls_gets_the_time_that_it_asks_for() -> None:
    with RunningCommand("draining", "--stop-limit", "0.5") as command:
        command.ready()
        command.process.send_signal(signal.SIGTERM)
        assert command.event("node_draining")["seconds"] == 10.0
        assert command.wait() == 0
        assert "drained" in command.log()


def test_a_signal_during_the_start_ends_it() -> None:
    with RunningCommand("never_ready") as command:
        command.event("actor_system_started")
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0


def test_a_second_ctrl_c_ends_everything_at_once() -> None:
    with RunningCommand("stubborn", "--stop-limit", "60") as command:
        command.ready()
        command.process.send_signal(signal.SIGINT)
        command.event("stopping")
        command.process.send_signal(signal.SIGINT)
        assert command.wait() == 1


@pytest.mark.parametrize("part", ["keeper", "admin"])
def test_a_process_that_is_stopped_does_not_hold_up_the_end(part: str) -> None:
    with RunningCommand("serving", "--stop-limit", "1") as command:
        command.ready()
        command.tree()[part].suspend()
        told = time.monotonic()
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == (1 if part == "keeper" else 0)
        assert time.monotonic() - told < 5 * slowness()


def test_a_node_finds_the_emulators_in_its_environment_and_ends_them_with_it() -> None:
    with RunningCommand("serving", "--emulated=scripted") as command:
        command.ready()
        variables = {
            name: ask_node(command.port, {"variable": name}, LIMIT)["value"]
            for name in (*URLS, "AWS_ACCESS_KEY_ID", "DEEPGRAM_API_KEY")
        }
        assert variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"].startswith("http://127.0.0.1:")
        assert variables["DEEPGRAM_URL"].startswith("ws://127.0.0.1:")
        assert variables["AWS_ACCESS_KEY_ID"] == "EMULATED"
        assert variables["DEEPGRAM_API_KEY"] == "emulated"
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0


def test_the_loss_of_the_emulators_ends_everything() -> None:
    with RunningCommand("serving", "--emulated=scripted") as command:
        command.ready()
        tree = command.tree().values()
        (emulators,) = (
            child for child in psutil.Process(command.process.pid).children() if child not in tree
        )
        emulators.kill()
        assert command.wait() == 1
        assert "the emulators have ended" in command.log()
        assert "closed in order" in command.log()


def test_a_reader_that_has_gone_away_does_not_spoil_the_exit_code() -> None:
    with RunningCommand("serving") as command:
        assert command.process.stdout is not None
        command.process.stdout.close()
        command.event("node_up")
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0


def test_a_signal_while_the_emulators_start_ends_them_and_is_no_failure() -> None:
    with RunningCommand("serving", "--emulated=scripted") as command:
        until(psutil.Process(command.process.pid).children, "the emulators have begun to start")
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0
        assert "aybiza run: the emulators were stopped while they started" in command.log()
