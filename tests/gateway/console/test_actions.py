"""What an operator may do: the rows of the table, with texts in their bounds, written down."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.runtime import VM, CallExit
from aybiza.gateway.console.actions import ACTIONS, MOST_CHARACTERS, Console, Refused, act
from aybiza.gateway.console.hub import TABLE, Hub


class Node:
    """Answers what it is asked, or raises `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.error = error

    async def control(self, vm: VM, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if self.error is not None:
            raise self.error
        return {"done": True}


@pytest.mark.parametrize("name", ACTIONS)
async def test_each_action_asks_what_its_row_says(name: str) -> None:
    action, node = ACTIONS[name], Node()
    fields = dict.fromkeys(action.fields, "x")
    with capture_logs() as logs:
        assert await act(Console(node.control), VM("test"), {"do": name, **fields}, "::1") == {
            "done": True
        }
    (asked,) = node.asked
    expected = {**fields, **({"who": "console ::1"} if "who" in fields else {})}
    assert asked == {**action.request, **expected, "by": "console ::1"}
    assert bool(logs) is action.changes


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {},
        {"do": "stop"},
        {"do": ["kill"]},
        {"do": "kill"},
        {"do": "kill", "process": 7},
        {"do": "kill", "process": ""},
        {"do": "kill", "process": "x" * (MOST_CHARACTERS + 1)},
    ],
)
async def test_what_is_no_action_is_refused_and_the_node_is_not_asked(asked: Any) -> None:
    node = Node()
    with pytest.raises(Refused):
        await act(Console(node.control), VM("test"), asked, "::1")
    assert node.asked == []


async def test_nobody_says_what_an_action_asks_beyond_its_fields() -> None:
    node = Node()
    asked = {"do": "kill", "process": "x", "reason": "normal", "op": "drain", "who": "another"}
    await act(Console(node.control), VM("test"), asked, "::1")
    said = {"op": "kill", "reason": "kill", "process": "x", "by": "console ::1"}
    assert node.asked == [said]


@pytest.mark.parametrize("error", [ValueError("no such process"), CallExit("noproc", "x")])
async def test_a_refusal_of_the_node_is_told_and_written_down(error: Exception) -> None:
    vm = VM("test")

    async def members() -> list[dict[str, Any]]:
        return []

    held = vm.tables[TABLE] = Hub(vm, members)
    asked = {"do": "kill", "process": "x"}
    with capture_logs() as logs, pytest.raises(Refused):
        await act(Console(Node(error).control), vm, asked, "::1")
    assert [entry["outcome"] for entry in logs] == ["refused"]
    assert [one["text"] for one in held.heard.news] == ["kill x: refused"]
