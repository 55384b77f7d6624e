"""`aybiza run` as a command: its options and its help."""

import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from aybiza.console import run


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
    assert message in " ".join(result.stderr.split())


def test_rules_that_cannot_be_used_are_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    agent = tmp_path / "desk.toml"
    agent.write_text('name = "A"\nsystem_prompt = "Help."\ngreeting = "Hello."\n')
    (tmp_path / "desk.rules.toml").write_text('otherwse = "What?"')
    monkeypatch.setenv("AYBIZA_AGENT", str(agent))
    result = CliRunner().invoke(command_line(), ["--emulated=scripted"])
    assert result.exit_code == 2
    told = " ".join(result.stderr.split())
    assert "desk.rules.toml:1: otherwse is not known; did you mean otherwise?" in told


def test_the_help_has_an_example_and_the_exit_codes() -> None:
    text = CliRunner().invoke(command_line(), ["--help"]).stdout
    assert "aybiza run --emulated" in text
    assert "Exit code 0" in text


def command_line() -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None)
    app.command(cls=run.RunCommand, epilog=run.EXAMPLES)(run.run)
    return app
