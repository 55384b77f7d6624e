"""The table of exit codes names every command, and each ends with 1 and 2 where it says so."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from aybiza.actors.node.cookie import ensure_cookie
from aybiza.console.cli import app
from aybiza.console.exit_codes import WRONG, codes_of
from tests.actors.node.kit import free_port

DOCUMENT = Path(__file__).parents[2] / "docs" / "console.md"
UNIT = re.compile(
    r"[Ss]econds?\b|minutes?\b|hours?\b|\bms\b|\bUSD\b|%|[Pp]ercent|share|times|0 to 1|[Ss]peed"
)
ROW = re.compile(r"^\| (`[^|]+) \| ([^|]*) \|([^|]*)\|([^|]*)\|$", re.M)

ASKS_A_NODE = {"top", "tree", "observe", "trace", "kill", "stop", "node", "calls", "campaign"}
"""The beginnings of commands that may be told the port of a node."""

MISUSED = {
    "run": "--nodes 0",
    "demo": "--http-port 70000",
    "dial": "nosuch",
    "loadtest": "--url nosuch",
    "report": "--period nosuch",
    "costs": "--period nosuch",
    "completion": "nosuch",
    "agents show": "nosuch",
    "agents try": "nosuch",
    "agents export": "nosuch --vapi",
    "agents import": "nosuch.json --vapi",
    "calls list": "--period nosuch",
    "calls forget": "--caller nosuch",
    "bench load": "--calls nosuch",
    "faults run": "nosuch.toml",
    "diagnose latency": "--period nosuch",
    "evals run": "nosuch",
    "tools try": "nosuch.toml",
    "campaign check": "nosuch.toml",
    "campaign run": "nosuch.toml",
}
"""What a command cannot take beside an option that it has not."""

FAILED = {
    "top": "",
    "tree": "",
    "performance": "",
    "observe": "metrics",
    "trace": "metrics",
    "kill": "metrics",
    "stop": "",
    "calls": "",
    "calls follow": "CA1",
    "calls hangup": "CA1",
    "calls show": "CA1",
    "calls recording": "CA1 --to nosuch.wav",
    "node drain": "back",
    "node list": "",
    "node ports": "",
    "report": "",
    "costs": "",
    "audit verify": "nosuch",
    "diagnose latency": "",
    "diagnose call": "CA1",
    "diagnose sip": "nosuch",
    "diagnose audio": "nosuch",
    "agents check": "nosuch.toml",
    "campaign status": "",
    "campaign stop": "nosuch",
}
"""What finds nothing where no node runs and none has run."""


def leaves(command: Any, name: str = "") -> Iterator[str]:
    """The commands that do something, by their whole names."""
    if not hasattr(command, "commands"):
        yield name
        return
    if name and command.invoke_without_command:
        yield name
    for part, below in command.commands.items():
        yield from leaves(below, f"{name} {part}".strip())


COMMANDS = {name for name in leaves(get_command(app)) if name not in ("agents", "evals", "tools")}


def table() -> dict[str, tuple[str, ...]]:
    """What the document says of each command's codes; `the same` is the row's above."""
    found: dict[str, tuple[str, ...]] = {}
    above = ("", "", "")
    for names, *cells in ROW.findall(
        DOCUMENT.read_text(encoding="utf-8").partition("## Exit codes")[2]
    ):
        above = tuple(
            cell.strip().replace("the same", before).replace("`", "")
            for cell, before in zip(cells, above, strict=True)
        )
        found |= dict.fromkeys(re.findall(r"`([^`]+)`", names), above)
    return found


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no node runs, and none has run."""
    cookie = tmp_path / "cookie"
    ensure_cookie(cookie)
    own = {**os.environ, "AYBIZA_COOKIE_FILE": str(cookie)}
    own["AYBIZA_MEMORY_PATH"] = str(tmp_path / "memory.sqlite3")
    own["AYBIZA_CLUSTER_PORT"] = str(free_port())
    monkeypatch.setattr(os, "environ", own)
    monkeypatch.chdir(tmp_path)


def aybiza(command: str, arguments: str) -> Result:
    return CliRunner().invoke(app, [*command.split(), *arguments.split()])


def assert_told(result: Result) -> None:
    """The end is told in words on standard error, and no exception has passed."""
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.stderr.strip()
    assert "Traceback" not in result.output


def test_the_table_has_each_command_once() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Exit codes")[2]
    named = [name for row in ROW.findall(text) for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted(COMMANDS)
    assert all(zero for zero, _, _ in table().values())


def test_the_page_and_the_help_mean_the_same() -> None:
    assert {name: tuple(codes_of(name)) for name in COMMANDS} == table()


def branches(command: Any, name: str = "") -> Iterator[str]:
    """The commands and groups of commands, by their whole names."""
    yield name
    for part, below in getattr(command, "commands", {}).items():
        yield from branches(below, f"{name} {part}".strip())


@pytest.mark.parametrize("command", sorted(branches(get_command(app))))
def test_help_fits_a_terminal_with_an_example_and_what_the_codes_mean(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--help"], terminal_width=80)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert "aybiza " in result.output.partition("Example")[2], "it has no example"
    if command in COMMANDS:
        told = result.output.partition("Exit codes:\n")[2]
        assert told.lstrip().startswith("0  ") and f"  2  {WRONG}" in told
        assert ("\n    1  " in told) == bool(codes_of(command).failed)
    options = re.split(r"\n(?=  -)", result.output)
    silent = [each for each in options if "<float" in each and not UNIT.search(each)]
    assert silent == [], "a number with a fraction has no unit"


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_an_option_that_a_command_has_not_is_wrong_usage(command: str) -> None:
    result = aybiza(command, "--nosuch")
    assert result.exit_code == 2
    assert_told(result)


@pytest.mark.parametrize("command", MISUSED)
def test_what_a_command_cannot_take_is_wrong_usage(command: str) -> None:
    result = aybiza(command, MISUSED[command])
    assert result.exit_code == 2, result.output
    assert_told(result)


@pytest.mark.parametrize("command", FAILED)
def test_what_finds_nothing_has_failed(command: str) -> None:
    port = f" --port {free_port()}" if table()[command][1] and _asks(command) else ""
    result = aybiza(command, FAILED[command] + port)
    assert result.exit_code == 1, result.output
    assert table()[command][1], "the table says that it never ends with 1"
    if command != "agents check":  # its verdicts are its output
        assert_told(result)


def _asks(command: str) -> bool:
    first = command.split(maxsplit=1)[0]
    return first in ASKS_A_NODE and command not in ("calls show", "calls recording")


@pytest.mark.parametrize(
    "command", ["run", "tree", "stop", "node list", "node ports", "node drain back"]
)
def test_a_cookie_that_cannot_be_used_is_a_wrong_setting(command: str, tmp_path: Path) -> None:
    (tmp_path / "cookie").chmod(0o644)
    result = aybiza(command, f"--port {free_port()}")
    assert result.exit_code == 2
    assert_told(result)
    assert "chmod 600" in result.stderr


@pytest.mark.parametrize("command", ["run", "demo", "tree", "config", "models", "agents check"])
def test_a_setting_that_cannot_be_used_is_wrong_usage(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "AYBIZA_MAX_CALLS", "many")
    result = aybiza(command, "")
    assert result.exit_code == 2
    assert "AYBIZA_MAX_CALLS='many': must be" in " ".join(result.stderr.split())


def test_a_certificate_that_cannot_be_used_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TLS_CERTIFICATE", "TLS_KEY"):
        monkeypatch.setitem(os.environ, f"AYBIZA_{name}", str(tmp_path / "none.pem"))
    result = aybiza("run", "--emulated=scripted")
    assert result.exit_code == 2
    assert_told(result)
    assert "AYBIZA_TLS_CERTIFICATE" in result.stderr
