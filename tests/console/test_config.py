"""`aybiza config` shows what is in force, and refuses what cannot be used."""

import json
import re

import pytest
from typer.testing import CliRunner, Result

from config.settings import FIELDS
from console.cli import app

SECRET = "s3cret"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes every setting out of this process's environment."""
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)


def config(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(app, ["config", *arguments], env=env)


def test_every_setting_is_shown_with_its_source() -> None:
    result = config(AYBIZA_HTTP_PORT="3001")
    assert result.exit_code == 0
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in result.stdout.splitlines()}
    assert list(lines) == list(FIELDS)
    assert lines["AYBIZA_HTTP_PORT"] == ["environment", "3001"]
    assert lines["AYBIZA_MEDIA_PORT"] == ["default", "8080"]
    assert lines["REDIS_URL"] == ["default", "(unset)"]
    assert lines["EDGE_CACHE_ENABLED"] == ["default", "true"]


def test_json_holds_the_same_for_machines() -> None:
    result = config("--json", AWS_BEDROCK_MODELS="a.one,a.two")
    table = json.loads(result.stdout)
    assert list(table) == list(FIELDS)
    assert table["AWS_BEDROCK_MODELS"]["value"] == ["a.one", "a.two"]
    assert table["AWS_BEDROCK_MODELS"]["source"] == "environment"
    assert table["AWS_DEFAULT_BEDROCK_MODEL"]["value"] == "a.one"
    assert table["AWS_DEFAULT_BEDROCK_MODEL"]["source"] == "default"
    assert table["AYBIZA_HTTP_PORT"]["value"] == 3000
    assert table["TWILIO_AUTH_TOKEN"]["value"] is None
    assert all(row["about"] and row["allowed"] for row in table.values())


def test_explain_says_what_each_setting_is_for_and_may_hold() -> None:
    result = config("--explain")
    assert result.exit_code == 0
    assert len(re.findall(r"^ +Allowed: .+\.$", result.stdout, re.MULTILINE)) == len(FIELDS)


@pytest.mark.parametrize("form", [(), ("--json",), ("--explain",)])
def test_secrets_are_hidden(form: tuple[str, ...]) -> None:
    result = config(
        *form,
        AWS_ACCESS_KEY_ID=SECRET,
        AWS_SECRET_ACCESS_KEY=SECRET,
        DEEPGRAM_API_KEY=SECRET,
        TWILIO_AUTH_TOKEN=SECRET,
        REDIS_URL=f"redis://user:{SECRET}@host:6379",
    )
    assert result.exit_code == 0
    assert SECRET not in result.output
    assert result.stdout.count("(hidden)") == 5
    assert "redis://(hidden)@host:6379" in result.stdout


def test_wrong_values_are_named_and_end_with_two() -> None:
    result = config(AYBIZA_HTTP_PORT="abc", AYBIZA_LOG_FORMAT="xml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "aybiza: AYBIZA_HTTP_PORT='abc': must be a whole number from 0 to 65535",
        "aybiza: AYBIZA_LOG_FORMAT='xml': must be one of json, console",
    ]


def test_a_misspelled_variable_is_named_and_nothing_else_happens() -> None:
    result = config("--json", AYBIZA_HTTP_PROT="1")
    assert result.exit_code == 0
    assert json.loads(result.stdout)
    assert result.stderr == (
        "aybiza: warning: AYBIZA_HTTP_PROT is not a setting; did you mean AYBIZA_HTTP_PORT?\n"
    )


def test_an_agent_that_cannot_be_read_is_a_wrong_value() -> None:
    result = config(AYBIZA_AGENT="clinik")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("aybiza: AYBIZA_AGENT='clinik': there is no agent 'clinik'")
