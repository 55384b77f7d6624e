"""A stand-in model by rules: the first that fits answers, and nobody is left without an answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aybiza.emulators.bedrock.reply import ToolUse
from aybiza.emulators.bedrock.rules import GOODBYE, STILL_THERE, Rules, RulesError, load_rules

PIZZA = """
otherwise = "I heard: {text} Which pizza?"

[[rules]]
when = "(?P<size>small|large) (?P<pizza>margherita|funghi)"
say = "A {size} {pizza}. Is that right?"

[[rules]]
after = "is that right"
when = '\\byes\\b'
say = "One moment."
use = "place_order"
input = { order = { size = "{size}", pizza = "{pizza}" }, count = 1, notes = ["{size}"] }

[[rules]]
result = "place_order"
when = '"error"'
say = "The oven is cold."

[[rules]]
result = "place_order"
say = "It is with you in {minutes} minutes."
"""


def user(*blocks: Any) -> dict[str, Any]:
    content = [{"text": block} if isinstance(block, str) else block for block in blocks]
    return {"role": "user", "content": content}


def agent(*blocks: Any) -> dict[str, Any]:
    return {**user(*blocks), "role": "assistant"}


def body(*messages: dict[str, Any], tools: tuple[str, ...] = ()) -> dict[str, Any]:
    specs = [{"toolSpec": {"name": name}} for name in tools]
    return {"messages": list(messages), "toolConfig": {"tools": specs}}


ORDERED = [user("A large funghi."), agent("A large funghi. Is that right?"), user("Yes.")]
USED = agent({"toolUse": {"toolUseId": "t1", "name": "place_order", "input": {}}})


def gave(result: dict[str, Any]) -> dict[str, Any]:
    return user({"toolResult": {"toolUseId": "t1", "content": [{"json": result}]}})


@pytest.fixture
def pizza(tmp_path: Path) -> Rules:
    return rules(tmp_path, PIZZA)


def rules(folder: Path, text: str) -> Rules:
    path = folder / "pizza.rules.toml"
    path.write_text(text, encoding="utf-8")
    return load_rules(path)


def test_the_first_rule_that_fits_answers_with_what_it_found(pizza: Rules) -> None:
    assert pizza(body(user("a LARGE margherita"))).text == "A LARGE margherita. Is that right?"


def test_a_tool_is_used_with_values_from_earlier_in_the_call(pizza: Rules) -> None:
    reply = pizza(body(*ORDERED, tools=("place_order",)))
    assert reply.text == "One moment."
    (used,) = [block for block in reply.blocks if isinstance(block, ToolUse)]
    assert used.input == {
        "order": {"size": "large", "pizza": "funghi"},
        "count": 1,
        "notes": ["large"],
    }


def test_a_tool_that_is_not_offered_is_not_used(pizza: Rules) -> None:
    assert pizza(body(*ORDERED)).blocks == pizza(body(*ORDERED, tools=("other",))).blocks
    assert not any(isinstance(block, ToolUse) for block in pizza(body(*ORDERED)).blocks)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"minutes": 30}, "It is with you in 30 minutes."),
        ({"error": "no_oven"}, "The oven is cold."),
    ],
)
def test_a_result_is_answered_by_its_own_rule(
    pizza: Rules, result: dict[str, Any], said: str
) -> None:
    assert pizza(body(*ORDERED, USED, gave(result))).text == said


@pytest.mark.parametrize(
    ("result", "said"), [({"ok": True}, "That is done."), ({"error": "x"}, "That did not work.")]
)
def test_a_result_without_a_rule_is_told(result: dict[str, Any], said: str) -> None:
    assert Rules()(body(*ORDERED, USED, gave(result))).text.startswith(said)


def test_a_tool_that_waits_for_a_yes_is_not_answered_as_if_it_had_a_result(pizza: Rules) -> None:
    waits = body(*ORDERED, USED, gave({"needs_confirmation": True, "message": "Ask."}))
    assert pizza(waits).text == "Shall I do that?"


def test_after_looks_at_what_the_agent_said_last(pizza: Rules) -> None:
    assert pizza(body(user("Yes."))).text == "I heard: Yes. Which pizza?"


def test_without_rules_what_was_understood_is_repeated() -> None:
    assert Rules()(body(user("Two tickets to Rome"))).text == (
        "I understood: Two tickets to Rome. What else can I do for you?"
    )


@pytest.mark.parametrize("said", ["Goodbye.", "No, that's all.", "OK, bye!"])
def test_a_goodbye_is_answered_and_ends_the_call_where_it_can(said: str) -> None:
    assert Rules()(body(user(said))).text == GOODBYE
    reply = Rules()(body(user(said), tools=("end_call",)))
    assert reply.text == GOODBYE and reply.stopped_by == "tool_use"


@pytest.mark.parametrize("text", ["(The caller is silent.)", "[nothing was heard]"])
def test_what_is_said_about_the_call_is_no_order(pizza: Rules, text: str) -> None:
    assert pizza(body(user(text))).text == STILL_THERE


def test_the_same_request_gets_the_same_reply(pizza: Rules) -> None:
    request = body(*ORDERED, tools=("place_order",))
    pizza(body(user("A small margherita.")))
    assert pizza(request) == pizza(request)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules = [", "pizza.rules.toml: is not TOML"),
        ('otherwse = "x"', "otherwse is not known; did you mean otherwise?"),
        ('[[rules]]\nwhen = "a"\nsayy = "b"', "rule 1, sayy is not known; did you mean say?"),
        ('[[rules]]\nsay = "b"', "rule 1: needs `when` or `result`"),
        ('[[rules]]\nwhen = "b"', "rule 1: needs `say` or `use`"),
        ('[[rules]]\nwhen = "("\nsay = "b"', "rule 1, when: is no regular expression"),
        ('[[rules]]\nwhen = 3\nsay = "b"', "rule 1, when: must be a text, not a whole number"),
    ],
)
def test_rules_that_cannot_be_used_are_told_with_file_rule_and_field(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(RulesError, match=re.escape(told)):
        rules(tmp_path, text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="cannot be read"):
        load_rules(tmp_path / "none.rules.toml")
