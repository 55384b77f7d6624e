"""Callers whose words come from a model: what it is told, what its words do, and its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from aybiza.faults.persona import Persona
from aybiza.faults.persona_mind import (
    Answer,
    Budget,
    Mind,
    Refused,
    Speechless,
    Words,
    understood,
)
from tests.cases import each

TABLE = {"by": "emulator", "goal": "I need a wine for {food}.", "most_words": 6, "most_rounds": 2}


def mind(*answers: str, **model: Any) -> tuple[Mind, list[Mapping[str, Any]]]:
    """The mind of a caller whose model says this, and what it is asked."""
    asked: list[Mapping[str, Any]] = []
    left = list(answers)

    def ask(request: Mapping[str, Any]) -> Answer:
        asked.append(request)
        return Answer(left.pop(0))

    persona = Persona.model_validate(
        {
            "title": "Wine",
            "persona": {"temper": "hasty"},
            "facts": {"food": ["a steak"]},
            "model": {**TABLE, **model},
            "goal": {},
        }
    )
    made = persona.drawn(1).mind(ask)
    assert made is not None
    return made, asked


@each(
    [
        ("Tuesday, please.", Words("Tuesday, please.")),
        ("[Yes] Yes, that is right.", Words("Yes, that is right.", agrees=True)),
        ("[ keys  12 34# ]", Words(keys="1234#")),
        ("Thanks. [HANG UP]", Words("Thanks.", leaves=True)),
        ("[hang up]", Words(leaves=True)),
        ("*sighs* (after a pause) [whispers] Hm.", Words("Hm.")),
        ("“Hello there.”", Words("Hello there.")),
        ("one two three four five six seven", Words("one two three four five six")),
        ("", Words()),
    ]
)
def test_marks_are_done_and_asides_are_not_said(text: str, does: Words) -> None:
    assert understood(text, 6) == does


def test_the_model_is_told_the_goal_the_facts_and_the_temper() -> None:
    caller, asked = mind("Hello.")
    caller.words("Good day.")
    told = asked[0]["system"]
    assert "in your own words: I need a wine for a steak." in told
    assert "- food: a steak" in told and "in a hurry" in told and "At most 6 words" in told
    assert asked[0]["messages"] == [{"role": "user", "content": [{"text": "Good day."}]}]


def test_the_model_is_told_what_was_said_before_and_by_whom() -> None:
    caller, asked = mind("Red.")
    caller.note("Good day.", "A wine.")
    caller.words("Which?")
    texts = [(message["role"], message["content"][0]["text"]) for message in asked[0]["messages"]]
    assert texts == [("user", "Good day."), ("assistant", "A wine."), ("user", "Which?")]


def test_no_more_rounds_are_asked_than_there_may_be() -> None:
    caller, asked = mind("One.", "Two.", "Three.")
    caller.words("a"), caller.words("b")
    with pytest.raises(Speechless, match="most_rounds: the model was asked 2 times"):
        caller.words("c")
    assert len(asked) == 2


def test_no_more_is_spent_than_there_may_be() -> None:
    budget = Budget(0.01)
    ask = budget.guarded(lambda _: Answer("Yes.", 6_000))
    ask({}), ask({})
    with pytest.raises(Refused, match=r"most_usd: what was asked of models has cost 0\.0120 USD"):
        ask({})
    assert (budget.requests, budget.stopped != "") == (2, True)


def test_a_model_that_refuses_one_caller_is_asked_by_no_other() -> None:
    def refuses(_: Mapping[str, Any]) -> Answer:
        raise Refused("access denied")

    budget = Budget(1.0)
    for _ in range(2):
        with pytest.raises(Refused, match="access denied"):
            budget.guarded(refuses)({})
    assert (budget.requests, budget.stopped) == (1, "access denied")
