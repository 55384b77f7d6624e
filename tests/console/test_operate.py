"""`aybiza tree`, `calls`, `kill`: what they print, how they end without a node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.actors.node import client
from aybiza.console.cli import app
from aybiza.console.operate import call_lines, killed_line, operator, tree_lines
from tests.actors.node.kit import free_port

TREE = [
    (0, "Application", "application"),
    (1, "RegistryActor", "registry_actor"),
    (1, "CallSupervisor", "call_supervisor"),
    (2, "CallSession", "session:CA1"),
    (3, "CallActor", "call:CA1"),
    (3, "SpeakerActor", "speaker:CA1"),
    (4, "Task", None),
    (2, "CallSession", "session:CA2"),
    (1, "Gateway", "gateway"),
    (2, "MediaServer", "media_server"),
    (0, "Stranger", None),
]
CALL = {
    "call_id": f"CA{'0' * 32}",
    "phase": "speaking",
    "turn": 2,
    "written": 9,
    "caller": "…23",
    "seconds": 65,
}
DRAWN = """\
Application <n.1>  application
├─ RegistryActor <n.2>  registry_actor
├─ CallSupervisor <n.3>  call_supervisor
│  ├─ CallSession <n.4>  session:CA1
│  │  ├─ CallActor <n.5>  call:CA1
│  │  └─ SpeakerActor <n.6>  speaker:CA1
│  │     └─ Task <n.7>
│  └─ CallSession <n.8>  session:CA2
└─ Gateway <n.9>  gateway
   └─ MediaServer <n.10>  media_server
Stranger <n.11>"""

PROCESSES = [
    {"pid": f"<n.{number}>", "name": name, "server": server, "depth": depth}
    for number, (depth, server, name) in enumerate(TREE, 1)
]


def aybiza(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Answers in the place of a node; what it was asked, and on which port."""
    questions: list[Any] = []
    answers: dict[str, dict[str, Any]] = {
        "tree": {"processes": PROCESSES},
        "calls": {"calls": [CALL]},
        "kill": {"killed": "<n.5>", "name": "call:CA1", "back": "<n.12>", "after_ms": 0.3},
    }

    def answer(port: int, request: dict[str, Any], **_where: Any) -> dict[str, Any]:
        questions.append((port, request))
        return answers[request["op"]]

    monkeypatch.setattr(client, "ask_node", answer)
    monkeypatch.setattr(client, "nodes_with", lambda _port, process, **_where: ["n"])
    monkeypatch.setattr(client, "nodes_up", lambda _port, **_where: ["n"])
    return questions


def test_the_tree_is_drawn_with_lines() -> None:
    assert "\n".join(tree_lines(PROCESSES)) == DRAWN
    assert tree_lines([]) == []


def test_tree_prints_the_tree(asked: list[Any]) -> None:
    result = aybiza("tree", "--port", "2001")
    assert (result.exit_code, result.stdout.rstrip("\n")) == (0, DRAWN)
    assert asked == [(2001, {"op": "tree", "by": operator()})]
    assert json.loads(aybiza("tree", "--json").stdout) == {"processes": PROCESSES}


def test_calls_prints_one_line_a_call(asked: list[Any]) -> None:
    result = aybiza("calls")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["CALL", "PHASE", "TURN", "CALLER", "FOR"],
        [CALL["call_id"], "speaking", "2", "…23", "1", "min", "5", "s"],
        ["1", "call"],
    ]
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert json.loads(aybiza("calls", "--json").stdout)["calls"][0]["turn"] == 2


def test_of_several_nodes_the_calls_of_all_are_shown_and_the_tree_of_one_that_is_named(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "nodes_up", lambda _port, **_where: ["n-1", "n-2"])
    shown = aybiza("calls").stdout.splitlines()
    assert shown[-2:] == ["2 calls", "on n-1, n-2; --node shows those of one"]
    assert aybiza("calls", "--node", "n-2").stdout.splitlines()[-1] == "1 call"
    tree = aybiza("tree")
    assert (tree.stdout.rstrip("\n"), tree.stderr) == (DRAWN, "this is n-1; --node shows n-2\n")


def test_calls_that_cannot_be_asked_and_none_are_told() -> None:
    assert call_lines([]) == ["0 calls"]
    *_, lost, count = call_lines([{"pid": "<vm.3>", "phase": "unknown: timeout"}] * 2)
    assert lost.split() == ["<vm.3>", "unknown:", "timeout"] and count == "2 calls"


def test_kill_tells_who_took_the_place(asked: list[Any]) -> None:
    result = aybiza("kill", "call:CA1", "--reason", "a whim", "--port", "2001")
    assert result.stdout == "killed <n.5> (call:CA1); <n.12> took its place after 0.3 ms\n"
    told = {"op": "kill", "process": "call:CA1", "reason": "a whim", "by": operator()}
    assert asked == [(2001, told)]
    assert json.loads(aybiza("kill", "5", "--json").stdout)["back"] == "<n.12>"


@pytest.mark.parametrize("command", ["kill", "observe"])
def test_a_name_that_several_nodes_have_is_refused_and_the_nodes_named(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(client, "nodes_with", lambda _port, process, **_where: ["a", "b", "c"])
    result = aybiza(command, "metrics")
    assert (result.exit_code, result.stdout, asked) == (1, "", [])
    assert result.stderr == (
        "aybiza: a, b and c each have a process 'metrics': say which with --node\n"
    )


def test_a_name_that_one_node_has_is_looked_for_there(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes: list[Any] = []
    answer = client.ask_node

    def noted(port: int, request: dict[str, Any], **where: Any) -> Any:
        nodes.append(where["node"])
        return answer(port, request, **where)

    monkeypatch.setattr(client, "ask_node", noted)
    for found in (["b"], []):
        monkeypatch.setattr(client, "nodes_with", lambda _port, process, found=found, **_: found)
        assert aybiza("kill", "call:CA1").exit_code == 0
    assert nodes == ["b", None]


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (["a", "c"], "b has ended; a, c go on\n"),
        (["a"], "b has ended; a goes on\n"),
        ([], "b has ended; `aybiza run` ends with it\n"),
    ],
)
def test_stop_of_one_node_tells_which_go_on(
    monkeypatch: pytest.MonkeyPatch, others: list[str], told: str
) -> None:
    asked: list[Any] = []

    def stop(port: int, timeout: float, *, node: str | None, **_where: Any) -> list[str]:
        asked.append((port, timeout, node))
        return others

    monkeypatch.setattr(client, "stop_node", stop)
    assert aybiza("stop", "--node", "b", "--port", "2001").stdout == told
    all_of_them = "all nodes of this machine have ended, and `aybiza run` with them\n"
    assert aybiza("stop", "--port", "2001").stdout == all_of_them
    assert asked == [(2001, 10.0, "b"), (2001, 10.0, None)]


def test_a_process_without_a_successor_is_told() -> None:
    answer = {"killed": "<n.7>", "name": "Task", "back": None, "after_ms": None}
    assert killed_line(answer) == "killed <n.7> (Task); nobody has taken its place"


@pytest.mark.parametrize(
    "command", [["tree"], ["calls"], ["performance"], ["kill", "metrics"], ["stop"]]
)
def test_without_a_node_they_say_so_and_fail(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "memory.sqlite3"))
    result = aybiza(*command, "--port", str(free_port()))
    assert result.exit_code == 1
    assert result.stderr.startswith("aybiza: ")
    assert result.stdout == ""


@pytest.mark.parametrize("command", [["tree"], ["stop"], ["node", "drain", "back"]])
def test_a_cookie_that_cannot_be_used_is_a_wrong_setting(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = tmp_path / "cookie"
    cookie.write_text("short")
    cookie.chmod(0o644)
    monkeypatch.setenv("AYBIZA_COOKIE_FILE", str(cookie))
    result = aybiza(*command, "--port", str(free_port()))
    assert result.exit_code == 2
    assert str(cookie) in "".join(result.stderr.split())


def test_wrong_usage_is_told() -> None:
    assert aybiza("kill").exit_code == 2
    assert aybiza("tree", "--port", "none").exit_code == 2
