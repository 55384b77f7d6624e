"""A conversation's turns."""

import pytest

from aybiza.emulators.bedrock.clinic.conversation import Conversation
from aybiza.emulators.bedrock.clinic.hearing import Asked
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.reply import Reply, ToolUse

SLOTS = {"date": "2026-11-24", "days_ahead": 4, "free": ["09:00", "10:00", "14:00"]}
ASKS_FIRST = {"needs_confirmation": True}
VISIT = {"appointment_id": "A1", "date": "2026-11-27", "time": "09:00", "treatment": "filling"}


def tool(reply: Reply) -> str | None:
    return next((b.name for b in reply.blocks if isinstance(b, ToolUse)), None)


@pytest.fixture
def read_back(conversation: Conversation) -> Conversation:
    """A booking for ten o'clock has been read back."""
    conversation.hear("book me in for tuesday at ten my name is anna lee")
    proposed = conversation.learn("free_slots", SLOTS)
    assert tool(proposed) == "book_appointment"
    conversation.learn("book_appointment", ASKS_FIRST)
    assert conversation.desk.asked is Asked.CONFIRM
    return conversation


@pytest.mark.parametrize(
    "said",
    ["yes", "yes please", "that's right", "okay go ahead", "book it", "perfect thank you", "sure"],
)
def test_a_yes_writes(read_back: Conversation, said: str) -> None:
    assert tool(read_back.hear(said)) == "book_appointment"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("no", "Alright, nothing is changed. Which other day"),
        ("no thanks", "Alright, I leave everything as it is."),
        ("never mind", "Alright, I leave everything as it is."),
        ("cancel that", "Alright, nothing is changed."),
        ("i want a different day", "Alright. Which other day would suit you?"),
        ("purple", "Sorry, was that a yes or a no? That is an appointment"),
        ("no make it two o'clock", "Alright. That is an appointment on Tuesday the twenty fourth "
         "at two o'clock"),
        ("yes but for tom jones my name is tom jones", "Alright. That is an appointment"),
        ("hold on", "Of course, take your time."),
    ],
)  # fmt: skip
def test_anything_else_does_not_write(read_back: Conversation, said: str, answer: str) -> None:
    reply = read_back.hear(said)
    if tool(reply) == "book_appointment":  # other details are put to the caller anew
        reply = read_back.learn("book_appointment", ASKS_FIRST)
    assert tool(reply) is None
    assert reply.text.startswith(answer)


def test_another_day_at_the_read_back_is_looked_up(read_back: Conversation) -> None:
    reply = read_back.hear("no friday")
    assert tool(reply) == "free_slots"
    assert read_back.desk.day == "friday"
    assert read_back.desk.time == "10:00"


def test_a_question_at_the_read_back_is_answered_and_the_read_back_stands(
    read_back: Conversation,
) -> None:
    assert tool(read_back.hear("how much is a filling")) == "treatment_price"
    told = read_back.learn("treatment_price", {"treatment": "filling", "price": 120})
    assert told.text.endswith("Shall I book it?")
    assert tool(read_back.hear("yes")) == "book_appointment"


def test_a_yes_to_a_write_that_got_no_result_writes_again(read_back: Conversation) -> None:
    assert tool(read_back.hear("yes")) == "book_appointment"
    assert tool(read_back.hear("yes")) == "book_appointment"


def test_a_yes_after_the_write_writes_nothing(read_back: Conversation) -> None:
    read_back.hear("yes")
    read_back.learn("book_appointment", {"booked": VISIT})
    assert tool(read_back.hear("yes")) is None


def test_a_read_back_that_was_cut_early_was_not_heard(read_back: Conversation) -> None:
    read_back.said("That is an …")
    assert read_back.hear("yes").text.startswith("Just to be sure.")


def test_a_read_back_that_was_cut_at_its_end_was_heard(read_back: Conversation) -> None:
    read_back.said(" ".join(read_back.last.split()[:-3]))
    assert tool(read_back.hear("yes")) == "book_appointment"


def test_a_yes_to_the_times_takes_the_first(conversation: Conversation) -> None:
    conversation.hear("book me in for tuesday")
    conversation.learn("free_slots", SLOTS)
    conversation.hear("yes that is fine")
    assert conversation.desk.time == "09:00"


def test_a_no_to_the_times_asks_for_another_day(conversation: Conversation) -> None:
    conversation.hear("book me in for tuesday")
    conversation.learn("free_slots", SLOTS)
    assert conversation.hear("no").text == "Alright. Which other day would suit you?"


def test_no_name_is_needed(conversation: Conversation) -> None:
    conversation.hear("book me in for tuesday at ten")
    assert conversation.learn("free_slots", SLOTS).text == "What name shall I put it under?"
    assert tool(conversation.hear("yes")) == "book_appointment"
    asked = conversation.learn("book_appointment", ASKS_FIRST)
    assert asked.text.endswith("Shall I book it?")


def test_a_task_can_be_given_up(conversation: Conversation) -> None:
    conversation.hear("i want to book an appointment")
    assert conversation.hear("forget it").text.startswith("Alright, nothing is changed.")
    assert conversation.desk.goal is None


def test_a_cancellation_can_become_a_move(conversation: Conversation) -> None:
    conversation.hear("i want to cancel my appointment")
    conversation.learn("next_appointment", {"appointment": VISIT})
    reply = conversation.hear("actually could i move it to tuesday")
    assert tool(reply) == "free_slots"
    assert conversation.desk.goal is Intent.MOVE


def test_a_day_alone_begins_a_booking(conversation: Conversation) -> None:
    assert tool(conversation.hear("tomorrow at ten please")) == "free_slots"
    assert conversation.desk.goal is Intent.BOOK


@pytest.mark.parametrize(
    ("first", "tool_name", "result", "second"),
    [
        ("are you open on monday", "opening_hours", {"closed": True}, "and on sunday"),
        ("how much is a crown", "treatment_price", {"price": 1}, "and a filling"),
        ("balance of account four one five", "account_balance", {}, "four one five two"),
    ],
)
def test_a_follow_up_asks_the_same_of_something_else(
    conversation: Conversation, first: str, tool_name: str, result: dict[str, object], second: str
) -> None:
    assert tool(conversation.hear(first)) == tool_name
    conversation.learn(tool_name, result)
    assert tool(conversation.hear(second)) == tool_name


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("my account number is four one five two", "Thank you, account number four one five two."),
        ("my phone number is 415 555 0123", "Thank you, phone number four one five, five five"),
        ("my name is anna lee", "Thank you, Anna Lee."),
    ],
)
def test_details_without_a_task_are_noted(
    conversation: Conversation, said: str, answer: str
) -> None:
    assert conversation.hear(said).text.startswith(answer)


def test_the_number_given_before_is_used(conversation: Conversation) -> None:
    conversation.hear("my account number is four one five two")
    (block,) = conversation.hear("what is my balance").blocks
    assert isinstance(block, ToolUse)
    assert block.input == {"account_number": "4152"}


def test_no_to_anything_else_says_goodbye(conversation: Conversation) -> None:
    conversation.hear("thank you")
    assert tool(conversation.hear("no")) == "end_call"


def test_yes_to_anything_else_asks_what(conversation: Conversation) -> None:
    conversation.hear("thank you")
    assert conversation.hear("yes").text == "Of course. What can I do for you?"


def test_a_person_that_is_not_wanted_leads_back_to_the_task(conversation: Conversation) -> None:
    conversation.hear("book an appointment")
    conversation.hear("where are you located")
    assert conversation.hear("no").text == "Alright. Which day would suit you?"


def test_without_an_appointment_one_can_be_booked(conversation: Conversation) -> None:
    conversation.hear("cancel my appointment")
    conversation.learn("next_appointment", {"appointment": None})
    assert conversation.hear("yes").text == "Which day would suit you?"


def test_what_was_not_understood_is_asked_again(conversation: Conversation) -> None:
    conversation.hear("book an appointment")
    assert conversation.hear("purple").text.endswith("Which day would suit you?")


def test_repeat_before_anything_was_said_tells_what_can_be_done(
    conversation: Conversation,
) -> None:
    assert conversation.hear("could you repeat that").text.startswith("I can book")


def test_repeat_says_what_the_call_was_opened_with(conversation: Conversation) -> None:
    conversation.said("Thank you for calling. How can I help you?")
    assert conversation.hear("pardon").text == (
        "I said: Thank you for calling. How can I help you?"
    )
