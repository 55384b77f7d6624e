"""What is said to everything that is no task of its own."""

from typing import Any

import pytest

from aybiza.emulators.bedrock.clinic import sides
from aybiza.emulators.bedrock.clinic.desk import GOALS, Desk
from aybiza.emulators.bedrock.clinic.hearing import Asked, Heard, understand
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.reply import Reply, ToolUse


def used(reply: Reply) -> tuple[str, dict[str, Any]] | None:
    uses = [(b.name, b.input) for b in reply.blocks if isinstance(b, ToolUse)]
    return uses[0] if uses else None


def answer(desk: Desk, text: str) -> Reply:
    heard = understand(text)
    assert heard.intent is not None
    return sides.SIDES[heard.intent](desk, heard)


def test_every_intent_is_answered_somewhere() -> None:
    assert set(sides.SIDES) | GOALS | {Intent.REPEAT} == set(Intent)


@pytest.mark.parametrize(
    ("text", "tool", "tool_input"),
    [
        ("are you open on friday", "opening_hours", {"day": "friday"}),
        ("what are your hours", "opening_hours", {}),
        ("how much is a filling", "treatment_price", {"treatment": "filling"}),
        ("how much is a tattoo", "treatment_price", {"treatment": "tattoo"}),
        ("when is my next appointment", "next_appointment", {}),
        ("operator", "transfer_to_person", {}),
        ("goodbye", "end_call", {}),
    ],
)
def test_a_tool_answers(desk: Desk, text: str, tool: str, tool_input: dict[str, Any]) -> None:
    assert used(answer(desk, text)) == (tool, tool_input)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("how much does it cost", Asked.TREATMENT),
        ("what is my balance", Asked.ACCOUNT),
        ("are you a robot", Asked.PERSON),
        ("where are you located", Asked.PERSON),
        ("do you take insurance", Asked.PERSON),
        ("can you send me a reminder", Asked.PERSON),
        ("thanks", Asked.MORE),
        ("hello", Asked.NOTHING),
        ("what can you do", Asked.NOTHING),
        ("this is an emergency", Asked.DAY),
    ],
)
def test_a_question_follows(desk: Desk, text: str, asked: Asked) -> None:
    reply = answer(desk, text)
    assert reply.text.endswith("?")
    assert desk.asked is asked


def test_an_emergency_is_sent_to_the_emergency_number(desk: Desk) -> None:
    assert "dial nine one one" in answer(desk, "it is an emergency").text


def test_the_price_of_what_is_being_booked_is_told(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    desk.treatment = "crown"
    assert used(answer(desk, "how much is it")) == ("treatment_price", {"treatment": "crown"})


@pytest.mark.parametrize("text", ["hello", "thanks", "what can you do"])
def test_a_task_that_is_going_on_is_asked_on(desk: Desk, text: str) -> None:
    desk.begin(Intent.BOOK)
    desk.advance()
    assert answer(desk, text).text.endswith("Which day would suit you?")


def test_a_caller_may_take_time(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    desk.advance()
    assert answer(desk, "one moment").text == "Of course, take your time."
    assert desk.asked is Asked.DAY


def test_a_greeting_uses_the_name(desk: Desk) -> None:
    assert answer(desk, "hello this is anna lee").text == "Hello, Anna Lee. How can I help you?"


def test_without_the_tools_goodbye_is_said_and_a_call_back_promised() -> None:
    desk = Desk(frozenset())
    goodbye = sides.goodbye(desk, Heard(""))
    assert (goodbye.text, used(goodbye)) == ("Thank you for calling. Goodbye.", None)
    assert "A colleague will call you." in sides.transfer(desk, Heard("")).text
