"""AnswerActor: one answer of the model, with its tools, from request to last sentence.

A process of its own under ModelSupervisor, so that the CallActor can crash and come back while the
answer goes on: everything that has come is kept, and told again to whoever attaches. It is bounded
in time, ends when its call ends, and frees Bedrock's thread the moment it ends.

    attach (call `"attach"`)   from now on the caller gets the answer's events: first all that came,
                               then each as it comes (`dialogue.events`: AnswerSentence, ToolsUsed,
                               CloseAsked, AnswerFinished)
    done (cast `"done"`)       the last event has been taken; the actor ends with NORMAL

What is told, and what happens when the model cannot be had, is `actors.answer_rounds`'s to say. A
fault of this program there ends the actor with `Shutdown(("answer_failed", text))`.

Source: Bedrock, ConverseStream; specification 000, `stream_response_with_monitoring`.
"""

from __future__ import annotations

from typing import Any

from actors.answer_rounds import BeginAnswer, answer
from actors.runtime import (
    KILL,
    NORMAL,
    Down,
    Exit,
    From,
    FunctionClause,
    GenServer,
    Pid,
    Shutdown,
    Stop,
    Task,
    is_orderly,
)
from dialogue.events import AnswerFinished, AnswerSentence, CloseAsked, Event, ToolsUsed

__all__ = ["AnswerActor", "BeginAnswer"]

# How long an answer waits for its CallActor to come back.
ORPHAN_SECONDS = 10.0


class AnswerActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, begin: BeginAnswer) -> None:
        self.turn = begin.turn
        self.events: list[Event] = []
        self._listener: Pid | None = None
        self._monitor = 0
        self._orphaned = self.send_after("orphaned", ORPHAN_SECONDS)
        self.send_after("expired", begin.context.answer_seconds + ORPHAN_SECONDS)
        self._runner = Task.start(self.vm, answer, self.vm, self.pid, begin)

    async def handle_call(self, request: Any, from_: From) -> Any:
        if request != "attach" or from_.pid is None:
            raise FunctionClause(self, request)
        self._orphaned.cancel()
        if self._monitor:
            self.vm.demonitor(self._monitor)
        self._listener = from_.pid
        self._monitor = self.vm.monitor(from_.pid)
        for event in self.events:
            self.vm.send(self._listener, event)
        return "ok"

    async def handle_cast(self, request: Any) -> None:
        match request:
            case "done" | "cancel":
                raise Stop(NORMAL)
        raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case AnswerSentence() | ToolsUsed() | CloseAsked() | AnswerFinished():
                self.events.append(message)
                if self._listener is not None:
                    self.vm.send(self._listener, message)
            case Down(ref, _, reason) if ref == self._monitor:
                if is_orderly(reason):
                    raise Stop(NORMAL)
                self._listener, self._monitor = None, 0
                self._orphaned = self.send_after("orphaned", ORPHAN_SECONDS)
            case Exit(pid, reason) if pid == self._runner.pid:
                if is_orderly(reason) and reason != NORMAL:
                    raise Stop(reason)
                if reason != NORMAL:
                    raise Stop(Shutdown(("answer_failed", str(reason))))
            case "orphaned" if self._listener is None:
                raise Stop(NORMAL)
            case "expired":
                raise Stop(Shutdown(("answer_failed", "took too long")))

    async def terminate(self, reason: Any) -> None:
        self.vm.exit(self._runner.pid, KILL)
