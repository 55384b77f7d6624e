"""Checks of agents: what cannot be used, and what callers would not like."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.settings import load
from aybiza.console.agent_checks import Verdict, checked, named, passed_over
from tests.gateway.kit import POLICY

AGENT = 'name = "Desk"\ngreeting = "Hello."\nsystem_prompt = "Be kind."\n'
VOICE = 'voice = "aura-2-luna-en"\n'
ENDS = 'tools = ["end_call"]\n'


def verdicts(folder: Path, text: str, **variables: str) -> list[Verdict]:
    path = folder / "desk.toml"
    path.write_text(text, encoding="utf-8")
    return list(checked(str(path), load(variables), POLICY))


def test_an_agent_that_is_as_it_should_be_has_no_notes(tmp_path: Path) -> None:
    (verdict,) = verdicts(tmp_path, AGENT + ENDS)
    assert (verdict.ok, verdict.says, verdict.notes) == (True, "Desk", [])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "without end_call"),
        (ENDS + 'language = "de"\nvoice = "aura-2-luna-en"\n', "speaks 'en'"),
        (ENDS + f'language = "fi"\n{VOICE}', "in English"),
        (ENDS + "max_tokens = 4000\n", "max_tokens"),
        (ENDS + 'listen_model = "nova-9"\n', "nova-9 is not known here; did you mean nova-3?"),
        (
            ENDS + f'listen_model = "flux-general-multi"\nlanguage = "sv"\n{VOICE}',
            "is not known to hear Swedish; nova-3 does",
        ),
        (ENDS + '[hours]\nmonday = ["09:00-10:00"]\n', "without a zone"),
        ('tools = ["end_call", "transfer_to_person"]\n', "transfer_numbers"),
        (ENDS + "top_p = 0.9\ntemperature = 0.4\n", "top_p: some of AWS_BEDROCK_MODELS takes one"),
        (ENDS + "silence_timeout_s = 500\nmax_duration_s = 60\n", "silence_timeout_s: the call"),
        (ENDS + f'custom_instructions = "{"word " * 600}"\n', "602 words"),
    ],
)
def test_what_callers_would_not_like_is_noted(tmp_path: Path, more: str, told: str) -> None:
    (verdict,) = verdicts(tmp_path, AGENT + more)
    assert verdict.ok
    assert any(told in note for note in verdict.notes), verdict.notes


def test_a_type_that_there_is_not_is_noted_where_its_prompt_would_be_used(tmp_path: Path) -> None:
    text = 'name = "Desk"\ngreeting = "Hello."\ntype = "sales_asistant"\n' + ENDS
    (verdict,) = verdicts(tmp_path, text)
    assert verdict.notes == [
        "type = 'sales_asistant' has no prompt of its own; did you mean sales_assistant?"
    ]
    (own,) = verdicts(tmp_path, text + 'system_prompt = "Be kind."\n')
    assert own.notes == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('tools = ["fly"]\n', "no such tool: fly"),
        ('model = "gpt-4"\n', "there is no 'gpt-4'"),
        ('model_rule = "curent"\n', "did you mean current?"),
        ("voice = 5\n", ":4: voice = 5"),
    ],
)
def test_what_cannot_be_used_is_no_note(tmp_path: Path, more: str, told: str) -> None:
    (verdict,) = verdicts(tmp_path, AGENT + more)
    assert not verdict.ok
    assert told in verdict.says


def test_tools_of_one_s_own_are_looked_at_too(tmp_path: Path) -> None:
    tools = tmp_path / "tools.toml"
    tools.write_text('[transfer.sales]\nnumber = "+14155550100"\ndescription = "orders"\n')
    more = 'tools = ["end_call", "transfer_call"]\n'
    (verdict,) = verdicts(tmp_path, AGENT + more, AYBIZA_TOOLS_FILE=str(tools))
    assert verdict.ok
    tools.write_text("[transfer.sales]\nnumber = 5\n")
    (verdict,) = verdicts(tmp_path, AGENT + more, AYBIZA_TOOLS_FILE=str(tools))
    assert not verdict.ok and "transfer.sales" in verdict.says


def test_what_servers_tell_too_much_of_is_noted_by_name() -> None:
    (note,) = passed_over({"mcp.files": [f"t{n}" for n in range(57)]})
    assert "[mcp.files] leaves out t0, t1, t2, t3, t4 and 52 more" in note
    assert not list(passed_over({}))


def test_who_would_be_put_through_to_their_own_agent_is_noted(tmp_path: Path) -> None:
    text = AGENT + ENDS + 'transfer_numbers = { me = "+14155550100", us = "+14155550101" }\n'
    (tmp_path / "one.toml").write_text(f'{text}fallback_number = "+14155550100"\n')
    routes = tmp_path / "routes.toml"
    routes.write_text('[routes.a]\nagent = "one.toml"\nnumbers = ["+14155550100"]\n')
    first, *_ = checked(str(routes), load({}), POLICY)
    assert [note.partition(" is ")[0] for note in first.notes] == [
        "transfer_numbers.me: +14155550100",
        "fallback_number: +14155550100",
    ]


def test_a_file_of_routes_is_checked_with_all_its_agents(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(AGENT + ENDS)
    (tmp_path / "two.toml").write_text(AGENT + 'tools = ["fly"]\n')
    routes = tmp_path / "routes.toml"
    routes.write_text(
        '[routes.a]\nagent = "one.toml"\nnumbers = ["1"]\n[routes.b]\nagent = "two.toml"\n'
    )
    found = list(checked(str(routes), load({}), POLICY))
    assert [one.ok for one in found] == [True, False]
    assert found[1].name.endswith("routes.toml b")


def test_folders_are_searched_and_rules_passed_over(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(AGENT)
    (tmp_path / "one.rules.toml").write_text('otherwise = "Yes."\n')
    (tmp_path / "call.toml").write_text("[[steps]]\nhangup = true\n")
    assert named([str(tmp_path)], load({})) == [str(tmp_path / "one.toml")]
    assert named([], load({})) == ["clinic", "helpdesk", "winery"]
    assert named([], load({"AYBIZA_AGENT": "x/desk.toml"}))[-1] == "x/desk.toml"
