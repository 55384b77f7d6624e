"""Who has to agree to a recording, and who is only told."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.agents import AgentError, load_agent
from aybiza.config.recording import Recording, manner, shipped

DESK = 'name = "Desk"\ngreeting = "Hello."\n'


def test_whose_number_nobody_knows_has_to_agree() -> None:
    for caller in ("", "anonymous", "sip:ann@example.org", "+4930123456", "+999"):
        assert manner(Recording(), caller) == "agreed"


def test_the_longest_beginning_counts_and_a_files_own_rows_go_first() -> None:
    own = Recording(by_number={"+1415": "agreed", "+49": "told", "+44": "agreed"})
    callers = ("+14155550100", "+12125550100", "+4930123456", "+442071234567")
    assert [manner(own, caller) for caller in callers] == ["agreed", "told", "told", "agreed"]


def test_a_file_may_ask_the_same_of_everybody() -> None:
    assert manner(Recording(consent="told"), "") == "told"
    assert manner(Recording(consent="agreed"), "+14155550100") == "agreed"


def test_the_rows_of_the_package_are_beginnings_of_numbers() -> None:
    assert Recording(by_number=dict(shipped())).by_number == shipped()


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ('consent = "maybe"', "4: recording.consent = 'maybe': should be 'by_number', 'told' or"),
        ('[recording.by_number]\n"49" = "told"', "5: recording.by_number.49"),
        ("consents = 1", "4: recording.consents is no part of an agent"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, rows: str, problem: str) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(f"{DESK}[recording]\n{rows}\n")
    with pytest.raises(AgentError) as caught:
        load_agent(str(path))
    assert str(caught.value).startswith(f"{path}:{problem}")


def test_what_is_said_of_health_is_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text(f"{DESK}health_data = true\n[recording]\n")
    with pytest.raises(AgentError) as caught:
        load_agent(str(path))
    assert str(caught.value).startswith(f"{path}:4: recording: ")
    assert "with health_data nothing that is said is kept" in str(caught.value)
