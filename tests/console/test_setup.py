"""What a command is given before it begins, or how it ends."""

from pathlib import Path

import pytest
import typer

from console.setup import agent_or_exit, settings_or_exit


def test_a_command_gets_the_settings_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AYBIZA_MAX_CALLS", "7")
    assert settings_or_exit().max_calls == 7


def test_a_wrong_setting_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AYBIZA_MAX_CALLS", "many")
    monkeypatch.setenv("AYBIZA_MAX_CALL", "7")
    with pytest.raises(typer.Exit) as ended:
        settings_or_exit()
    assert ended.value.exit_code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "aybiza: AYBIZA_MAX_CALLS='many': must be a whole number" in output.err
    assert "aybiza: warning: AYBIZA_MAX_CALL is not a setting" in output.err


def test_a_command_gets_the_agent_that_the_settings_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('name = "Desk"\ngreeting = "Hello."\nsystem_prompt = "Be kind."\n')
    monkeypatch.setenv("AYBIZA_AGENT", str(path))
    assert agent_or_exit(settings_or_exit()).name == "Desk"


def test_a_wrong_agent_ends_the_command_with_every_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('name = "Desk"\n')
    monkeypatch.setenv("AYBIZA_AGENT", str(path))
    with pytest.raises(typer.Exit) as ended:
        agent_or_exit(settings_or_exit())
    assert ended.value.exit_code == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.rsplit(": ", 1)[1] for line in lines] == [
        "system_prompt is missing",
        "greeting is missing",
    ]
    assert all(line.startswith("aybiza: AYBIZA_AGENT='") for line in lines)
