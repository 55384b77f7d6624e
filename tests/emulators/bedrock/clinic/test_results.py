"""What is made of a tool's result."""

from typing import Any

import pytest

from aybiza.emulators.bedrock.clinic.desk import Desk
from aybiza.emulators.bedrock.clinic.hearing import Asked
from aybiza.emulators.bedrock.clinic.intents import Intent
from aybiza.emulators.bedrock.clinic.results import NO_APPOINTMENT, OUT_OF_ORDER, told
from aybiza.emulators.bedrock.reply import ToolUse

VISIT = {
    "appointment_id": "A1",
    "date": "2026-11-27",
    "time": "09:00",
    "treatment": "filling",
    "with": "Doctor Lee",
}
SAID = "a filling on Friday the twenty seventh of November at nine o'clock in the morning"
WEEK = [
    *({"weekday": day, "opens": "08:00", "closes": "18:00"} for day in ("monday", "tuesday")),
    {"weekday": "wednesday", "closed": True},
]


@pytest.mark.parametrize(
    ("tool", "result", "text"),
    [
        ("next_appointment", {"appointment": VISIT}, f"Your next appointment is {SAID}, with"),
        ("next_appointment", {"appointment": None}, NO_APPOINTMENT),
        ("book_appointment", {"booked": VISIT}, f"You are booked for {SAID}, with Doctor Lee."),
        ("move_appointment", {"moved": VISIT}, "Done. Your appointment is now on Friday"),
        ("cancel_appointment", {"cancelled": VISIT}, "Your appointment on Friday"),
        (
            "account_balance",
            {"account_number": "4157", "balance": 85},
            "The balance of account four one five seven is eighty five dollars.",
        ),
        (
            "account_balance",
            {"account_number": "4157", "balance": 0},
            "The balance of account four one five seven is settled, nothing is owed.",
        ),
        (
            "opening_hours",
            {"week": WEEK},
            "From Monday to Tuesday we are open from eight o'clock to six o'clock. "
            "On Wednesday we are closed.",
        ),
        ("opening_hours", WEEK[2], "On Wednesday we are closed."),
        ("treatment_price", {"treatment": "crown", "price": 900}, "A crown costs nine hundred"),
        ("transfer_to_person", {"transferring": True}, "One moment, please."),
        ("end_call", {"ending": True}, "Have a nice day."),
        ("weather", {"sunny": True}, OUT_OF_ORDER),
        ("free_slots", {"error": "timeout"}, OUT_OF_ORDER),
    ],
)
def test_told(desk: Desk, tool: str, result: dict[str, Any], text: str) -> None:
    assert told(desk, tool, result).text.startswith(text)


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        ("who", Asked.ACCOUNT),
        ("what_day", Asked.DAY),
        ("what_time", Asked.DAY),
        ("too_far", Asked.DAY),
        ("no_appointment", Asked.BOOKING),
        ("unknown_treatment", Asked.TREATMENT),
        ("bad_number", Asked.ACCOUNT),
        ("too_many", Asked.MORE),
        ("timeout", Asked.PERSON),
    ],
)
def test_an_error_becomes_the_question_that_mends_it(desk: Desk, error: str, asked: Asked) -> None:
    assert told(desk, "free_slots", {"error": error}).text.endswith("?")
    assert desk.asked is asked


def test_free_times_are_offered(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    result = {"date": "2026-11-24", "days_ahead": 4, "free": ["09:00", "10:00"]}
    assert told(desk, "free_slots", result).text == (
        "On Tuesday the twenty fourth I have nine o'clock or ten o'clock. "
        "Which time would you like?"
    )


@pytest.mark.parametrize(
    ("reason", "text"),
    [("closed", "We are closed on Sunday"), ("full", "There is nothing free on Sunday")],
)
def test_a_day_without_free_times_leads_to_the_next_one(desk: Desk, reason: str, text: str) -> None:
    desk.begin(Intent.BOOK)
    following = {"date": "2026-11-23", "days_ahead": 3, "free": ["09:00"]}
    result = {"date": "2026-11-22", "free": [], "reason": reason, "next": following}
    reply = told(desk, "free_slots", result).text
    assert reply.startswith(text)
    assert "On Monday the twenty third I have nine o'clock." in reply


def test_no_free_time_at_all_asks_for_another_day(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    assert told(desk, "free_slots", {"free": []}).text.endswith("Which other day would suit you?")


def test_a_slot_that_was_taken_meanwhile_is_offered_around(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    desk.time = "10:00"
    result = {"error": "slot_taken", "date": "2026-11-24", "free": ["09:00", "10:30"]}
    assert "I have nine o'clock or half past ten." in told(desk, "book_appointment", result).text
    assert desk.time is None


def test_the_appointment_to_be_moved_is_found_first(desk: Desk) -> None:
    desk.begin(Intent.MOVE)
    desk.day = "monday"
    (block,) = told(desk, "next_appointment", {"appointment": VISIT}).blocks
    assert isinstance(block, ToolUse)
    assert block.name == "free_slots"


def test_a_look_up_in_the_middle_of_a_booking_comes_back_to_it(desk: Desk) -> None:
    desk.begin(Intent.BOOK)
    desk.advance()
    reply = told(desk, "next_appointment", {"appointment": VISIT})
    assert reply.text.endswith("Which day would suit you?")
