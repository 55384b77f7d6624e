"""Evals: many calls by rules, each judged by goal, length, tools, consent and silence."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.bedrock.played import played
from aybiza.faults.desk import Desk, agent
from aybiza.faults.evals import Result, evaluated, junit
from aybiza.faults.persona import Persona
from aybiza.faults.persona_mind import Answer, Ask
from aybiza.faults.persona_words import emulated_words

BOOK = {"what": "a table"}


def persona(**changes: Any) -> Persona:
    table: dict[str, Any] = {
        "title": "Books a table",
        "persona": {"opens": ["A table, please.", "May I have a table?"]},
        "says": [
            {"when": "shall i book", "say": ["Yes, please."], "agrees": True},
            {"when": "booked", "say": ["Goodbye."], "hang_up": True},
        ],
        "goal": {"tools": ["book"], "heard": ["is booked"]},
        "limits": {"seconds": 60, "turns": 5},
    }
    return Persona.model_validate({**table, **changes})


def respond(body: Body) -> Reply:
    """Books a table: asks first, and does it after the yes."""
    last = body["messages"][-1]
    said = text_of(last)
    result = str(last["content"])
    if "needs_confirmation" in result:
        return say("Shall I book it?")
    if "toolResult" in result:
        return say("Your table is booked.")
    if "table" in said or "Yes" in said:
        return use("book", BOOK)
    return say("Goodbye.")


def run(who: Persona, responder: Any = respond, toolbox: Any = Desk, n: int = 3) -> Result:
    return evaluated(who, agent(), toolbox, responder, n=n)


def test_a_goal_that_is_reached_is_counted() -> None:
    result = run(persona())
    assert [call.wrong for call in result.calls] == [{}, {}, {}]
    assert (result.reached, result.share, result.ok) == (3, 1.0, True)
    assert {tuple(call.tools) for call in result.calls} == {("book",)}
    assert [call.seed for call in result.calls] == [1, 2, 3]


def test_a_seed_is_one_call_and_the_same_each_time() -> None:
    whole = run(persona())
    again = evaluated(persona(), agent(), Desk, respond, n=1, seed=2)
    assert again.calls == whole.calls[1:2]


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        ({"goal": {"tools": ["look_up"]}}, "goal", "look_up did nothing"),
        ({"goal": {"not_tools": ["book"]}}, "goal", "book did something"),
        ({"goal": {"heard": ["champagne"]}}, "goal", "not heard: champagne"),
        ({"goal": {"not_heard": ["booked"]}}, "goal", "heard: booked"),
        ({"goal": {"ended": ["goodbye"]}}, "goal", "ended by hangup"),
        ({"goal": {"input": {"book": {"what": "a room"}}}}, "goal", "was used with"),
        ({"limits": {"seconds": 5}}, "length", "at most 5 are allowed"),
        ({"limits": {"turns": 1}}, "length", "at most 1 are allowed"),
        ({"limits": {"silence_ms": 100}}, "silence", "at most 100 are allowed"),
    ],
)
def test_what_is_wrong_is_told_by_its_kind(changes: Any, kind: str, told: str) -> None:
    result = run(persona(**changes), n=1)
    (call,) = result.calls
    assert set(call.wrong) == {kind}
    assert told in call.wrong[kind]
    assert not result.ok


def test_a_write_without_the_callers_yes_is_found() -> None:
    async def booked(given: Any, use: Any) -> Any:
        return {"booked": True}

    what = {"type": "object", "properties": {"what": {"type": "string"}}}
    careless = Tool("book", "Books.", booked, what, effect="write", confirm=False)
    (call,) = run(persona(), toolbox=lambda: ToolRegistry([careless]), n=1).calls
    assert "book was done to" in call.wrong["consent"]


def test_an_agent_that_says_nothing_of_use_fails_the_goal() -> None:
    result = run(persona(), responder=lambda _: say("Hm."), n=1)
    assert "book did nothing" in result.calls[0].wrong["goal"]
    assert result.wrong() == {"goal": 1}


def test_a_share_below_the_threshold_is_too_few() -> None:
    def by_words(body: Body) -> Reply:
        return say("Hm.") if "May I" in str(body["messages"]) else respond(body)

    result = run(persona(threshold=0.9), responder=by_words, n=6)
    assert 0 < result.reached < 6
    assert not result.ok


def test_the_result_is_told_as_junit_has_it() -> None:
    result = run(persona(goal={"heard": ["champagne & <oysters>"]}), n=2)
    suite = ET.fromstring(junit(result))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == ["seed 1", "seed 2"]
    failure = cases[0].find("failure")
    assert failure is not None and "champagne & <oysters>" in (failure.get("message") or "")


PLAYED = {
    "persona": {},
    "says": [],
    "model": {"by": "emulator", "goal": "A table, please.", "most_usd": 0.01},
}


def by_model(ask: Ask, n: int = 2) -> Result:
    return evaluated(persona(**PLAYED), agent(), Desk, respond, n=n, ask=ask)


def test_a_caller_whose_words_a_model_has_reaches_the_goal_and_the_same_way_each_time() -> None:
    result = by_model(emulated_words(played))
    assert [call.wrong for call in result.calls] == [{}, {}]
    assert "Shall I book it?" in result.calls[0].heard
    assert by_model(emulated_words(played)).calls == result.calls


def test_no_call_is_placed_when_nothing_is_left_to_spend_and_that_is_no_success() -> None:
    def dear(request: Any) -> Answer:
        return emulated_words(played)(request)._replace(micro_usd=4_000)

    result = by_model(dear, n=5)
    assert [set(call.wrong) for call in result.calls] == [set(), {"caller"}]
    assert "most_usd" in result.stopped and not result.ok
    suite = ET.fromstring(junit(result))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
