"""The node's file of outgoing calls, its lists, and campaigns: whole, or refused by the line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from aybiza.config import outbound
from aybiza.config.outbound import (
    Campaign,
    OutboundError,
    Rules,
    campaign_of,
    load_campaign,
    load_rules,
    spec_of,
)

RULES = """
own_numbers = ["+14155550100"]
opt_in = "opt_in.csv"
do_not_call = "lists/do_not_call.csv"
holidays = [2026-12-25]

[hours]
monday = ["09:00-18:00"]

[limits]
attempts_a_day = 2
"""
CAMPAIGN = """
name = "reminders"
agent = "clinic"
from = "+14155550100"
numbers = "people.csv"
"""


def rules(folder: Path, text: str = RULES, opt_in: str = "", do_not_call: str = "") -> Rules:
    (folder / "lists").mkdir(exist_ok=True)
    (folder / "opt_in.csv").write_text(opt_in)
    (folder / "lists/do_not_call.csv").write_text(do_not_call)
    (folder / "outbound.toml").write_text(text)
    return load_rules(folder / "outbound.toml")


def campaign(folder: Path, text: str = CAMPAIGN, people: str = "+14155552671\n") -> Campaign:
    (folder / "people.csv").write_text(people)
    (folder / "campaign.toml").write_text(text)
    return load_campaign(folder / "campaign.toml")


def test_the_rules_have_their_lists(tmp_path: Path) -> None:
    made = rules(
        tmp_path,
        opt_in="name,number\nAnn,+1 415-555-2671\n\n# left,\nBob,+493012345678\n",
        do_not_call="+14155552672\r\n",
    )
    assert made.opt_in == {"+14155552671", "+493012345678"}
    assert made.do_not_call == {"+14155552672"}
    assert made.file.holidays == (date(2026, 12, 25),)
    assert (made.file.limits.attempts_a_day, made.file.limits.attempts) == (2, 3)
    assert {path.name for path in made.files} == {"outbound.toml", "opt_in.csv", "do_not_call.csv"}


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (("attempts_a_day = 2", "atempts = 2"), ":11: limits.atempts is not known; did you mean"),
        (("attempts_a_day = 2", "attempts_a_day = 0"), ":11: limits.attempts_a_day = 0: should be"),
        (('"+14155550100"', '"4155550100"'), ":2: own_numbers.0 = '4155550100'"),
        (('opt_in = "opt_in.csv"', ""), "opt_in is missing"),
        (('"opt_in.csv"', '"gone.csv"'), "gone.csv: cannot be read: No such file"),
        (("09:00-18:00", "9-18"), ":8: hours.monday.0 = '9-18'"),
        (("[hours]", "[hours"), "is not TOML"),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, change: tuple[str, str], wrong: str) -> None:
    with pytest.raises(OutboundError) as error:
        rules(tmp_path, RULES.replace(*change))
    assert wrong in str(error.value)


def test_a_list_with_what_is_no_number_is_refused_so_that_nobody_is_called_by_mistake(
    tmp_path: Path,
) -> None:
    with pytest.raises(OutboundError) as error:
        rules(tmp_path, do_not_call="number\n+14155552671\n4155552672\n")
    assert error.value.problems == [
        f"{tmp_path}/lists/do_not_call.csv:3: '4155552672': write it as +14155552671"
    ]


def test_a_campaign_has_each_of_its_numbers_once(tmp_path: Path) -> None:
    people = "number,name\n+1 415 555 2671,Ann\n+14155552671,Ann again\n+493012345678,Bob\n"
    made = campaign(tmp_path, people=people)
    assert [one.number for one in made.numbers] == ["+14155552671", "+493012345678"]
    assert made.numbers[1].zones == ("Europe/Berlin",)
    assert made.file.from_number == "+14155550100"


def test_numbers_may_stand_in_the_campaigns_file(tmp_path: Path) -> None:
    text = CAMPAIGN.replace('"people.csv"', '["+14155552671"]')
    assert [one.number for one in campaign(tmp_path, text).numbers] == ["+14155552671"]


def test_a_wrong_number_in_the_campaigns_file_is_told_with_the_line_of_the_list(
    tmp_path: Path,
) -> None:
    text = CAMPAIGN.replace('"people.csv"', '["+14155552671", "0301234"]')
    with pytest.raises(OutboundError, match=r":5: '0301234': write it with its country"):
        campaign(tmp_path, text)


def test_all_wrong_numbers_of_a_campaign_are_told_with_their_lines(tmp_path: Path) -> None:
    with pytest.raises(OutboundError) as error:
        campaign(tmp_path, people="+14155552671\n12\n+15555550100\n")
    assert [problem.rpartition("/")[2] for problem in error.value.problems] == [
        "people.csv:2: '12': write it with its country, such as +14155552671",
        "people.csv:3: '+15555550100' is no number that can be called",
    ]


@pytest.mark.parametrize(
    ("people", "wrong"), [("", "there is no number"), ("\0", "no CSV|no number")]
)
def test_a_campaign_of_nobody_is_refused(tmp_path: Path, people: str, wrong: str) -> None:
    with pytest.raises(OutboundError, match=wrong):
        campaign(tmp_path, people=people)


def test_too_many_faults_are_told_in_part(tmp_path: Path) -> None:
    with pytest.raises(OutboundError) as error:
        campaign(tmp_path, people="1\n" * 100)
    assert len(error.value.problems) == 21
    assert error.value.problems[-1] == "and 80 more"


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"numbers": "people.csv"}, "numbers has to be a list"),
        ({"agent": 5}, "agent"),
        ({"numbers": []}, "there is no number"),
    ],
)
def test_a_campaign_that_a_node_is_sent_is_checked_as_a_file_is(
    tmp_path: Path, change: dict[str, Any], wrong: str
) -> None:
    spec = spec_of(campaign(tmp_path))
    assert spec_of(campaign_of(spec)) == spec
    with pytest.raises(OutboundError, match=wrong):
        campaign_of({**spec, **change})


def test_a_list_that_is_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "MOST_OF_A_CAMPAIGN", 1)
    with pytest.raises(OutboundError, match="has more than 1 numbers"):
        campaign(tmp_path, people="+14155552671\n+493012345678\n")
    monkeypatch.setattr(outbound, "MOST_BYTES", 10)
    with pytest.raises(OutboundError, match="is larger than 0 MB"):
        campaign(tmp_path)
