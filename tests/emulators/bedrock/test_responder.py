"""The front desk as the model behind a Converse request."""

import copy
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.config.agents import load_agent
from aybiza.emulators.bedrock.clinic.conversation import GREETING, STILL_THERE
from aybiza.emulators.bedrock.continuation import continuing
from aybiza.emulators.bedrock.responder import respond
from aybiza.emulators.phone.script import SCRIPTS
from tests.clinic import NAMES, clinic

CONTINUE = "(Continue exactly from where you stopped, do not repeat.)"


def asking(*texts: str) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    for text in texts:
        messages.append({"role": "user", "content": [{"text": text}]})
        messages.append({"role": "assistant", "content": [{"text": "Yes?"}]})
    return {"messages": messages[:-1]}


def test_a_whole_booking(caller: Any) -> None:
    caller.number = ""
    assert caller.say("I would like to book an appointment, please.") == "Which day would suit you?"
    offered = caller.say("Next Tuesday in the morning.")
    assert offered.startswith("On Tuesday the twenty fourth I have eight o'clock,")
    assert caller.say("Ten o'clock would be good.") == "What name shall I put it under?"
    read_back = caller.say("John Smith.")
    assert "Tuesday the twenty fourth at ten o'clock in the morning, for John Smith" in read_back
    assert read_back.endswith("Shall I book it?")
    assert caller.used_tools() == ["free_slots"]
    booked = caller.say("Yes, please.")
    assert booked.startswith("You are booked for a consultation on Tuesday the twenty fourth")
    assert caller.used[-1] == (
        "book_appointment",
        {"day": "2026-11-24", "time": "10:00", "name": "John Smith"},
    )
    assert caller.say("No, that's all. Thank you, goodbye.").startswith("Thank you for calling.")
    assert caller.used_tools() == ["free_slots", "book_appointment", "end_call"]


def test_everything_can_be_said_at_once(caller: Any) -> None:
    text = "hi my name is anna lee can you book me in for a cleaning tomorrow at ten thirty"
    read_back = caller.say(text)
    assert read_back == (
        "That is a cleaning tomorrow at half past ten in the morning, for Anna Lee. "
        "Shall I book it?"
    )


def test_an_appointment_is_moved(caller: Any) -> None:
    text = caller.say("good morning i need to move my appointment")
    assert text == (
        "Your appointment is on Monday the twenty third of November at half past ten in the "
        "morning. Which day would you like instead?"
    )
    caller.say("next thursday afternoon please")
    read_back = caller.say("the last one is good")
    assert "moves. The new one is on Thursday the twenty sixth at half past four" in read_back
    assert "move_appointment" not in caller.used_tools()
    assert caller.say("yes please that is right").startswith("Done. Your appointment is now")
    assert caller.used[-1][1]["time"] == "16:30"
    again = caller.say("when is my next appointment")
    assert "Thursday the twenty sixth of November at half past four in the afternoon" in again


def test_an_appointment_is_cancelled_after_a_yes_only(caller: Any) -> None:
    assert caller.say("please cancel my appointment").endswith("Shall I cancel it?")
    assert caller.say("no leave it").startswith("Alright, I leave everything as it is.")
    assert "cancel_appointment" not in caller.used_tools()
    caller.say("sorry i do want to cancel it after all")
    assert "is cancelled." in caller.say("yes cancel it")
    assert caller.used_tools().count("cancel_appointment") == 1
    assert caller.say("when is my next appointment").endswith("Shall I book one?")


def test_a_balance_is_told_for_the_number_that_was_said(caller: Any) -> None:
    assert caller.say("what is my balance") == "What is your account number?"
    told = caller.say("four one five seven three")
    assert told.startswith("The balance of account four one five, seven three is eighty five")
    assert caller.used == [("account_balance", {"account_number": "41573"})]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("what time do you open", "From Monday to Friday we are open from eight o'clock to six"),
        ("are you open on Saturday?", "On Saturday we are open from nine o'clock to one o'clock."),
        ("how about sundays are you open then", "On Sunday we are closed."),
        ("how much is a root canal", "A root canal costs six hundred dollars."),
        ("what does teeth cleaning cost", "A cleaning costs eighty dollars."),
        ("how much is a tattoo", "I am sorry, I have no price for that."),
        ("when is my next visit", "Your next appointment is a checkup on Monday the twenty third"),
    ],
)
def test_a_question_is_answered_out_of_a_look_up(caller: Any, text: str, told: str) -> None:
    assert caller.say(text).startswith(told)
    assert len(caller.used) == 1


@pytest.mark.parametrize(
    "text",
    ["can i speak to a real person", "operator", "just put me through to someone please"],
)
def test_a_person_is_to_be_had_at_once(caller: Any, text: str) -> None:
    assert caller.say(text).startswith("Of course. I am putting you through")
    assert caller.used_tools() == ["transfer_to_person"]


def test_two_things_not_understood_in_a_row_offer_a_person(caller: Any) -> None:
    assert caller.say("purple monkey dishwasher").startswith("Sorry, I did not get that.")
    assert caller.say("the green car").endswith("Shall I put you through to a colleague?")
    caller.say("yes")
    assert caller.used_tools() == ["transfer_to_person"]


def test_something_understood_in_between_starts_the_count_anew(caller: Any) -> None:
    caller.say("purple monkey dishwasher")
    caller.say("are you open on monday")
    assert caller.say("the green car").startswith("Sorry, I did not get that.")


def test_the_last_answer_is_repeated(caller: Any) -> None:
    told = caller.say("how much is a crown")
    for text in ("pardon", "could you say that again please", "sorry i didn't catch that"):
        assert caller.say(text) == f"I said: {told}"


def test_a_read_back_that_was_not_heard_is_read_again(caller: Any) -> None:
    caller.talk("book me in for tomorrow at ten thirty", "anna lee")
    caller.messages[-1] = {"role": "assistant", "content": [{"text": "That is …"}]}
    again = caller.say("yes")
    assert again.startswith("Just to be sure. That is an appointment tomorrow at half past ten")
    assert "book_appointment" not in caller.used_tools()
    caller.say("yes")
    assert caller.used_tools()[-1] == "book_appointment"


def test_a_tool_that_was_never_answered_is_used_again(caller: Any) -> None:
    caller.say("book me in for tomorrow")
    del caller.messages[1:]
    caller.messages.append({"role": "assistant", "content": [{"text": "One …"}]})
    caller.say("at ten thirty")
    assert caller.used_tools() == ["free_slots", "free_slots"]


@pytest.mark.parametrize(
    "text",
    [
        "[The call has been connected.]",
        "(The call begins. Greet the caller.)",
        "(answer the phone)",
    ],
)
def test_the_beginning_of_a_call_is_greeted(text: str) -> None:
    assert respond(asking(text)).text == GREETING


def test_a_silent_caller_is_asked_for() -> None:
    assert respond(asking("hello", "(the caller is silent)")).text == STILL_THERE


def test_without_tools_a_person_is_offered(caller: Any) -> None:
    caller.tools = ()
    assert caller.say("when is my next appointment").endswith("put you through to a colleague?")
    assert caller.used == []
    assert caller.say("goodbye") == "Thank you for calling. Goodbye."


@pytest.mark.parametrize(
    "content",
    [
        [],
        [{"text": "it did not work"}],
        [{"json": {"error": "timeout", "message": "The tool took too long."}}],
        [{"json": [1, 2]}],
    ],
)
def test_a_look_up_that_failed_is_owned_up_to(caller: Any, content: list[Any]) -> None:
    caller.say("when is my next appointment")
    caller.messages[2]["content"][0]["toolResult"].update(content=content, status="error")
    reply = respond({**caller.request(), "messages": caller.messages[:3]})
    assert reply.text.startswith("I am sorry, I can not get at our book just now.")


def test_results_may_come_as_text(caller: Any) -> None:
    caller.say("how much is a crown")
    result = caller.messages[2]["content"][0]["toolResult"]
    result["content"] = [{"text": '{"treatment": "crown", "price": 901}'}]
    reply = respond({**caller.request(), "messages": caller.messages[:3]})
    assert reply.text.startswith("A crown costs nine hundred one dollars.")


async def test_a_cut_answer_is_continued(caller: Any) -> None:
    whole = caller.say("what are your opening hours")
    first, rest = whole.split(". ", 1)
    caller.messages[-1] = {"role": "assistant", "content": [{"text": f"{first}."}]}
    caller.messages.append({"role": "user", "content": [{"text": CONTINUE}]})
    reply = await continuing(respond)(caller.request())
    assert reply.text == rest


async def test_a_talk_goes_on_after_a_continued_answer(caller: Any) -> None:
    whole = caller.talk("book me in for tomorrow at ten thirty", "anna lee")
    first, rest = whole.split(". ", 1)
    caller.messages[-1] = {"role": "assistant", "content": [{"text": f"{first}."}]}
    caller.messages.append({"role": "user", "content": [{"text": CONTINUE}]})
    caller.messages.append({"role": "assistant", "content": [{"text": rest}]})
    assert caller.say("yes").startswith("You are booked for")


def test_the_same_request_always_gets_the_same_reply(caller: Any) -> None:
    caller.talk("book me in for tomorrow", "ten thirty", "anna lee", "yes")
    for end in range(1, len(caller.messages), 2):
        request = {**caller.request(), "messages": caller.messages[:end]}
        assert respond(copy.deepcopy(request)) == respond(request)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_phones_caller_scripts_hear_what_they_expect(caller: Any, script: Path) -> None:
    said = load_agent("clinic").greeting
    for step in tomllib.loads(script.read_text(encoding="utf-8"))["steps"]:
        assert re.search(step.get("expect", ""), said), step
        if "text" in step:
            said = caller.say(step["text"])


COMMON = """
yes no book move cancel my appointment next friday tomorrow at ten thirty half past the ninth of
october four one five double two balance how much is a cleaning are you open name john smith
person repeat that goodbye thanks first one not another day
"""
words = st.lists(st.sampled_from(COMMON.split()) | st.text(max_size=6), max_size=8).map(" ".join)


@given(st.lists(words, min_size=1, max_size=6))
def test_whatever_is_said_is_answered(texts: list[str]) -> None:
    body = asking(*texts)
    body["toolConfig"] = {"tools": clinic().specs()}
    reply = respond(body)
    assert reply.blocks
    assert all(block.name in NAMES for block in reply.blocks if hasattr(block, "name"))


@given(st.dictionaries(st.text(max_size=6), st.integers() | st.text(max_size=6) | st.none()))
def test_whatever_a_tool_gives_is_answered(result: dict[str, Any]) -> None:
    for name in (*NAMES, "unknown"):
        used = {"toolUse": {"toolUseId": "u", "name": name, "input": {}}}
        answer = {"toolResult": {"toolUseId": "u", "content": [{"json": result}]}}
        messages = [
            {"role": "user", "content": [{"text": "book me in"}]},
            {"role": "assistant", "content": [used]},
            {"role": "user", "content": [answer]},
        ]
        assert respond({"messages": messages}).blocks
