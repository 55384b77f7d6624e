"""A caller asks for what is somebody else's, and guesses who that is."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.dialogue.tool_limits import IDENTIFYING_A_CALL, IDENTIFYING_A_CALLER
from aybiza.dialogue.tool_registry import WRITES_A_CALL, Tool, ToolError, ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from tests.clinic import EverythingAgreed, clinic

STRANGER, MARIA = "+15005550006", "+14155550123"


class Line:
    """Uses tools of the clinic from a line."""

    def __init__(self, caller: str, box: ToolRegistry | None = None) -> None:
        self.box = box or clinic(gate=EverythingAgreed())
        self.caller = caller
        self.uses = 0

    async def use(self, tool: str, call: str = "CA1", /, **given: Any) -> Any:
        self.uses += 1
        return await self.box.run(
            ToolRun(tool, f"{self.caller}{self.uses}", given, call, self.caller)
        )

    async def refusal(self, tool: str, call: str = "CA1", /, **given: Any) -> Any:
        return (await self.use(tool, call, **given)).get("error")


RECORDS = [
    "next_appointment",
    "book_appointment",
    "move_appointment",
    "cancel_appointment",
    "account_balance",
]
SLOT = {"day": "monday", "time": "08:00"}
MARIAS = [{"account_number": "41573"}, {"phone_number": "415 555 0123"}]
WRONG = [{}, {"name": "Mary Lopes"}, {"name": ""}, {"name": " "}]


@pytest.mark.parametrize("caller", [STRANGER, ""], ids=["stranger", "withheld"])
@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("number", MARIAS)
@pytest.mark.parametrize("tool", RECORDS)
async def test_the_number_of_an_account_opens_it_for_nobody_else(
    tool: str, number: dict[str, str], name: dict[str, str], caller: str
) -> None:
    given = {"account_number": "4155550123"} if tool == "account_balance" else number
    line = Line(caller)
    result = await line.use(tool, **SLOT, **given, **name)
    assert result["error"] == "not_identified"
    told = str(result)
    assert "Maria" not in told and "85" not in told and "10:30" not in told


LIKE_MARIAS = [
    *("sip:14155550123@evil.example", "sip:4155550123@evil.example", "sips:4155550123@[::1]"),
    *("sip:x@1.4155550123.example", "sip:4155550123", "+494155550123", "+4155550123"),
    *("0014155550123", "99914155550123", "+014155550123", "4155550123@evil.example"),
]


@pytest.mark.parametrize("caller", LIKE_MARIAS)
async def test_a_line_that_is_like_the_number_of_a_record_is_another(caller: str) -> None:
    line = Line(caller)
    assert "K41573" not in str(await line.use("next_appointment"))
    for number in MARIAS:
        for tool in ("next_appointment", "cancel_appointment"):
            assert await line.refusal(tool, **number) == "not_identified"


@pytest.mark.parametrize("caller", ["+14155550123", "14155550123", "4155550123"])
async def test_ones_own_line_opens_ones_record_however_it_is_written(caller: str) -> None:
    found = await Line(caller).use("next_appointment")
    assert found["appointment"]["appointment_id"] == "K41573"


@pytest.mark.parametrize(
    "caller", ["anonymous", "+266696687", "Restricted", "sip:anonymous@anonymous.invalid"]
)
async def test_those_who_withhold_their_number_share_no_record(caller: str) -> None:
    one = Line(caller)
    booked = await one.use("book_appointment", "CA1", **SLOT, name="Eve Moneypenny")
    made = booked["booked"]["appointment_id"]
    other = Line(caller, one.box)
    for given in ({}, {"name": "Eve Moneypenny"}, {"appointment_id": made}):
        for tool in ("next_appointment", "cancel_appointment"):
            assert made not in str(await other.use(tool, "CA2", **given))
    for call in range(2 * IDENTIFYING_A_CALLER):
        await other.use("next_appointment", f"CB{call}", name="Maria Lopez")
    known = await one.use("next_appointment", "CA3", account_number="41573", name="Maria Lopez")
    assert known["appointment"]["appointment_id"] == "K41573"


async def test_a_name_alone_opens_no_record_of_somebody_in_the_list() -> None:
    for caller in (STRANGER, ""):
        line = Line(caller)
        for tool in ("next_appointment", "cancel_appointment"):
            result = await line.use(tool, name="Maria Lopez")
            assert "K41573" not in str(result)


async def test_a_booking_under_somebodys_name_is_none_in_their_record() -> None:
    line = Line("")
    booked = await line.use("book_appointment", **SLOT, name="Maria Lopez")
    assert "booked" in booked
    hers = await Line(MARIA, line.box).use("next_appointment")
    assert hers["appointment"]["appointment_id"] == "K41573"
    refused = await line.refusal("cancel_appointment", name="Maria Lopez")
    assert refused == "not_identified"


async def test_the_owner_gets_in_by_the_line_or_by_number_and_name() -> None:
    assert (await Line(MARIA).use("account_balance", account_number="41573"))["balance"] == 85
    given = {"account_number": "41573", "name": "maria lopez"}
    assert (await Line(STRANGER).use("account_balance", **given))["balance"] == 85
    assert (await Line(STRANGER).use("next_appointment", **given))["name"] == "Maria Lopez"


async def test_what_one_caller_has_said_of_himself_is_nothing_to_another() -> None:
    one = Line(STRANGER)
    assert "balance" in await one.use("account_balance", account_number="90210")
    other = Line("+15005550007", one.box)
    assert await other.refusal("account_balance", "CA2", account_number="90210") == "not_identified"


async def test_who_guesses_names_is_not_listened_to_any_more() -> None:
    line = Line(STRANGER)
    for number in range(IDENTIFYING_A_CALL):
        await line.use("account_balance", account_number="41573", name=f"Maria {number}")
    right = {"account_number": "41573", "name": "Maria Lopez"}
    assert await line.refusal("account_balance", **right) == "not_identified"
    for call in range(IDENTIFYING_A_CALLER):
        await line.use("next_appointment", f"CB{call}", account_number="20418", name="Maria")
    assert await line.refusal("account_balance", "CC1", **right) == "not_identified"
    assert "balance" in await Line(MARIA, line.box).use("account_balance", "CC2", **right)


async def test_a_call_changes_so_much_and_no_more() -> None:
    line = Line(MARIA)
    done = []
    for number in range(40):
        hour, half = divmod(number, 2)
        day = ("monday", "tuesday")[hour >= 10]
        at = f"{8 + hour % 10:02}:{half * 30:02}"
        booked = await line.use("book_appointment", day=day, time=at)
        if "booked" in booked:
            done.append(booked)
            await line.use("cancel_appointment", appointment_id=booked["booked"]["appointment_id"])
    assert len(done) == WRITES_A_CALL // 2


def guarded(done: list[Any], **more: Any) -> ToolRegistry:
    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        done.append(given)
        return {"done": True}

    async def identify(given: dict[str, Any], use: ToolRun) -> None:
        if given.get("pin") == "crash":
            raise RuntimeError("the directory is down")
        if given.get("pin") != "4711":
            raise ToolError("not_identified", "Ask for the PIN.")

    tool = Tool("pay", "Pays.", run, effect="write", confirm=False, identify=identify, **more)
    return ToolRegistry([tool])


async def told(registry: ToolRegistry, number: int, call: str, caller: str, pin: str) -> Any:
    run = ToolRun("pay", f"u{number}", {"pin": pin}, call, caller)
    return (await registry.run(run)).get("error")


async def test_a_tool_that_says_how_callers_are_identified_runs_for_nobody_else() -> None:
    done: list[Any] = []
    registry = guarded(done)
    assert await told(registry, 1, "CA1", STRANGER, "1") == "not_identified"
    assert await told(registry, 2, "CA1", STRANGER, "crash") == "not_identified"
    assert done == []
    assert await told(registry, 3, "CA1", STRANGER, "4711") is None
    assert len(done) == 1


async def test_a_number_that_guesses_call_after_call_is_refused_with_the_right_answer() -> None:
    done: list[Any] = []
    registry = guarded(done)
    for number in range(IDENTIFYING_A_CALLER):
        await told(registry, number, f"CA{number}", STRANGER, "0")
    assert await told(registry, 99, "CB1", STRANGER, "4711") == "not_identified"
    assert await told(registry, 100, "CB2", MARIA, "4711") is None


async def test_a_caller_has_so_many_writes_whatever_the_number_of_calls() -> None:
    done: list[Any] = []
    registry = guarded(done, most_a_caller=3)
    refusals = [await told(registry, n, f"CA{n}", STRANGER, "4711") for n in range(6)]
    assert refusals == [None, None, None, "too_many", "too_many", "too_many"]
    assert await told(registry, 7, "CA7", MARIA, "4711") is None
