"""Toolboxes: the tools that an agent's model may use, whatever stands behind them.

A toolbox tells their Converse specifications and runs one use of a tool. A run gives a JSON-able
dict; what is wrong with the model's input comes back as a result that says so, for the model to
mend. A write is idempotent by (call, tool use), so a run may be repeated.

Source: Bedrock, Converse, `toolConfig` and `toolResult`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

from aybiza.dialogue.clinic import TOOLS, WRITES_A_CALL, Tool, ToolContext
from aybiza.dialogue.clinic_book import ClinicBook
from aybiza.dialogue.consent import FIRST_USE, ConsentGate
from aybiza.dialogue.journal import TRANSFER
from aybiza.dialogue.tool_limits import Identifying, Tally
from aybiza.dialogue.tool_run import ToolRun

__all__ = ["Effect", "NoTools", "ToolRun", "Toolbox", "Toolboxes", "toolbox_for"]

Effect = Literal["none", "write", "transfer", "end_call"]

# What an effect means for the call, once the agent has finished speaking.
CLOSING_REASONS: dict[str, str] = {"end_call": "goodbye", "transfer": TRANSFER}


class Toolbox(Protocol):
    """See the module."""

    def specs(self) -> list[dict[str, Any]]:
        """The tools for `toolConfig.tools`."""

    def effect(self, name: str) -> Effect:
        """What a run of the tool does besides answering."""

    async def run(self, use: ToolRun) -> dict[str, Any]:
        """The result of one use."""


class NoTools:
    """The toolbox of an agent without tools."""

    def specs(self) -> list[dict[str, Any]]:
        return []

    def effect(self, name: str) -> Effect:
        return "none"

    async def run(self, use: ToolRun) -> dict[str, Any]:
        return {"error": "unknown_tool", "message": f"There is no tool {use.name}."}


class ClinicToolbox:
    """The clinic's tools (`aybiza.dialogue.clinic`), those called `names`, over one appointment
    book.

    `now` tells the clinic's local time; `gate` asks the caller before anything is written;
    `people` are the names of those whom a caller may be put through to.
    """

    def __init__(
        self,
        names: Sequence[str],
        now: Callable[[], datetime] = datetime.now,
        gate: ConsentGate | None = None,
        people: Sequence[str] = (),
    ) -> None:
        self._tools = {name: TOOLS[name] for name in names}
        self._people = tuple(people)
        self._specs = [_told(tool, self._people) for tool in self._tools.values()]
        self._book = ClinicBook()
        self._now = now
        self._gate = gate or ConsentGate()
        self._identifying = Identifying()
        self._writes = Tally(WRITES_A_CALL)

    def specs(self) -> list[dict[str, Any]]:
        return self._specs

    def effect(self, name: str) -> Effect:
        tool = self._tools.get(name)
        return tool.effect if tool else "none"

    async def run(self, use: ToolRun) -> dict[str, Any]:
        tool = self._tools.get(use.name)
        if tool is None:
            return await NoTools().run(use)
        if tool.effect == "write" and not self._gate.agreed(tool.name, use.input, use):
            return self._gate.ask(use.input, use)
        context = ToolContext(
            self._book,
            self._now(),
            tool_use_id=use.tool_use_id,
            call_id=use.call_id,
            caller=use.caller,
            people=self._people,
            identifying=self._identifying,
            writes=self._writes,
        )
        return tool.run(use.input, context)


def _told(tool: Tool, people: Sequence[str]) -> dict[str, Any]:
    """What the model is told of a tool: of the yes that it needs, of the people there are."""
    spec = tool.spec["toolSpec"]
    told = spec["description"] + (FIRST_USE if tool.effect == "write" else "")
    if tool.effect == TRANSFER and people:
        told += f" There are: {', '.join(people)}."
    return {"toolSpec": {**spec, "description": told}}


class Toolboxes:
    """The tools called `names`, in this order, each from the first of `boxes` that has it."""

    def __init__(self, names: Sequence[str], boxes: Sequence[Toolbox]) -> None:
        self._boxes: dict[str, Toolbox] = {}
        self._specs: list[dict[str, Any]] = []
        for name in names:
            for box in boxes:
                spec = _spec(box, name)
                if spec is not None:
                    self._boxes[name] = box
                    self._specs.append(spec)
                    break

    def specs(self) -> list[dict[str, Any]]:
        return self._specs

    def effect(self, name: str) -> Effect:
        return self._boxes.get(name, _NONE).effect(name)

    async def run(self, use: ToolRun) -> dict[str, Any]:
        return await self._boxes.get(use.name, _NONE).run(use)


_NONE = NoTools()


def toolbox_for(
    names: Sequence[str],
    own: Toolbox = _NONE,
    gate: ConsentGate | None = None,
    people: Sequence[str] = (),
    now: Callable[[], datetime] = datetime.now,
) -> Toolbox:
    """The toolbox that has the tools called `names`: the user's `own`, else the clinic's, which
    write what `gate` lets through, and put callers through to `people`; `now` tells their time.

    Raises ValueError for a name that no toolbox knows.
    """
    mine = [spec["toolSpec"]["name"] for spec in own.specs()]
    unknown = [name for name in names if name not in TOOLS and name not in mine]
    if unknown:
        known = sorted({*TOOLS, *mine})
        near = difflib.get_close_matches(unknown[0], known, n=1)
        meant = f"; did you mean {near[0]}? There are" if near else "; there are"
        raise ValueError(f"no such tool: {', '.join(unknown)}{meant}: {', '.join(known)}")
    clinics = [name for name in names if name not in mine]
    if len(clinics) == len(names):
        return ClinicToolbox(names, now, gate, people) if names else NoTools()
    return Toolboxes(names, [own, ClinicToolbox(clinics, now, gate, people)])


def _spec(box: Toolbox, name: str) -> dict[str, Any] | None:
    return next((spec for spec in box.specs() if spec["toolSpec"]["name"] == name), None)
