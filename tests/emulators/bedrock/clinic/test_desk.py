"""The task at hand, step by step."""

from typing import Any

import pytest

from aybiza.emulators.bedrock.clinic.desk import Desk
from aybiza.emulators.bedrock.clinic.hearing import Asked, Heard
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.reply import Reply, ToolUse

FREE = ["08:00", "09:30", "10:00", "11:30", "14:00", "16:30"]
VISIT = {"appointment_id": "A1", "date": "2026-11-27", "time": "09:00", "treatment": "filling"}


def used(reply: Reply) -> tuple[str, dict[str, Any]]:
    (block,) = reply.blocks
    assert isinstance(block, ToolUse)
    return block.name, block.input


def with_times(desk: Desk, goal: Intent = Intent.BOOK) -> Desk:
    desk.begin(goal)
    desk.date, desk.free = "2026-11-24", FREE
    return desk


def test_a_booking_asks_for_the_day_first(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    assert desk.advance().text == "Which day would suit you?"
    assert desk.asked is Asked.DAY


def test_a_known_day_is_looked_up(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    desk.take(Heard("", day="friday", part="morning"))
    assert used(desk.advance()) == ("free_slots", {"day": "friday", "part_of_day": "morning"})


def test_times_are_offered_from_the_whole_day(desk: Desk) -> None:
    reply = with_times(desk).advance()
    assert desk.offered == ["08:00", "11:30", "16:30"]
    assert "eight o'clock, half past eleven or half past four" in reply.text
    assert desk.asked is Asked.TIME


def test_times_near_the_wanted_one_are_offered_when_it_is_taken(desk: Desk) -> None:
    with_times(desk).time = "09:00"
    reply = desk.advance()
    assert reply.text.startswith("Nine o'clock is not free on Tuesday")
    assert desk.offered == ["08:00", "09:30", "10:00"]
    assert desk.time is None


def test_a_single_free_time_is_asked_about(desk: Desk) -> None:
    with_times(desk).free = ["10:00"]
    assert desk.advance().text.endswith("I have ten o'clock. Would that suit you?")


def test_a_name_is_asked_for_once(desk: Desk) -> None:
    with_times(desk).time = "10:00"
    assert desk.advance().text == "What name shall I put it under?"
    assert used(desk.advance())[0] == "book_appointment"
    assert desk.ask_for_yes().text.endswith("Shall I book it?")


def test_nothing_is_written_before_it_was_read_back(desk: Desk) -> None:
    with_times(desk).time = "10:00"
    desk.name = "Anna Lee"
    assert used(desk.advance())[0] == "book_appointment"
    reply = desk.ask_for_yes()
    assert reply.text == (
        "That is an appointment on Tuesday the twenty fourth of November at ten o'clock in the "
        "morning, for Anna Lee. Shall I book it?"
    )
    assert desk.asked is Asked.CONFIRM


def test_what_is_written_is_what_was_read_back(desk: Desk) -> None:
    with_times(desk).time = "10:00"
    desk.name, desk.treatment, desk.account = "Anna Lee", "cleaning", "41573"
    assert used(desk.write()) == (
        "book_appointment",
        {
            "day": "2026-11-24",
            "time": "10:00",
            "treatment": "cleaning",
            "account_number": "41573",
            "name": "Anna Lee",
        },
    )


def test_a_move_looks_for_the_appointment_then_for_a_time(desk: Desk) -> None:
    desk.begin(Intent.MOVE)
    assert used(desk.advance()) == ("next_appointment", {})
    desk.appointment = dict(VISIT)
    assert desk.advance().text.endswith("Which day would you like instead?")
    desk.take(Heard("", day="monday"))
    assert used(desk.advance()) == ("free_slots", {"day": "monday"})
    desk.date, desk.free, desk.time = "2026-11-30", FREE, "10:00"
    assert used(desk.advance())[0] == "move_appointment"
    assert desk.ask_for_yes().text.endswith("Shall I do that?")
    assert used(desk.write()) == (
        "move_appointment",
        {"appointment_id": "A1", "day": "2026-11-30", "time": "10:00"},
    )


def test_a_cancellation_names_the_appointment(desk: Desk) -> None:
    desk.begin(Intent.CANCEL)
    desk.appointment = dict(VISIT)
    assert used(desk.advance())[0] == "cancel_appointment"
    assert desk.ask_for_yes().text == (
        "Your next appointment is a filling on Friday the twenty seventh of November at nine "
        "o'clock in the morning. Shall I cancel it?"
    )
    assert used(desk.write()) == ("cancel_appointment", {"appointment_id": "A1"})


def test_a_balance_needs_a_number_of_some_length(desk: Desk) -> None:
    desk.begin(Intent.BALANCE)
    assert desk.advance().text == "What is your account number?"
    desk.take(Heard("", digits="41"))
    assert desk.advance().text.startswith("I only heard four one.")
    desk.take(Heard("", digits="41573"))
    assert used(desk.advance()) == ("account_balance", {"account_number": "41573"})


def test_a_telephone_number_will_do_for_a_balance(desk: Desk) -> None:
    desk.begin(Intent.BALANCE)
    desk.take(Heard("", digits="4155550123", is_phone=True))
    assert used(desk.advance()) == ("account_balance", {"account_number": "4155550123"})


def test_a_number_said_in_two_breaths_is_put_together(desk: Desk) -> None:
    desk.take(Heard("", digits="415"))
    desk.done("The balance is nothing.")
    desk.take(Heard("", digits="73"))
    assert desk.account == "41573"


def test_a_choice_takes_the_offered_time(desk: Desk) -> None:
    with_times(desk).advance()
    assert desk.take(Heard("", choice=-1))
    assert desk.time == "16:30"
    assert desk.take(Heard("", choice=7))
    assert desk.time == "16:30"


def test_the_earliest_of_the_offered_times_is_a_choice_and_no_day(desk: Desk) -> None:
    with_times(desk).advance()
    desk.take(Heard("", choice=0, day="soonest"))
    assert (desk.time, desk.date) == ("08:00", "2026-11-24")


def test_a_choice_means_nothing_when_nothing_was_offered(desk: Desk) -> None:
    assert not desk.take(Heard("", choice=0))


def test_another_day_needs_another_look_up(desk: Desk) -> None:
    with_times(desk).part = "morning"
    desk.take(Heard("", day="friday"))
    assert (desk.date, desk.part) == (None, None)
    assert used(desk.advance()) == ("free_slots", {"day": "friday"})


@pytest.mark.parametrize("goal", [Intent.BOOK, Intent.BALANCE])
def test_a_new_task_starts_with_new_details_but_knows_the_caller(desk: Desk, goal: Intent) -> None:
    with_times(desk, Intent.MOVE).take(Heard("", time="10:00", name="Anna Lee", digits="41573"))
    desk.begin(goal)
    assert (desk.time, desk.date, desk.free) == (None, None, [])
    assert (desk.name, desk.account) == ("Anna Lee", "41573")


def test_a_cancellation_that_becomes_a_move_keeps_its_appointment(desk: Desk) -> None:
    desk.begin(Intent.CANCEL)
    desk.appointment = dict(VISIT)
    desk.begin(Intent.MOVE)
    assert desk.appointment == VISIT


def test_an_answer_on_the_side_comes_back_to_the_question(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    desk.advance()
    assert desk.back("We are open.").text == "We are open. Which day would suit you?"
    assert desk.asked is Asked.DAY


def test_what_no_tool_can_do_is_offered_to_a_person() -> None:
    desk = Desk(frozenset())
    desk.begin(Intent.CANCEL)
    assert desk.advance().text.endswith("Shall I put you through to a colleague?")
    assert desk.asked is Asked.PERSON
