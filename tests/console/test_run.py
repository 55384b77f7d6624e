"""`aybiza run`: how it comes up, how it ends, and that it leaves nothing behind."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import typer
from typer.testing import CliRunner

from actors.node.client import NodeNotRunning, ask_node, stop_node
from actors.node.messages import NodeUp
from console import run
from console.emulated import URLS
from console.runner import ready_line
from tests.actors.node.kit import LIMIT, RunningCommand, is_alive, until


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
    with RunningCommand("serving", TMPDIR=str(folder)) as command:
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
    assert ended.seconds < 5


def test_a_node_ends_in_order(ended: Ended) -> None:
    assert "closed in order" in ended.log


def test_the_ready_line_is_all_of_the_output(ended: Ended) -> None:
    assert ended.output == []


def test_no_file_is_left_behind(ended: Ended) -> None:
    assert ended.files == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_hang_up_reach_the_whole_group_and_end_it(number: signal.Signals) -> None:
    with RunningCommand("serving") as command:
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


def test_a_signal_during_the_start_ends_it() -> None:
    with RunningCommand("never_ready") as command:
        command.event("actor_system_started")
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0


@pytest.mark.parametrize(
    ("part", "name"), [("keeper", "NodeKeeper"), ("admin", "admin"), ("logger", "logger")]
)
def test_the_loss_of_a_process_that_keeps_the_node_ends_everything(part: str, name: str) -> None:
    with RunningCommand("serving") as command:
        command.ready()
        process = command.tree()[part]
        process.kill()
        assert command.wait() == 1
        assert f"the {name} process (pid {process.pid})" in command.log()
        assert "ended unexpectedly" in command.log()


def test_the_loss_of_the_command_itself_ends_everything() -> None:
    with RunningCommand("serving") as command:
        command.ready()
        tree = command.tree()
        command.process.kill()
        until(lambda: not any(map(is_alive, tree.values())), "all processes have ended")


def test_a_node_that_does_not_end_is_killed_and_that_is_a_failure() -> None:
    with RunningCommand("stubborn", "--stop-limit", "0.5") as command:
        command.ready()
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 1
        assert "it did not stop within 0.5 s and was killed" in command.log()


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
        assert time.monotonic() - told < 5


def test_tasks_and_threads_that_a_main_leaves_do_not_hold_up_the_end() -> None:
    with RunningCommand("leaving_tasks") as command:
        command.ready()
        command.process.send_signal(signal.SIGTERM)
        assert command.wait() == 0
        assert "ended False False" in command.log()


@pytest.mark.parametrize(
    ("main", "options", "message"),
    [
        ("failing", [], "the node did not start: OSError: the door is locked"),
        ("never_ready", ["--start-limit", "0.3"], "it was not ready within 0.3 s"),
        ("no_coroutine", [], "node_mains has no coroutine function no_coroutine"),
        (
            "crashing",
            ["--max-restarts", "1"],
            "the node ended 2 times within 30 s; the last time: RuntimeError: crashed again",
        ),
    ],
)
def test_a_node_that_cannot_be_kept_is_an_error_with_its_reason(
    main: str, options: list[str], message: str
) -> None:
    with RunningCommand(main, *options) as command:
        assert command.wait() == 1
        assert message in command.log()


def test_a_busy_port_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with RunningCommand("serving", "--cluster-port", str(port)) as command:
            assert command.wait() == 1
            assert f"port {port} on 127.0.0.1 is in use" in command.log()


def test_a_second_node_on_the_port_does_not_harm_the_first() -> None:
    with RunningCommand("serving") as first:
        first.ready()
        with RunningCommand("serving", "--cluster-port", str(first.port)) as second:
            assert second.wait() == 1
        assert ask_node(first.port, {}, LIMIT)["echo"] == {}


def test_the_actor_system_listens_where_it_is_told_to_only() -> None:
    with RunningCommand("serving", "--cluster-bind", "127.0.0.2") as command:
        command.ready()
        addresses = {
            part: {
                each.laddr.ip
                for each in process.net_connections("tcp")
                if each.status == psutil.CONN_LISTEN
            }
            for part, process in command.tree().items()
        }
        assert addresses.pop("node") == {"127.0.0.1", "127.0.0.2"}  # its own door, and Thespian's
        assert set(map(frozenset, addresses.values())) == {frozenset({"127.0.0.2"})}
        assert ask_node(command.port, {}, LIMIT, address="127.0.0.2")["echo"] == {}


def test_a_client_can_stop_the_node() -> None:
    with RunningCommand("serving") as command:
        command.ready()
        stop_node(command.port, LIMIT)
        assert command.wait() == 0
        with pytest.raises(NodeNotRunning):
            stop_node(command.port)


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--http-port", "70000"], "AYBIZA_HTTP_PORT='70000': must be"),
        (["--cluster-port", "0"], "AYBIZA_CLUSTER_PORT='0': must be"),
        (["--cluster-bind", "0.0.0.0"], "not the IPv4 address of one interface"),
        (["--cluster-bind", "here"], "not the IPv4 address of one interface"),
        (["--emulated=both"], "'both'"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    result = CliRunner().invoke(command_line(), arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_help_has_an_example_and_the_exit_codes() -> None:
    text = CliRunner().invoke(command_line(), ["--help"]).stdout
    assert "aybiza run --emulated" in text
    assert "Exit code 0" in text


def test_the_ready_line_names_the_doors_and_the_node() -> None:
    up = NodeUp(1, 77, {"node": "a@b", "media": "ws://here/media", "http": "http://there"})
    assert ready_line(up) == "ready: media ws://here/media, http http://there, node a@b pid 77"
    assert ready_line(up, as_json=True) == (
        '{"media": "ws://here/media", "http": "http://there", "node": "a@b", "pid": 77}'
    )


def command_line() -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None)
    app.command(cls=run.RunCommand, epilog=run.EXAMPLES)(run.run)
    return app
