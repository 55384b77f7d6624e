"""`aybiza config` shows what is in force, and refuses what cannot be used."""

import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aybiza.config.settings import FIELDS
from aybiza.console.cli import app

SECRET = "s3cret"
OPUS = "global.anthropic.claude-opus-5"
SONNET = "global.anthropic.claude-sonnet-4-6"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes every setting out of this process's environment."""
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)


def config(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(app, ["config", *arguments], env=env)


def unfolded(result: Any) -> str:
    """What was printed, with the lines that go on below in one piece again."""
    return re.sub(r"\n {4,}", " ", result.stdout)


def test_every_setting_is_shown_with_its_source() -> None:
    result = config(AYBIZA_HTTP_PORT="3001")
    assert result.exit_code == 0
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in unfolded(result).splitlines()}
    assert list(lines) == list(FIELDS)
    assert lines["AYBIZA_HTTP_PORT"] == ["environment", "3001"]
    assert lines["AYBIZA_MEDIA_PORT"] == ["default", "8080"]
    assert lines["REDIS_URL"] == ["default", "(unset)"]
    assert lines["EDGE_CACHE_ENABLED"] == ["default", "true"]


def test_json_holds_the_same_for_machines() -> None:
    result = config("--json", AWS_BEDROCK_MODELS=f"{OPUS},{SONNET}")
    table = json.loads(result.stdout)
    assert list(table) == list(FIELDS)
    assert table["AWS_BEDROCK_MODELS"]["value"] == [OPUS, SONNET]
    assert table["AWS_BEDROCK_MODELS"]["source"] == "environment"
    assert table["AWS_DEFAULT_BEDROCK_MODEL"]["value"] == OPUS
    assert table["AWS_DEFAULT_BEDROCK_MODEL"]["source"] == "default"
    assert table["AYBIZA_HTTP_PORT"]["value"] == 3000
    assert table["TWILIO_AUTH_TOKEN"]["value"] is None
    assert all(row["about"] and row["allowed"] for row in table.values())


def test_explain_says_what_each_setting_is_for_and_may_hold() -> None:
    result = config("--explain")
    assert result.exit_code == 0
    assert len(re.findall(r"Allowed: .+\.$", unfolded(result), re.MULTILINE)) == len(FIELDS)


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
    told = "aybiza: warning: AYBIZA_HTTP_PROT is not a setting; did you mean AYBIZA_HTTP_PORT?"
    assert " ".join(result.stderr.split()) == told


def test_an_agent_that_cannot_be_read_is_a_wrong_value() -> None:
    result = config(AYBIZA_AGENT="clinik")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("aybiza: AYBIZA_AGENT='clinik': there is no agent 'clinik'")


def test_an_unknown_model_is_a_wrong_value() -> None:
    result = config(AWS_BEDROCK_MODELS="us.anthropic.claude-sonnet-4.6")
    assert (result.exit_code, result.stdout) == (2, "")
    assert " ".join(result.stderr.split()).startswith(
        "aybiza: AWS_BEDROCK_MODELS: us.anthropic.claude-sonnet-4.6: there is no such model; the"
        " nearest are anthropic.claude-sonnet-4-6, "
    )


def test_a_model_of_the_specification_is_replaced_with_a_warning() -> None:
    result = config(AWS_DEFAULT_BEDROCK_MODEL="anthropic.claude-4-sonnet-20250120")
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "aybiza: warning: anthropic.claude-4-sonnet-20250120 is another"
    )


class TestCheck:
    @pytest.fixture
    def door(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        # Time enough on a busy machine.
        monkeypatch.setattr("aybiza.console.checks.LIMIT", 30.0)
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield f"127.0.0.1:{server.getsockname()[1]}"

    def check(self, door: str, *arguments: str, **env: str) -> Result:
        return config(
            "--check",
            *arguments,
            AWS_ENDPOINT_URL_BEDROCK_RUNTIME=f"http://{door}",
            DEEPGRAM_URL=f"ws://{door}",
            DEEPGRAM_API_KEY=SECRET,
            AWS_ACCESS_KEY_ID=SECRET,
            AWS_SECRET_ACCESS_KEY=SECRET,
            NO_PROXY="127.0.0.1",
            **env,
        )

    def test_all_is_well(self, door: str) -> None:
        result = self.check(door)
        assert result.exit_code == 0
        assert {line.split()[0] for line in unfolded(result).splitlines()} == {"ok"}
        assert SECRET not in result.output

    def test_what_cannot_be_used_is_said_and_ends_with_one(self, door: str) -> None:
        result = self.check(door, AWS_REGION="eu-wets-1")
        assert result.exit_code == 1
        assert "FAIL  AWS_REGION" in result.stdout
        assert "the nearest are eu-west-1" in result.stdout

    def test_json_holds_the_same(self, door: str) -> None:
        result = self.check(door, "--json", AWS_FALLBACK_REGION="us-esat-1")
        assert result.exit_code == 1
        table = {check["name"]: check for check in json.loads(result.stdout)}
        assert table["AWS_REGION"] == {"name": "AWS_REGION", "ok": True, "says": "us-east-1"}
        assert table["AWS_FALLBACK_REGION"]["ok"] is False
