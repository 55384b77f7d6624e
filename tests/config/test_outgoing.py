"""The table `[outbound]` of an agent's file."""

from __future__ import annotations

import pytest

from aybiza.config.agents import Agent, AgentError, agent_of

AGENT = 'name = "Clinic"\ngreeting = "Hello."\n'


def made(table: str) -> Agent:
    return agent_of(f"{AGENT}[outbound]\n{table}", "clinic.toml")


def test_without_more_the_agent_hangs_up_on_machines() -> None:
    plan = made("").outbound
    assert plan is not None
    assert (plan.voicemail, plan.speaks_first, plan.hello_seconds) == ("hang_up", False, 3.0)
    assert agent_of(AGENT, "clinic.toml").outbound is None


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ('voicemail = "leave"', 'voicemail = "leave" needs a message'),
        ('voicemail = "talk"', "outbound.voicemail = 'talk'"),
        ("hello_seconds = 0.5", "outbound.hello_seconds = 0.5"),
        ("mesage = ''", "outbound.mesage is no part of an agent"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(table: str, wrong: str) -> None:
    with pytest.raises(AgentError) as error:
        made(table)
    assert "clinic.toml:" in str(error.value)
    assert wrong in str(error.value)
