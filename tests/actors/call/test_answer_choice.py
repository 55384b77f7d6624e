"""What an answer is asked with."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.call.answer_choice import ready_tools, word_limits
from aybiza.claude.choice import Policy, choose_model
from aybiza.claude.generate import rungs_of
from aybiza.claude.models import profile_of
from aybiza.config.catalogue import shipped
from aybiza.dialogue.prompt import WordLimits
from aybiza.dialogue.toolbox import NoTools
from tests.actors.call.answer_kit import AWAY, HAIKU, HOME, SONNET


class OneTool(NoTools):
    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = [{"toolSpec": {"name": "look_up"}}]

    def specs(self) -> list[dict[str, Any]]:
        return list(self.made)


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("customer_service", WordLimits(150, 75, 300)),
        ("technical_support", WordLimits(225, 75, 300)),
    ],
)
def test_the_limits_are_those_of_the_specifications_rule(kind: str, limits: WordLimits) -> None:
    assert word_limits(kind) == limits


def test_tools_are_made_ready_once_until_they_change() -> None:
    toolbox = OneTool()
    ready = ready_tools(toolbox)
    assert ready_tools(toolbox) is ready
    toolbox.made = [{"toolSpec": {"name": "other"}}]
    assert ready_tools(toolbox)[0]["toolSpec"]["name"] == "other"


def test_what_may_be_tried_begins_with_what_was_chosen() -> None:
    policy = Policy(
        models=(profile_of(HAIKU), profile_of(SONNET)),
        catalogue=shipped(),
        region=HOME,
        fallback_region=AWAY,
    )
    choice = choose_model(policy, "Hello.", {}, {})
    rungs = rungs_of(policy, choice)
    assert rungs.models[0] == choice.profile.id and set(rungs.models) == {HAIKU, SONNET}
    assert list(rungs.regions) == [choice.region, AWAY]
