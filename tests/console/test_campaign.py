"""`aybiza campaign` and `aybiza dial NUMBER`: what is asked of the node, and what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.console import campaign, dial
from aybiza.console.cli import app
from tests.call.placed import ANN, BOB, OURS, rules_in

FILE = f'name = "reminders"\nagent = "clinic"\nfrom = "{OURS}"\nnumbers = ["{ANN}", "{BOB}"]\n'
STATUS = {
    "campaigns": [
        {
            **{"name": "reminders", "state": "running", "numbers": 2, "attempts": 1},
            **{"outcomes": {"human": 1}, "waiting": 1, "held": {"hours": 1}},
        },
        {"name": "", "state": "", "numbers": 0, "attempts": 1, "outcomes": {"busy": 1}},
    ],
    "attempts": [
        {"at": 0.0, "to": ANN, "outcome": "busy", "call": "CA1", "code": "486", "seconds": 0}
    ],
}


class Node:
    """Stands for the node that is asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {}

    def asked(self, port: Any, request: dict[str, Any], node: Any = None) -> dict[str, Any]:
        self.requests.append({**request, "node": node})
        return self.answer


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Node:
    made = Node()
    for module in (campaign, dial):
        monkeypatch.setattr(module, "asked", made.asked)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "reminders.toml"
    path.write_text(FILE)
    return path


def run(*words: str, **variables: str) -> Result:
    return CliRunner().invoke(app, list(words), env=variables)


def test_a_number_is_called_by_the_node(node: Node) -> None:
    node.answer = {"attempt": "a1"}
    result = run("dial", ANN, "--agent", "clinic", "--node", "b")
    assert result.exit_code == 0, result.output
    assert "attempt a1" in result.output
    (asked,) = node.requests
    assert (asked["do"], asked["to"], asked["agent"], asked["node"]) == ("dial", ANN, "clinic", "b")


def test_a_call_that_the_rules_refuse_ends_with_1_and_the_reason(node: Node) -> None:
    node.answer = {"refused": "hours", "words": "it is Sunday, 23:00 in Europe/Berlin"}
    result = run("dial", ANN, "--agent", "clinic")
    assert result.exit_code == 1
    assert "not done (hours): it is Sunday" in result.output


@pytest.mark.parametrize(
    "words", [(ANN,), (ANN, BOB, "--agent", "clinic"), ("booking", "--agent", "clinic")]
)
def test_what_cannot_be_meant_ends_with_2(node: Node, words: tuple[str, ...]) -> None:
    assert run("dial", *words).exit_code == 2
    assert node.requests == []


def test_a_campaign_is_handed_to_the_node_with_its_numbers(node: Node, file: Path) -> None:
    node.answer = {"running": "reminders", "numbers": 2}
    result = run("campaign", "run", str(file))
    assert result.output == "reminders runs: 2 numbers\n"
    assert node.requests[0]["campaign"]["numbers"] == [ANN, BOB]
    node.answer = {"stopped": "reminders"}
    assert run("campaign", "stop", str(file)).output == "reminders is stopped\n"
    assert node.requests[1]["name"] == "reminders"


def test_its_status_is_a_table(node: Node) -> None:
    node.answer = STATUS
    lines = run("campaign", "status").output.splitlines()
    assert lines[1].split() == ["reminders", "running", "2", "1", "1", "1", "human"]
    assert lines[2] == "  held back: 1 hours"
    assert lines[3].split() == ["(single", "calls)", "1", "1", "busy"]
    assert lines[4].endswith(f"{ANN}     busy          CA1 code 486")
    assert '"campaigns"' in run("campaign", "status", "--json").output


def test_a_check_tells_who_could_be_called_and_why_not_others(tmp_path: Path, file: Path) -> None:
    rules_in(tmp_path, ANN)
    result = run("campaign", "check", str(file), AYBIZA_OUTBOUND_FILE=f"{tmp_path}/outbound.toml")
    assert result.exit_code == 0, result.output
    found = {line.split(maxsplit=1)[1]: line.split()[0] for line in result.output.splitlines()[1:]}
    assert found == {"may be called now": "1", "no_opt_in": "1"}


def test_a_file_that_cannot_be_used_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(FILE.replace(ANN, "12"))
    result = run("campaign", "check", str(path))
    assert result.exit_code == 2
    assert "'12': write it with its country" in " ".join(result.output.split())
