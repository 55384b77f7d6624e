"""The clinic's tools."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from examples.clinic.desk import TOOLS, desk_tools
from tests.clinic import NAMES, EverythingAgreed, clinic

LINE = "+14155550123"


class Desk:
    """Runs tools over one book, each use with an id of its own."""

    def __init__(self, caller: str = LINE) -> None:
        self.box = clinic(gate=EverythingAgreed())
        self.caller = caller
        self.uses = 0

    def run(self, tool: str, /, *, use_id: str = "", call: str = "CA1", **given: Any) -> Any:
        self.uses += 1
        use_id = use_id or f"use{self.uses}"
        return asyncio.run(self.box.run(ToolRun(tool, use_id, given, call, self.caller)))

    def free(self, day: str = "monday") -> list[str]:
        times: list[str] = self.run("free_slots", day=day)["free"]
        return times


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_demonstration_agents_tools_are_these() -> None:
    own = [tool.name for tool in TOOLS]
    assert set(NAMES) == {*own, "transfer_to_person", "end_call"}


@pytest.mark.parametrize("name", NAMES)
def test_a_specification_is_one_for_converse(name: str) -> None:
    (spec,) = [s["toolSpec"] for s in clinic().specs() if s["toolSpec"]["name"] == name]
    schema = spec["inputSchema"]["json"]
    assert spec["name"] == name
    assert spec["description"]
    assert schema["type"] == "object"
    assert set(schema["required"]) <= set(schema["properties"])
    json.dumps(spec)


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("book_appointment", "write"),
        ("move_appointment", "write"),
        ("cancel_appointment", "write"),
        ("free_slots", "none"),
    ],
)
def test_a_tool_says_what_it_does_besides_answering(name: str, effect: str) -> None:
    assert clinic().effect(name) == effect


def test_the_next_appointment_is_the_callers(desk: Desk) -> None:
    found = desk.run("next_appointment")
    assert found["name"] == "Maria Lopez"
    assert found["appointment"]["date"] == "2026-11-23"
    assert found["appointment"]["time"] == "10:30"


def test_a_number_that_was_said_with_its_name_comes_before_the_line(desk: Desk) -> None:
    john = desk.run("next_appointment", account_number="20418", name="john smith")
    assert john["name"] == "John Smith"
    anna = desk.run("next_appointment", phone_number="206 555 0187", name="Anna Becker")
    assert anna["name"] == "Anna Becker"


def test_a_name_alone_opens_no_record_but_that_of_the_line(desk: Desk) -> None:
    assert desk.run("next_appointment", name="john smith")["name"] == "Maria Lopez"
    assert desk.run("next_appointment", name="Somebody Else")["name"] == "Maria Lopez"


def test_without_any_number_or_name_it_asks_who() -> None:
    desk = Desk(caller="")
    assert desk.run("next_appointment")["error"] == "who"
    assert desk.run("next_appointment", name="Somebody Else")["name"] == "Somebody Else"


def test_free_slots_of_a_day(desk: Desk) -> None:
    result = desk.run("free_slots", day="monday", part_of_day="Morning")
    assert (result["date"], result["weekday"], result["days_ahead"]) == ("2026-11-23", "monday", 3)
    assert result["free"]
    assert all("08:00" <= hh_mm < "12:00" for hh_mm in result["free"])


def test_a_closed_day_tells_the_next_one(desk: Desk) -> None:
    result = desk.run("free_slots", day="sunday")
    assert (result["free"], result["reason"]) == ([], "closed")
    assert result["next"]["date"] == "2026-11-23"


def test_a_full_day_tells_the_next_one(desk: Desk) -> None:
    for hh_mm in desk.free("tomorrow"):
        desk.caller = f"{desk.uses:07}"
        assert "booked" in desk.run("book_appointment", day="tomorrow", time=hh_mm)
    result = desk.run("free_slots", day="tomorrow")
    assert (result["free"], result["reason"]) == ([], "full")
    assert result["next"]["free"]


@pytest.mark.parametrize("given", [{}, {"day": "soonest"}])
def test_the_soonest_slots_are_on_a_day_that_has_some(desk: Desk, given: dict[str, str]) -> None:
    result = desk.run("free_slots", **given)
    assert result["date"] == "2026-11-20"
    assert all(hh_mm > "09:00" for hh_mm in result["free"])


def test_a_booking_stands_in_the_book(desk: Desk) -> None:
    slot = desk.free("tomorrow")[0]
    booked = desk.run(
        "book_appointment", day="tomorrow", time=slot, treatment="a cleaning", name="Maria Lopez"
    )["booked"]
    assert (booked["date"], booked["time"], booked["treatment"]) == ("2026-11-21", slot, "cleaning")
    assert desk.run("next_appointment")["appointment"] == booked
    assert slot not in desk.free("tomorrow")


def test_the_same_write_again_is_the_first_one(desk: Desk) -> None:
    slot = desk.free()[-1]
    first = desk.run("book_appointment", use_id="u", day="monday", time=slot)
    assert desk.run("book_appointment", use_id="u", day="monday", time=slot) == first
    again = desk.run("book_appointment", use_id="v", day="monday", time=slot)
    assert again["error"] == "slot_taken"
    other_call = desk.run("book_appointment", use_id="u", call="CA2", day="monday", time=slot)
    assert other_call["error"] == "slot_taken"


def test_a_taken_slot_comes_with_the_free_ones(desk: Desk) -> None:
    result = desk.run("book_appointment", day="monday", time="08:07")
    assert result["error"] == "slot_taken"
    assert result["free"] == desk.free()


def test_a_move_frees_the_old_slot_and_takes_the_new_one(desk: Desk) -> None:
    old = desk.run("book_appointment", day="monday", time=desk.free()[0], treatment="filling")
    new = desk.free("tuesday")[0]
    which = old["booked"]["appointment_id"]
    moved = desk.run("move_appointment", appointment_id=which, day="tuesday", time=new)
    assert moved["from"] == old["booked"]
    assert (moved["moved"]["date"], moved["moved"]["treatment"]) == ("2026-11-24", "filling")
    assert old["booked"]["time"] in desk.free("monday")
    assert new not in desk.free("tuesday")


def test_a_move_to_a_taken_slot_changes_nothing(desk: Desk) -> None:
    before = desk.run("next_appointment")
    assert desk.run("move_appointment", day="monday", time="08:07")["error"] == "slot_taken"
    assert desk.run("next_appointment") == before


def test_a_cancelled_appointment_is_gone(desk: Desk) -> None:
    appointment = desk.run("next_appointment")["appointment"]
    assert desk.run("cancel_appointment")["cancelled"] == appointment
    assert desk.run("next_appointment")["appointment"] is None
    assert desk.run("cancel_appointment")["error"] == "no_appointment"
    assert desk.run("move_appointment", day="monday", time="08:00")["error"] == "no_appointment"


def test_appointments_of_one_person_are_limited(desk: Desk) -> None:
    for hh_mm in desk.free("tuesday")[:9]:
        assert "booked" in desk.run("book_appointment", day="tuesday", time=hh_mm)
    again = desk.run("book_appointment", day="tuesday", time=desk.free("tuesday")[0])
    assert again["error"] == "too_many"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"day": "some day", "time": "10:00"}, "what_day"),
        ({"day": "monday", "time": "noonish"}, "what_time"),
        ({"day": "2028-01-03", "time": "10:00"}, "too_far"),
        ({"day": "monday"}, "bad_input"),
        ({"time": "10:00"}, "bad_input"),
        ({"day": " ", "time": "10:00"}, "what_day"),
        ({"day": "monday", "time": "1" * 101}, "bad_input"),
    ],
)
def test_a_slot_that_is_none_is_an_error(desk: Desk, given: dict[str, str], error: str) -> None:
    assert desk.run("book_appointment", **given)["error"] == error


@pytest.mark.parametrize("day", ["some day", "2028-01-03", "2020-01-03"])
def test_free_slots_of_no_day_are_an_error(desk: Desk, day: str) -> None:
    assert desk.run("free_slots", day=day)["error"] in ("what_day", "too_far")


def test_the_balance_of_an_account(desk: Desk) -> None:
    result = desk.run("account_balance", account_number="4 1 5 7 3")
    assert result == {"account_number": "41573", "balance": 85, "currency": "USD"}
    assert desk.run("account_balance", account_number="12")["error"] == "bad_number"


def test_the_opening_hours_of_a_day_and_of_the_week(desk: Desk) -> None:
    saturday = desk.run("opening_hours", day="saturday")
    assert (saturday["opens"], saturday["closes"]) == ("09:00", "13:00")
    assert desk.run("opening_hours", day="sunday")["closed"]
    week = desk.run("opening_hours")["week"]
    assert [day["weekday"] for day in week][0::6] == ["monday", "sunday"]
    assert desk.run("opening_hours", day="some day")["error"] == "what_day"


def test_the_price_of_a_treatment(desk: Desk) -> None:
    result = desk.run("treatment_price", treatment="a root canal")
    assert result == {"treatment": "root canal", "price": 600, "currency": "USD"}
    unknown = desk.run("treatment_price", treatment="tattoo")
    assert unknown["error"] == "unknown_treatment"
    assert "cleaning" in unknown["known"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=120),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["day", "time", "name", "treatment"]), inner, max_size=3)
    ),
    max_leaves=6,
)
members = st.dictionaries(
    st.sampled_from(sorted({name for tool in TOOLS for name in tool.input_schema["properties"]})),
    st.sampled_from(["monday", "10:00", "soonest", "41573", "1", "crown", " "]) | json_values,
)


@given(st.sampled_from([tool.name for tool in TOOLS]), members | json_values)
async def test_any_input_is_answered_with_json(name: str, tool_input: Any) -> None:
    registry = ToolRegistry(desk_tools(), EverythingAgreed())
    result = await registry.run(ToolRun(name, "u", tool_input, "CA1", LINE))
    json.dumps(result)
    assert result.get("error") != "failed"
    assert ("error" in result) == ("message" in result)


async def test_now_is_the_clinics_and_the_loading_has_one_book() -> None:
    box = clinic(gate=EverythingAgreed())
    hours = await box.run(ToolRun("opening_hours", "t1", {"day": "today"}, "CA1"))
    assert hours["date"] == "2026-11-20"
    when = {"day": "Wednesday", "time": "10:00"}
    assert "booked" in await box.run(ToolRun("book_appointment", "t2", when, "CA1", LINE))
    slots = await box.run(ToolRun("free_slots", "t3", {"day": "Wednesday"}, "CA2"))
    assert "10:00" not in slots["free"]
