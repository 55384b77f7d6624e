"""The tools of one round of an answer: run side by side, their results in the order asked for.

A round is a process of its own, below the answer and not below who asks the model: an answer that
is no longer wanted leaves the model at once, but a round in which something is written runs to its
end, and its outcome is told all the same. No tool begins before memory has what the caller said.
`run_tools` is for a Task; it tells `to` first `ToolsUsed`, then `ToolsDone`.

Errors: none; a tool that crashes, hangs or cannot be started has an error for its outcome.

Source: Bedrock, Converse, `toolUse` and `toolResult`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from aybiza.actors import names
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.memory_actor import kept
from aybiza.actors.runtime import KILL, VM, CallExit, Pid, Request, Task
from aybiza.claude.converse import tool_result
from aybiza.claude.stream import ToolUse
from aybiza.dialogue.events import ToolsUsed
from aybiza.dialogue.toolbox import Toolbox, ToolRun

TOOL_SECONDS = 10.0
TOOL_START_SECONDS = 1.0

log = structlog.get_logger(__name__)

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunTools(Request[list[Outcome]]):
    """Run `uses`, which `blocks` of the model's message ask for behind sentence `after_seq` of
    `turn`; `said`: the caller's words in it, `before`: in the turns before it, `asked`: the agent's
    before what is `said`, `unheard`: turns whose words were not heard to their end. A request to
    the answer, answered by the outcomes."""

    turn: int
    after_seq: int
    blocks: list[dict[str, Any]]
    uses: list[ToolUse]
    said: str = ""
    asked: str = ""
    before: tuple[str, ...] = ()
    unheard: frozenset[int] = frozenset()

    @property
    def seconds(self) -> float:
        """The longest time that it can take."""
        return TOOL_SECONDS + TOOL_START_SECONDS * (len(self.uses) + 1)

    def writes(self, toolbox: Toolbox) -> bool:
        """Whether something may be done that must not be left untold."""
        return any(toolbox.effect(use.name) == "write" for use in self.uses)

    def told(self, outcomes: Sequence[Outcome]) -> ToolsUsed:
        """What the conversation keeps of it."""
        return ToolsUsed(self.turn, self.after_seq, self.blocks, results_of(self.uses, outcomes))

    def unfinished(self) -> ToolsUsed:
        """What it keeps of it before there are outcomes."""
        return self.told([_RUNNING] * len(self.uses))


@dataclass(frozen=True, slots=True)
class ToolsDone:
    """The round is over."""

    outcomes: list[Outcome]


_FAILED: Final[Outcome] = {"error": "failed", "message": "The tool did not work."}
_RUNNING: Final[Outcome] = {
    "error": "outcome_unknown",
    "message": "This was begun and has not ended. Do not begin it again: its outcome will be told.",
}


def results_of(uses: Sequence[ToolUse], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The outcomes as Converse takes them, in the order of `uses`."""
    return [
        tool_result(use.tool_use_id, outcome, error="error" in outcome)
        for use, outcome in zip(uses, outcomes, strict=True)
    ]


async def run_tools(vm: VM, to: Pid, context: CallContext, asked: RunTools) -> None:
    """See the module."""
    await kept(vm, context.call_id)
    outcomes = await _Round(vm, context, asked).outcomes()
    vm.send(to, asked.told(outcomes))
    vm.send(to, ToolsDone(outcomes))


class _Round:
    def __init__(self, vm: VM, context: CallContext, asked: RunTools) -> None:
        self._vm = vm
        self._context = context
        self._asked = asked

    async def outcomes(self) -> list[Outcome]:
        tasks: list[Task[Outcome] | None] = []
        uses = self._asked.uses
        try:
            for use in uses:
                tasks.append(await self._start(use))
            return [await self._outcome(*pair) for pair in zip(uses, tasks, strict=True)]
        finally:
            # Only where the round itself is ended does any of them still run.
            for use, task in zip(uses, tasks, strict=False):
                if task is not None and self._context.toolbox.effect(use.name) != "write":
                    self._vm.exit(task.pid, KILL)

    async def _start(self, use: ToolUse) -> Task[Outcome] | None:
        until = self._vm.now() + TOOL_START_SECONDS

        async def start() -> Task[Outcome]:
            return await self._context.start_tool(self._run, use)

        try:
            return await names.patiently(self._vm, start, until)
        except CallExit as failure:
            self._failed(use, failure)
            return None

    async def _outcome(self, use: ToolUse, task: Task[Outcome] | None) -> Outcome:
        if task is not None:
            try:
                return await task.result(TOOL_SECONDS)
            except CallExit as failure:
                self._vm.exit(task.pid, KILL)
                self._failed(use, failure)
        return dict(_FAILED)

    def _failed(self, use: ToolUse, failure: CallExit) -> None:
        call_id, reason = self._context.call_id, str(failure.reason)
        turn = self._asked.turn
        emit(self._vm, events.TOOL_FAILED, how="crash", call_id=call_id, turn=turn, tool=use.name)
        log.warning("tool_failed", call_id=call_id, tool=use.name, reason=reason)

    async def _run(self, use: ToolUse) -> Outcome:
        if use.error is not None:
            return {"error": "unknown_tool_input", "message": use.error}
        context = self._context
        run = ToolRun(
            use.name,
            use.tool_use_id,
            use.input,
            context.call_id,
            context.caller,
            turn=self._asked.turn,
            said=self._asked.said,
            asked=self._asked.asked,
            language=context.speaking.language if context.agent.languages else "",
            before=self._asked.before,
            unheard=self._asked.unheard,
            keys=context.line.entered,
        )
        told = {"call_id": context.call_id, "turn": self._asked.turn, "tool": use.name}
        about = {**told, "effect": context.toolbox.effect(use.name)}
        with self._vm.telemetry.span(events.TOOL, about) as ends:
            async with asyncio.timeout(TOOL_SECONDS):
                outcome = await context.toolbox.run(run)
            ends["outcome"] = _kind(outcome)
        if "error" in outcome:
            emit(self._vm, events.TOOL_FAILED, how="error", **told)
        return outcome


def _kind(outcome: Mapping[str, Any]) -> str:
    """In one word: a write that waits for the caller's yes has done nothing yet."""
    if "error" in outcome:
        return "error"
    return "asked" if "needs_confirmation" in outcome else "ok"
