"""What an operator may do from the console, one row each in `ACTIONS`.

    answer = await act(door.console, vm, {"do": "kill", "process": "metrics"}, "127.0.0.1")

An action is a request to the node's control, the same as the command line's: the `request` of the
row with the fields that it names, each a text of a bounded length. Whatever changes the node is
written into the log and into the console's news, with who asked and what came of it, never with
what was said; what only looks is not.

Errors: `Refused` with a text for people.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from aybiza.actors.runtime import VM, CallExit
from aybiza.gateway.console.hub import hub

MOST_CHARACTERS: Final = 300
MOST_PLAN: Final = 16_000

Control = Callable[[VM, dict[str, Any]], Awaitable[dict[str, Any]]]

log = structlog.get_logger(__name__)


class Refused(Exception):
    """The action is not done; the text says why."""


@dataclass(frozen=True, slots=True)
class Console:
    """A node's console. `control`: what its requests are answered by, as the command line's are;
    `faults`: whether faults may be injected."""

    control: Control
    faults: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """`request`: what the control is asked, but for the `fields` of the page. `changes`: it does
    something to the node. `most`: characters of a field."""

    request: Mapping[str, Any]
    fields: tuple[str, ...] = ()
    changes: bool = True
    most: int = MOST_CHARACTERS


ACTIONS: Final[Mapping[str, Action]] = {
    "observe": Action({"op": "observe"}, ("process",), changes=False),
    "performance": Action({"op": "performance", "period": "24h"}, changes=False),
    "kill": Action({"op": "kill", "reason": "kill"}, ("process",)),
    "restart": Action({"op": "restart"}, ("process",)),
    "trace": Action({"op": "traced", "after": 0}, ("process",)),
    "traced": Action({"op": "traced"}, ("process", "after"), changes=False),
    "trace_stop": Action({"op": "trace", "on": False}, ("process",)),
    "hangup": Action({"op": "hangup"}, ("call",)),
    "past": Action({"op": "past"}, changes=False),
    "past_call": Action({"op": "past"}, ("call",), changes=False),
    "fault": Action(
        {"op": "faults", "do": "begin", "name": "console", "seconds": 60.0},
        ("plan", "who"),
        most=MOST_PLAN,
    ),
    "fault_report": Action({"op": "faults", "do": "report"}, changes=False),
    "fault_stop": Action({"op": "faults", "do": "stop"}),
}
"""All that can be asked for, by the page's names."""


async def act(console: Console, vm: VM, asked: Any, address: str) -> dict[str, Any]:
    """Do it, and write it down; `address` is who asks."""
    name = asked.get("do") if isinstance(asked, dict) else None
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise Refused("there is no such action")
    asked = {**asked, "who": f"console {address}"}
    given = {field: asked.get(field) for field in action.fields}
    for field, value in given.items():
        if not isinstance(value, str) or not 0 < len(value) <= action.most:
            raise Refused(f"{field}: a text of 1 to {action.most} characters")
    about = str(given.get("process") or given.get("call") or "")
    try:
        answer = await console.control(vm, {**action.request, **given, "by": asked["who"]})
    except (ValueError, CallExit, TimeoutError) as failure:
        if action.changes:
            _note(vm, name, about, address, "refused")
        raise Refused(str(failure)) from None
    if action.changes:
        _note(vm, name, about, address, "done")
    return answer


def _note(vm: VM, name: str | None, about: str, address: str, outcome: str) -> None:
    log.warning("console_action", action=name, about=about, by=address, outcome=outcome)
    held = hub(vm)
    if held is not None:
        held.heard.tell("action", f"{f'{name} {about}'.strip()}: {outcome}", by=address)
