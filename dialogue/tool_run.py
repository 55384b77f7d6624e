"""ToolRun: one use of a tool, as a toolbox is given it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aybiza.config.caller_number import told


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One use of a tool: by which call, of which caller's number ("" if withheld, whatever the
    carrier has written in its place).

    `turn`: the turn of the caller in which the model uses it; `said`: the caller's words in it;
    `before`: their words in the turns before it, the newest last; `asked`: what the caller had
    heard of the agent before what is `said`; `unheard`: the turns before it whose words the caller
    has not heard to their end; `language`: the one that the call is in, "" where the
    agent has but one. `keys`: what the caller has entered last, of an agent that masks it, "" where
    part of it was lost with a line that broke; it must be told to nobody.
    """

    name: str
    tool_use_id: str
    input: dict[str, Any]
    call_id: str
    caller: str = ""
    turn: int = 0
    said: str = ""
    asked: str = ""
    language: str = ""
    before: tuple[str, ...] = ()
    unheard: frozenset[int] = frozenset()
    keys: str = field(default="", repr=False)

    @property
    def which(self) -> tuple[str, int, str]:
        """Which use it is: ids of another turn are no longer in the history, and may come again."""
        return self.call_id, self.turn, self.tool_use_id

    def __post_init__(self) -> None:
        object.__setattr__(self, "caller", told(self.caller))
