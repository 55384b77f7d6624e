"""What a command is given before it begins, or how it ends."""

from pathlib import Path

import pytest
import typer

from aybiza.config.routes import load_routes
from aybiza.console.setup import (
    agents_or_exit,
    catalogue_or_exit,
    folder_or_exit,
    policy_or_exit,
    prices_or_exit,
    quotas_or_exit,
    routes_or_exit,
    settings_or_exit,
    tools_or_exit,
)


def unfolded(capsys: pytest.CaptureFixture[str]) -> str:
    """What was told on standard error, however its lines are folded."""
    return " ".join(capsys.readouterr().err.split())


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
    assert routes_or_exit(settings_or_exit()).default.agent.name == "Desk"


def test_a_wrong_agent_ends_the_command_with_every_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('name = "Desk"\nmax_tokens = 0\n')
    monkeypatch.setenv("AYBIZA_AGENT", str(path))
    with pytest.raises(typer.Exit) as ended:
        routes_or_exit(settings_or_exit())
    assert ended.value.exit_code == 2
    told = unfolded(capsys).split("aybiza: AYBIZA_AGENT='")
    assert [each.strip().rsplit(": ", 1)[-1] for each in told] == [
        "",
        "greeting is missing",
        "should be greater than or equal to 1",
    ]


def test_a_command_gets_the_models_and_the_policy_of_its_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "models.toml"
    path.write_text('[models."anthropic.claude-opus-5"]\nname = "Mine"\n')
    monkeypatch.setenv("AYBIZA_MODELS_FILE", str(path))
    monkeypatch.setenv("AWS_BEDROCK_MODELS", "anthropic.claude-opus-5")
    monkeypatch.setenv("AYBIZA_SELECTION", "current")
    settings = settings_or_exit()
    assert catalogue_or_exit(settings).models["anthropic.claude-opus-5"].name == "Mine"
    policy = policy_or_exit(settings)
    assert (policy.rule, policy.ids) == ("current", ("us.anthropic.claude-opus-5",))
    assert "aybiza: warning: anthropic.claude-opus-5 is served" in unfolded(capsys)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AYBIZA_MODELS_FILE", "/nonexistent/models.toml"),
        ("AYBIZA_SELECTION", "best"),
        ("AWS_BEDROCK_MODELS", "a.one"),
    ],
)
def test_models_that_cannot_be_used_end_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(typer.Exit) as ended:
        policy_or_exit(settings_or_exit())
    assert ended.value.exit_code == 2
    assert unfolded(capsys).startswith(f"aybiza: {variable}: ")


def test_quotas_that_cannot_be_used_end_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "quotas.toml"
    path.write_text("[default]\nday_usd = 5")
    monkeypatch.setenv("AYBIZA_QUOTAS_FILE", str(path))
    quotas_or_exit(settings_or_exit(), load_routes(None, "clinic"))
    path.write_text("[default]\nday_usd = 0")
    with pytest.raises(typer.Exit) as ended:
        quotas_or_exit(settings_or_exit(), load_routes(None, "clinic"))
    assert ended.value.exit_code == 2
    assert "aybiza: AYBIZA_QUOTAS_FILE: " in unfolded(capsys)


def test_prices_that_cannot_be_used_end_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "prices.toml"
    path.write_text("[listen]\nnova-3 = 0.004")
    monkeypatch.setenv("AYBIZA_PRICES_FILE", str(path))
    prices_or_exit(settings_or_exit())
    path.write_text("[listen]\nnova-3 = 'free'")
    with pytest.raises(typer.Exit) as ended:
        prices_or_exit(settings_or_exit())
    assert ended.value.exit_code == 2
    assert "aybiza: AYBIZA_PRICES_FILE: " in unfolded(capsys)


def refused(monkeypatch: pytest.MonkeyPatch, agent: Path, tools: Path | None = None) -> None:
    monkeypatch.setenv("AYBIZA_AGENT", str(agent))
    if tools is not None:
        monkeypatch.setenv("AYBIZA_TOOLS_FILE", str(tools))
    settings = settings_or_exit()
    with pytest.raises(typer.Exit) as ended:
        tools_or_exit(settings, routes_or_exit(settings))
    assert ended.value.exit_code == 2


def agent_with(folder: Path, tools: str) -> Path:
    path = folder / "desk.toml"
    path.write_text(
        f'name = "Desk"\ngreeting = "Hello."\nsystem_prompt = "Be kind."\ntools = {tools}\n'
    )
    return path


def test_a_tool_that_there_is_not_ends_the_command_and_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agent = agent_with(tmp_path, '["end_cal"]')
    refused(monkeypatch, agent)
    told = unfolded(capsys)
    assert told.startswith(f"aybiza: AYBIZA_AGENT='{agent}': tools: no such tool: end_cal; did you")
    assert "did you mean end_call?" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[crm]\nbase_ur = "https://a"', ":2: crm.base_ur is not known; did you mean base_url?"),
        ('[mial]\nsender = "a@b.example"', ":1: mial is not known; did you mean mail?"),
        (
            '[crm]\nbase_url = "https://a"\nauth = { baerer = "X" }',
            ":3: crm.auth.baerer is not known; did you mean bearer?",
        ),
        (
            '[http.x]\nmethod = "GET"',
            ":1: http is not known; there are: crm, knowledge, transfer, mail, code, connectors,",
        ),
        (
            '[connectors.desk]\nbase_url = "https://a"\n[[connectors.desk.operations]]\n'
            'metod = "GET"\npath = "/x"\ninput_schema = { type = "object" }',
            ":1: connectors.desk: desk: operation 1: metod is not known; did you mean method?",
        ),
    ],
)
def test_a_typo_in_the_tools_file_ends_the_command_with_file_field_and_nearest_name(
    text: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tools = tmp_path / "tools.toml"
    tools.write_text(text)
    refused(monkeypatch, agent_with(tmp_path, "[]"), tools)
    assert f"aybiza: AYBIZA_TOOLS_FILE: {tools}{told}" in unfolded(capsys)


def test_an_agent_that_records_needs_a_folder_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('name = "Desk"\ngreeting = "Hello."\n[recording]\n')
    monkeypatch.setenv("AYBIZA_AGENT", str(path))
    settings = settings_or_exit()
    policy = policy_or_exit(settings)
    with pytest.raises(typer.Exit) as ended:
        agents_or_exit(settings, routes_or_exit(settings), policy)
    assert ended.value.exit_code == 2
    assert "desk.toml:3: recording: set AYBIZA_RECORDINGS to a folder" in unfolded(capsys)
    monkeypatch.setenv("AYBIZA_RECORDINGS", str(tmp_path))
    agents_or_exit(settings_or_exit(), routes_or_exit(settings), policy)


def test_a_folder_that_cannot_be_made_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "file" / "calls" / "calls.sqlite3"))
    with pytest.raises(typer.Exit) as ended:
        folder_or_exit(settings_or_exit())
    assert ended.value.exit_code == 2
    told = unfolded(capsys)
    assert "AYBIZA_MEMORY_PATH" in told and "cannot be made: Not a directory" in told
    monkeypatch.setenv("AYBIZA_MEMORY_PATH", str(tmp_path / "calls" / "calls.sqlite3"))
    folder_or_exit(settings_or_exit())
    assert (tmp_path / "calls").stat().st_mode & 0o777 == 0o700


def test_a_tenant_that_is_not_the_agent_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "quotas.toml"
    path.write_text('[tenants."Lakesid Clinic"]\ncall_usd = 1\n')
    monkeypatch.setenv("AYBIZA_QUOTAS_FILE", str(path))
    quotas_or_exit(settings_or_exit(), load_routes(None, "clinic"))
    told = unfolded(capsys)
    assert "no tenant is called 'Lakeside Clinic'" in told and "'Lakesid Clinic' is near" in told
    path.write_text('[tenants."Lakeside Clinic"]\ncall_usd = 1\n')
    quotas_or_exit(settings_or_exit(), load_routes(None, "clinic"))
    assert capsys.readouterr().err == ""


def test_a_routes_file_that_is_not_there_is_told_with_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AYBIZA_ROUTES_FILE", str(tmp_path / "routes.toml"))
    with pytest.raises(typer.Exit) as ended:
        routes_or_exit(settings_or_exit())
    assert ended.value.exit_code == 2
    assert unfolded(capsys).startswith("aybiza: AYBIZA_ROUTES_FILE: ")
