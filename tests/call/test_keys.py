"""Keys: an entry ends by its key, its length or a pause, and may be kept from all but the tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aybiza.config.menus import Choice, Menu
from aybiza.dialogue.journal import CallerTurn
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.bedrock.continuation import Body
from aybiza.faults import logs
from aybiza.faults.caller import Step, breaks_off, hangs_up, presses, says
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

CARD = "4929123456780"


def placed(*steps: Step, responder: Any = None, toolbox: Any = None, **fields: Any) -> PlacedCall:
    async def talk(world: World) -> PlacedCall:
        async with world.call(*steps) as call:
            await call.over()
        call.log = [e.what for e in world.trace if e.kind in ("log", "entry", "send")]  # type: ignore[attr-defined]
        return call

    options = {"responder": responder or (lambda _: say("Thank you.")), "toolbox": toolbox}
    return in_world(talk, agent=agent(**fields), messages=True, **options)


def turns(call: PlacedCall) -> list[str]:
    return [e.text for e in call.journal if isinstance(e, CallerTurn) and e.text]


def response(call: PlacedCall) -> float:
    (ms, *_) = call.report.response_times_ms
    return ms


def test_the_end_key_ends_an_entry_at_once_and_is_no_part_of_it() -> None:
    ends = placed(presses("42#"), hangs_up(), keys_end="#", keys_wait_ms=5_000)
    assert turns(ends) == ["4 2"]
    waits = placed(presses("42"), hangs_up(), keys_end="#", keys_wait_ms=5_000)
    assert turns(waits) == ["4 2"]
    assert response(waits) - response(ends) > 3_000


def test_without_keys_before_it_the_end_key_is_a_key() -> None:
    assert turns(placed(presses("#"), hangs_up(), keys_end="#")) == ["#"]


def test_so_many_keys_are_all() -> None:
    call = placed(presses("1234"), hangs_up(), keys_most=4, keys_wait_ms=5_000)
    assert turns(call) == ["1 2 3 4"]
    assert response(call) < 3_000


def test_the_end_key_behind_the_last_of_so_many_is_no_entry_of_its_own() -> None:
    paid: list[str] = []

    async def pay(given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        paid.append(run.keys)
        return {"paid": True}

    def respond(body: Body) -> Reply:
        return say("Paid.") if "toolResult" in str(body["messages"][-1]) else use("pay", {})

    call = placed(
        presses("11112222#"),
        says("Thank you."),
        hangs_up(),
        responder=respond,
        toolbox=ToolRegistry([Tool("pay", "Pays.", pay)]),
        keys_masked=True,
        keys_end="#",
        keys_most=8,
    )
    assert paid[0] == "11112222"
    assert turns(call) == [" ".join("•" * 8), "Thank you."]


def test_the_end_key_behind_a_choice_from_a_menu_is_none_of_its_own() -> None:
    menu = Menu(prompt="For hours press one.", keys={"1": Choice(say="From nine to five.")})
    call = placed(presses("1#"), hangs_up(), keys_end="#", menus={"main": menu})
    assert turns(call) == ["1"]
    assert "From nine to five." in call.heard


def test_the_next_key_is_waited_for_as_long_as_the_agent_says() -> None:
    steps = (presses("12"), presses("34", after_ms=3_000), hangs_up())
    assert turns(placed(*steps, keys_wait_ms=6_000)) == ["1 2 3 4"]
    assert turns(placed(*steps))[0] == "1 2"


def test_an_entry_that_a_broken_line_took_is_asked_for_again_and_no_tool_has_a_part_of_it() -> None:
    paid: list[str] = []

    async def pay(given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        paid.append(run.keys)
        return {"paid": bool(run.keys)}

    def respond(body: Body) -> Reply:
        last = str(body["messages"][-1]["content"])
        return use("pay", {}) if "•" in last else say("Please enter your number.")

    for steps in (
        (presses("49"), breaks_off()),
        (presses("4929"), breaks_off(after_ms=60)),
    ):
        paid.clear()
        call = placed(
            *steps,
            presses("4928", when="all of it again"),
            says("Thank you."),
            hangs_up(),
            responder=respond,
            toolbox=ToolRegistry([Tool("pay", "Pays.", pay)]),
            keys_masked=True,
            keys_most=4,
            keys_wait_ms=6_000,
        )
        assert paid == ["4928"] and call.report.ok
        assert call.heard.count("Please enter all of it again.") == 1
        assert all(set(text) <= set("• ") for text in turns(call)[:-1])


def test_masked_keys_reach_the_tool_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_LEVEL", 0)
    paid: list[str] = []

    async def pay(given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        paid.append(run.keys)
        assert CARD not in repr(run)
        return {"paid": True}

    def respond(body: Body) -> Reply:
        last = str(body["messages"][-1]["content"])
        if "toolResult" in last:
            return say("It is paid.")
        return use("pay", {}) if "•" in last else say("Please enter your card number.")

    call = placed(
        says("I would like to pay."),
        presses(f"{CARD}#"),
        says("Thank you."),
        presses("77#"),
        hangs_up(),
        responder=respond,
        toolbox=ToolRegistry([Tool("pay", "Pays.", pay)]),
        keys_masked=True,
        keys_end="#",
    )
    assert paid == [CARD, "77"]
    assert turns(call)[1] == " ".join("•" * len(CARD))
    told = json.dumps([record.body for record in call.requests()], ensure_ascii=False)
    assert "kept from you" in told
    spaced = " ".join(CARD)
    for text in (told, str(call.journal), call.heard):
        assert CARD not in text and spaced not in text and "4929" not in text
    lines = [line for line in call.log if "DigitPressed" not in line]  # type: ignore[attr-defined]
    assert not any(CARD in line or spaced in line for line in lines)
