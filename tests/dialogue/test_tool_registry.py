"""ToolRegistry: what a tool is given, what becomes of what it does, and who has to agree."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from aybiza.dialogue.tool_registry import LONGEST_SECONDS, Tool, ToolError, ToolRegistry
from aybiza.dialogue.toolbox import Toolbox, ToolRun
from tests.cases import each

NUMBER = {
    "type": "object",
    "properties": {"number": {"type": "integer", "minimum": 1}, "note": {"type": "string"}},
    "required": ["number"],
    "additionalProperties": False,
}
PRICE = {
    "type": "object",
    "properties": {"price": {"type": "number"}},
    "required": ["price"],
}


class Hand:
    """What a tool does: gives back `result`, or raises it."""

    def __init__(self, result: Any = None) -> None:
        self.result = {"price": 5} if result is None else result
        self.given: list[dict[str, Any]] = []

    async def __call__(self, given: dict[str, Any], use: ToolRun) -> Mapping[str, Any]:
        self.given.append(given)
        if isinstance(self.result, BaseException):
            raise self.result
        result: Mapping[str, Any] = self.result
        return result


def tool(hand: Hand | None = None, **changes: Any) -> Tool:
    fields: dict[str, Any] = {
        "name": "price",
        "description": "What number costs.",
        "run": hand or Hand(),
        "input_schema": NUMBER,
        **changes,
    }
    return Tool(**fields)


def use(number: Any = 1, **changes: Any) -> ToolRun:
    given = {"number": number, **changes.pop("more", {})}
    fields: dict[str, Any] = {
        "name": "price",
        "tool_use_id": "use1",
        "input": given,
        "call_id": "CA1",
        **changes,
    }
    return ToolRun(**fields)


async def ran(made: Tool, *uses: ToolRun) -> list[dict[str, Any]]:
    registry = ToolRegistry([made])
    return [await registry.run(one) for one in uses or (use(),)]


async def test_a_tool_is_given_what_fits_its_schema_and_gives_its_result() -> None:
    hand = Hand()
    registry: Toolbox = ToolRegistry([tool(hand, output_schema=PRICE)])
    assert await registry.run(use(3)) == {"price": 5}
    assert hand.given == [{"number": 3}]
    assert registry.effect("price") == "none"
    assert registry.specs() == [
        {
            "toolSpec": {
                "name": "price",
                "description": "What number costs.",
                "inputSchema": {"json": NUMBER},
            }
        }
    ]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"number": "three"}, "number"),
        ({"number": 0}, "number"),
        ({}, "number"),
        ({"number": 1, "colour": "red"}, "colour"),
        ({"number": 1, "note": {"a": [1]}}, "note"),
        ({"number": 1, "note": "x" * 20_000}, "short"),
        ({"number": float("nan")}, "JSON"),
    ],
)
async def test_input_that_does_not_fit_is_told_to_the_model_by_its_name(
    given: dict[str, Any], names: str
) -> None:
    hand = Hand()
    [result] = await ran(tool(hand), use(input=given))
    assert result["error"] == "bad_input"
    assert names in result["message"]
    assert len(result["message"]) < 300
    assert hand.given == []


async def test_an_unknown_tool_is_told_to_the_model() -> None:
    [result] = await ran(tool(), use(name="divine"))
    assert result["error"] == "unknown_tool"


@pytest.mark.parametrize(
    "result",
    [
        "five",
        ["five"],
        {"price": "five"},
        {},
        {"price": float("inf")},
        {"price": 5, "who": object()},
        RuntimeError("the caller's secret"),
    ],
)
async def test_a_crash_and_a_result_that_was_not_promised_become_an_error(result: Any) -> None:
    with capture_logs() as logs:
        [got] = await ran(tool(Hand(result), output_schema=PRICE))
    assert got == {"error": "failed", "message": "The tool did not work."}
    assert [entry["event"] for entry in logs] == ["tool_crashed"]
    assert "secret" not in str(logs)


async def test_too_long_a_result_is_not_handed_to_the_model() -> None:
    [got] = await ran(tool(Hand({"text": "x" * 20_000})))
    assert got["error"] == "too_much"


async def test_a_write_with_too_long_an_answer_is_not_to_be_done_again() -> None:
    (told,) = await ran(tool(Hand({"rows": "x" * 20_000}), effect="write", confirm=False))
    assert told["error"] == "answer_too_long" and "do not do it again" in told["message"]


@each(
    [
        ({"type": "object", "anyOf": [{"required": ["a"]}]}, {"type": "object"}),
        (
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "oneOf": [{"properties": {"a": {}, "b": {"type": "integer"}}}, True],
                "required": ["a"],
            },
            {
                "type": "object",
                "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
                "required": ["a"],
            },
        ),
        ({"type": "object", "allOf": [{"properties": {"a b": {}}}]}, {"type": "object"}),
    ]
)
def test_a_model_is_shown_no_choice_at_the_top_level(
    schema: dict[str, Any], shown: dict[str, Any]
) -> None:
    (spec,) = ToolRegistry([tool(input_schema=schema)]).specs()
    assert spec["toolSpec"]["inputSchema"]["json"] == shown


async def test_what_is_not_shown_of_a_schema_is_asked_for_all_the_same() -> None:
    schema = {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    (told,) = await ran(tool(input_schema=schema), use())
    assert told["error"] == "bad_input"


async def test_what_a_tool_has_to_say_reaches_the_model() -> None:
    [got] = await ran(tool(Hand(ToolError("sold_out", "There is none left."))))
    assert got == {"error": "sold_out", "message": "There is none left."}


async def test_a_tool_that_hangs_is_ended() -> None:
    ended = asyncio.Event()

    async def hang(given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()
        return {}

    [got] = await ran(tool(run=hang, seconds=0.02))
    assert got["error"] == "took_too_long"
    assert ended.is_set()


async def test_who_cancels_a_run_cancels_the_tool() -> None:
    ended, begun = asyncio.Event(), asyncio.Event()

    async def hang(given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()
        return {}

    task = asyncio.create_task(ToolRegistry([tool(run=hang)]).run(use()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


# Confirmation


def write(hand: Hand, **changes: Any) -> Tool:
    return tool(hand, effect="write", **changes)


PUT = use(7, tool_use_id="put", said="Book me number seven.")
"""The first use: what it is about is put to the caller."""
AGREED = use(7, turn=1, said="Yes, please.")


async def test_a_write_is_shown_to_the_model_with_what_its_first_use_does() -> None:
    [spec] = ToolRegistry([write(Hand())]).specs()
    assert "The first use does nothing" in spec["toolSpec"]["description"]
    assert spec["toolSpec"]["inputSchema"]["json"] == NUMBER


async def test_a_write_that_nobody_agreed_to_is_read_back_first() -> None:
    hand = Hand()
    [got] = await ran(write(hand), use(7, said="Book me number seven."))
    assert got["needs_confirmation"] is True
    assert got["details"] == {"number": 7}
    assert "error" not in got
    assert hand.given == []


async def test_after_a_yes_to_what_was_put_it_is_done() -> None:
    hand = Hand()
    _, got = await ran(write(hand), PUT, AGREED)
    assert got == {"price": 5}
    assert hand.given == [{"number": 7}]


async def test_one_agreement_is_for_one_write() -> None:
    hand = Hand()
    *_, done, more = await ran(
        write(hand),
        PUT,
        use(7, turn=1, tool_use_id="use2", said="Yes."),
        use(7, turn=2, tool_use_id="use3", said="Yes."),
    )
    assert done == {"price": 5}
    assert "needs_confirmation" in more


async def test_the_same_tool_use_writes_once() -> None:
    hand = Hand()
    assert (await ran(write(hand), PUT, AGREED, AGREED))[1:] == [{"price": 5}, {"price": 5}]
    assert len(hand.given) == 1


async def test_a_use_of_another_turn_is_another_one_whatever_its_id() -> None:
    hand = Hand()
    again = use(7, turn=2, said="Book me number seven once more."), use(7, turn=3, said="Yes.")
    _, done, asked, more = await ran(write(hand), PUT, AGREED, *again)
    assert done == more == {"price": 5} and "needs_confirmation" in asked
    assert len(hand.given) == 2


async def test_a_write_that_was_refused_may_be_tried_again() -> None:
    hand = Hand(ToolError("busy", "Not now."))
    await ran(write(hand), PUT, AGREED, AGREED)
    assert len(hand.given) == 2


@pytest.mark.parametrize("result", [RuntimeError(), "nonsense", TimeoutError()])
async def test_a_write_that_broke_off_is_not_called_failed(result: Any) -> None:
    _, got = await ran(write(Hand(result)), PUT, AGREED)
    assert got["error"] == "outcome_unknown"


async def test_a_write_may_do_without_and_a_read_may_ask() -> None:
    [got] = await ran(write(Hand(), confirm=False))
    assert got == {"price": 5}
    [got] = await ran(tool(confirm=True))
    assert "needs_confirmation" in got


# Registration


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "no.dots"}, "letters"),
        ({"name": ""}, "letters"),
        ({"seconds": 0.0}, "seconds"),
        ({"seconds": LONGEST_SECONDS + 1}, "seconds"),
        ({"input_schema": {"type": "string"}}, "object"),
        ({"input_schema": {"type": "object", "properties": 5}}, "input schema"),
        ({"output_schema": {"type": "thing"}}, "output schema"),
        (
            {
                "effect": "write",
                "input_schema": {"type": "object", "properties": {"confirmed": {}}},
            },
            "confirmed",
        ),
    ],
)
def test_a_tool_that_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ToolRegistry([tool(**changes)])


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="already"):
        ToolRegistry([tool(), tool()])


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/x.json", "#/nowhere", "other.json"])
def test_a_schema_refers_to_nothing_but_itself(reference: str) -> None:
    schema = {"type": "object", "properties": {"number": {"$ref": reference}}}
    with pytest.raises(ValueError, match="refers to"):
        ToolRegistry([tool(input_schema=schema)])


async def test_a_schema_may_refer_to_its_own_parts() -> None:
    schema = {
        "type": "object",
        "properties": {"number": {"$ref": "#/$defs/count"}},
        "$defs": {"count": {"type": "integer"}},
    }
    good, bad = await ran(tool(input_schema=schema), use(1), use("one"))
    assert good == {"price": 5}
    assert bad["error"] == "bad_input"


def test_a_schema_that_turns_in_a_circle_is_refused() -> None:
    schema = {"type": "object", "properties": {"number": {"$ref": "#/properties/number"}}}
    with pytest.raises(ValueError, match="round and round"):
        ToolRegistry([tool(input_schema=schema)])


class Guard:
    """Who identifies callers: lets all in, or raises `wrong`."""

    def __init__(self, wrong: Exception | None = None) -> None:
        self.wrong = wrong
        self.asked = 0

    async def __call__(self, given: dict[str, Any], use: ToolRun) -> None:
        self.asked += 1
        if self.wrong is not None:
            raise self.wrong


async def test_who_is_not_known_has_nothing_run_and_soon_is_not_listened_to() -> None:
    hand, guard = Hand(), Guard(ToolError("not_identified", "Which day were you born?"))
    registry = ToolRegistry([tool(hand, identify=guard, effect="write")])
    told = [await registry.run(use(tool_use_id=f"use{n}", caller="+1")) for n in range(9)]
    assert {one["error"] for one in told} == {"not_identified"}
    assert told[0]["message"] == "Which day were you born?"
    assert told[-1]["message"].startswith("Too often wrong")
    assert hand.given == [] and 0 < guard.asked < len(told)
    assert registry.statistics()["price"].errors == len(told)
    # Who rings off and calls again has some more tries, and not without end.
    again = [await registry.run(use(call_id=f"CA{n}", caller="+1")) for n in range(2, 12)]
    assert again[0]["message"] == told[0]["message"]
    assert again[-1]["message"] == told[-1]["message"]


async def test_nobody_is_let_in_by_a_fault_of_who_identifies() -> None:
    hand, guard = Hand(), Guard(RuntimeError("the patient is Ann"))
    with capture_logs() as logs:
        [told] = await ran(tool(hand, identify=guard))
    assert told["error"] == "not_identified" and hand.given == []
    assert logs[0]["event"] == "tool_identify_failed" and "Ann" not in str(logs)


async def test_who_is_known_has_it_run() -> None:
    guard = Guard()
    assert await ran(tool(identify=guard)) == [{"price": 5}]
    assert guard.asked == 1


async def test_a_write_is_done_as_often_as_one_call_and_one_caller_may() -> None:
    made = tool(effect="write", confirm=False, most_a_call=2, most_a_caller=3)
    registry = ToolRegistry([made])

    async def wrote(call_id: str, number: int) -> bool:
        told = await registry.run(use(call_id=call_id, tool_use_id=f"use{number}", caller="+1"))
        return told.get("error") != "too_many"

    assert [await wrote("CA1", number) for number in range(3)] == [True, True, False]
    assert [await wrote("CA2", number) for number in range(2)] == [True, False]


async def test_a_registry_tells_the_tools_it_was_given() -> None:
    given = [tool(), tool(name="other")]
    registry = ToolRegistry(given)
    assert registry.tools == given
    assert "price" in registry and "nothing" not in registry


async def test_statistics_tell_what_was_run() -> None:
    registry = ToolRegistry([write(Hand())])
    await registry.run(use())
    await registry.run(use("?"))
    await registry.run(use(turn=1, tool_use_id="use2", said="Yes."))
    statistics = registry.statistics()["price"]
    assert (statistics.runs, statistics.errors, statistics.confirmations) == (1, 1, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(given=st.dictionaries(st.text(), JSON), result=JSON, said=st.text())
async def test_whatever_is_asked_and_answered_there_is_a_result(
    given: dict[str, Any], result: Any, said: str
) -> None:
    for effect in ("none", "write"):
        made = tool(Hand(result), effect=effect)
        [got] = await ran(made, use(input={"number": 1, **given}, said=said))
        assert isinstance(got, dict)
