"""The front desk of a world: its agent, its tools and its model, all exact.

`answering` makes a model that gives to each text of the caller its own list of replies: the first
to the words, the next to the results of its tools, and so on. The same messages get the same reply.
`Desk` has the tools: `look_up` takes a while, `book` writes and asks first, `break_down` fails,
`transfer` puts the caller through, `end_call` ends the call; `written` are the writes that were
done, `running` the calls for which something is being looked up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aybiza.config.agents import Agent
from aybiza.dialogue.tool_registry import Tool, ToolRegistry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.bedrock import Reply
from aybiza.emulators.bedrock.continuation import Body
from aybiza.emulators.bedrock.scripted import by_text

Answers = Mapping[str, Sequence[Reply | str]]

AGENT: Final = Agent(
    name="Desk",
    system_prompt="You answer the telephone.",
    greeting="Welcome to the front desk, how can I help you today?",
    silence_prompt="Are you still there?",
    error="Sorry, could you say that again?",
    bridge="Sorry, we were cut off.",
    ask_again="What did you say?",
    closing="Thank you for calling. Goodbye.",
    filler="One moment, please.",
    endpointing_ms=300,
    silence_timeout_s=30.0,
    silence_again_s=30.0,
    max_duration_s=3600.0,
)


# How long `look_up` takes.
TOOL_SECONDS: Final = 0.3


def agent(**changes: Any) -> Agent:
    """The agent of the front desk, with these fields changed."""
    # A plan's file has lists where an agent has tuples.
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in changes.items()}
    return AGENT.model_copy(update=given)


def answering(answers: Answers) -> Callable[[Body], Reply]:
    """See the module; a text that is not among `answers` is repeated."""
    return by_text(answers)


class Desk(ToolRegistry):
    """See the module; `seconds` is how long `look_up` takes."""

    def __init__(self, seconds: float = TOOL_SECONDS) -> None:
        self.seconds = seconds
        self.written: list[ToolRun] = []
        self.running: set[str] = set()
        what = {"type": "object", "properties": {"what": {"type": "string"}}}
        booked = {**what, "required": ["what"]}
        super().__init__(
            [
                Tool("look_up", "Looks something up.", self._look_up, what),
                Tool("break_down", "Fails.", self._break_down, what),
                Tool("book", "Books something.", self._book, booked, effect="write"),
                Tool("transfer", "Puts them through.", self._transfer, what, effect="transfer"),
                Tool("end_call", "Ends the call.", self._end, what, effect="end_call"),
            ]
        )

    async def _look_up(self, given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        self.running.add(use.call_id)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.running.discard(use.call_id)
        return {"found": True}

    async def _break_down(self, given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        raise RuntimeError("broken on purpose")

    async def _book(self, given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        self.written.append(use)
        return {"booked": True}

    async def _transfer(self, given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        return {"ok": True, "to": given.get("what", "")}

    async def _end(self, given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        return {"ok": True}
