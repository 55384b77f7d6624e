"""`aybiza models` shows the catalogue, and explains a choice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from aybiza.config.catalogue import shipped
from aybiza.config.settings import FIELDS
from aybiza.console.cli import app

OPUS = "us.anthropic.claude-opus-4-6-v1"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes every setting out of this process's environment."""
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)


def models(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments], env=env)


def explain(*arguments: str, **env: str) -> Result:
    return models("explain", *arguments, **env)


def test_every_model_has_its_line() -> None:
    result = models()
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["MODEL", "TIER", "STATE"]
    assert lines[1].split()[:2] == ["CONTEXT", "ANSWER"]
    at = {line.split()[0]: number for number, line in enumerate(lines) if line}
    assert [name for name in at if name in shipped().models] == list(shipped().models)
    haiku = at["anthropic.claude-haiku-4-5-20251001-v1:0"]
    assert lines[haiku].split()[1:] == ["fast", "active"]
    assert lines[haiku + 1].split()[:2] == ["200K", "64K"]
    assert " 1.00 / 5.00 / 0.10 " in lines[haiku + 1]
    old = at["anthropic.claude-3-haiku-20240307-v1:0"]
    assert lines[old].endswith(" retired 2026-09-10")
    assert " 0.25 / 1.25 / - " in lines[old + 1]
    assert lines[old + 2 : old + 4] == ["  cannot: cache", "  asked for, haiku-5-5 answers"]


def test_no_line_of_the_table_is_wider_than_a_terminal() -> None:
    table, _, _ = models().stdout.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80


def test_long_prompts_and_other_names_are_told() -> None:
    text = models().stdout
    assert "Claude Haiku 5.5: 0.50 / 2.50 / 0.05 above 100,000 tokens." in text
    assert "anthropic.claude-4-opus-20250120 = anthropic.claude-opus-4-20250514-v1:0" in text


def test_json_holds_all_that_is_known() -> None:
    result = models("--json")
    table = json.loads(result.stdout)
    assert list(table["models"]) == list(shipped().models)
    haiku = table["models"]["anthropic.claude-haiku-5-5"]
    assert haiku["prices"]["cache_read"] == 0.01
    assert haiku["long_context"]["above"] == 100_000
    assert haiku["long_context"]["input"] == 0.5
    assert "us.anthropic.claude-haiku-5-5" in haiku["ids"]
    assert (haiku["state"], haiku["launched"]) == ("active", "2026-10-07")
    assert set(table) == {"models", "aliases", "profiles"}


def test_a_users_file_counts_and_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text('[models."anthropic.claude-opus-5"]\ntier = "fast"\n')
    table = json.loads(models("--json", AYBIZA_MODELS_FILE=str(path)).stdout)
    assert table["models"]["anthropic.claude-opus-5"]["tier"] == "fast"
    path.write_text('[models."anthropic.claude-opus-5"]\nsuccessor = "a.b"\n')
    result = models(AYBIZA_MODELS_FILE=str(path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert " ".join(result.stderr.split()).startswith(
        f"aybiza: AYBIZA_MODELS_FILE: {path}: anthropic.claude-opus-5: successor = a.b: there is"
    )


def test_a_choice_is_explained_factor_by_factor() -> None:
    result = explain("Please analyze my bill", "--rule", "current", "--country", "DE")
    assert result.exit_code == 0
    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert lines["words"] == ["4", "×", "0.3", "+", "0.024", "of", "50"]
    assert lines["patterns"][:5] == ["1", "×", "0.5", "+", "0.125"]
    assert lines["complexity"][0] == "0.149"
    assert lines["region"] == ["eu-central-1", "for", "DE"]
    assert lines["current:"] == ["simple,", "and", "wanted", "cheap"]
    assert lines["→"][0] == "global.anthropic.claude-haiku-4-5-20251001-v1:0"


def test_an_explanation_for_machines_has_every_factor() -> None:
    question = "Why does this happen, could you investigate it step by step? " * 3
    chosen = json.loads(explain(question, "--rule", "current", "--json").stdout)
    assert chosen["model"] == "global.anthropic.claude-sonnet-4-6"
    assert chosen["thinking"] == {"budget": 1_024, "effort": "low"}
    names = [factor["name"] for factor in chosen["factors"]]
    assert names[:4] == ["words", "patterns", "conversation", "complexity"]
    assert names[-3:] == ["model", "region", "answer_words"]
    assert chosen["permitted"][0] == "global.anthropic.claude-haiku-4-5-20251001-v1:0"


def test_what_is_given_is_what_is_looked_at() -> None:
    def factor(name: str, *arguments: str) -> object:
        chosen = json.loads(explain("Book it", "--rule", "current", "--json", *arguments).stdout)
        return next(f["value"] for f in chosen["factors"] if f["name"] == name)

    assert factor("max_latency_ms", "--max-latency", "100") == 100
    assert factor("tools") is True
    assert factor("tools", "--no-tools") is False
    assert factor("conversation", "--no-tools", "--turns", "6") == "6 turns"
    assert factor("answer_words", "--agent-type", "technical_support") == 225
    assert factor("model", "--degrade") == "global.anthropic.claude-haiku-4-5-20251001-v1:0"


def test_the_arm_of_a_call_is_told() -> None:
    chosen = json.loads(explain("Hi", "--rule", f"{OPUS}=1", "--call", "CA1", "--json").stdout)
    assert (chosen["model"], chosen["experiment"]["arm"]) == (OPUS, OPUS)


@pytest.mark.parametrize(
    ("rule", "env", "says"),
    [
        ("curent", {}, "aybiza: AYBIZA_SELECTION: there is no rule 'curent'"),
        ("current", {"AWS_BEDROCK_MODELS": "a.one"}, "aybiza: AWS_BEDROCK_MODELS: a.one: there is"),
    ],
)
def test_what_cannot_be_used_ends_with_two(rule: str, env: dict[str, str], says: str) -> None:
    result = explain("Hi", "--rule", rule, **env)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(says)


def test_a_model_id_that_was_changed_is_told_once() -> None:
    result = explain("Hi", AWS_BEDROCK_MODELS="anthropic.claude-4-opus-20250120")
    assert result.exit_code == 0
    assert result.stderr.count("is asked instead") == 1
    assert f"→ {OPUS} " in result.stdout
