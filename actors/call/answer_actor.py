"""AnswerActor: one answer of the model, with its tools, from request to last sentence.

A process of its own under ModelSupervisor, so that the CallActor can crash and come back while the
answer goes on: everything that has come is kept, and told again to whoever attaches. It is bounded
in time, ends when its call ends, and frees Bedrock's thread the moment it ends.

    attach (call `"attach"`)   from now on the caller gets the answer's events: first all that came,
                               then each as it comes (`aybiza.dialogue.events`: AnswerSentence,
                               ToolsUsed, CloseAsked, AnswerFinished)
    done (cast `"done"`)       the last event has been taken; the actor ends with NORMAL when it is
                               known what the answer has cost
    cancel (cast `"cancel"`)   nobody wants the answer any more; the actor ends with NORMAL, but not
                               before tools that have begun to write have ended. Their outcome is
                               told as unknown, and later as what it is to whoever is the call's
                               CallActor then; the turn may be answered anew meanwhile
    RunTools, Taken (calls)    for `aybiza.actors.call.answer_rounds`

An answer that is begun early (`BeginAnswer.eager`) has no name, runs no tool and tells nothing
before the first `"attach"`, and ends with the CallActor that has it begun, whatever ends that.

What is told, and what happens when the model cannot be had, is `aybiza.actors.call.answer_rounds`'s
to say. A fault of this program there ends the actor with `Shutdown(("answer_failed", text))`.

Source: Bedrock, ConverseStream; specification 000, `stream_response_with_monitoring`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aybiza.actors import names, registry_actor
from aybiza.actors.call.answer_rounds import BeginAnswer, Taken, answer
from aybiza.actors.call.answer_tools import RunTools, ToolsDone, run_tools
from aybiza.actors.runtime import (
    KILL,
    NO_REPLY,
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
from aybiza.dialogue.events import AnswerFinished, AnswerSentence, CloseAsked, Event, ToolsUsed

__all__ = ["AnswerActor", "BeginAnswer"]

# How long an answer waits for its CallActor to come back.
ORPHAN_SECONDS = 10.0
# How soon a CallActor that is being restarted is looked for again.
TELL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class _Round:
    """Tools under way, and the request for them."""

    asked: RunTools
    from_: From
    pid: Pid


class AnswerActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, begin: BeginAnswer) -> None:
        self.turn = begin.turn
        self.cancelled = False
        self._done = False
        self._context = begin.context
        self._round: _Round | None = None
        self.events: list[Event] = []
        self._listener: Pid | None = None
        self._monitor = 0 if begin.eager is None else self.vm.monitor(begin.eager)
        self._eager = begin.eager is not None
        self._held: list[tuple[RunTools | Taken, From]] = []
        self._orphaned = self.send_after("orphaned", ORPHAN_SECONDS)
        self.send_after("expired", begin.context.answer_seconds + ORPHAN_SECONDS)
        self._runner = Task.start(self.vm, answer, self.vm, self.pid, begin)

    async def handle_call(self, request: Any, from_: From) -> Any:
        if isinstance(request, RunTools | Taken):
            if self._eager:
                self._held.append((request, from_))
            else:
                self._go_on(request, from_)
            return NO_REPLY
        if request != "attach" or from_.pid is None:
            raise FunctionClause(self, request)
        self._orphaned.cancel()
        if self._eager:
            self._is_wanted()
        if self._monitor:
            self.vm.demonitor(self._monitor)
        self._listener = from_.pid
        self._monitor = self.vm.monitor(from_.pid)
        for event in self.events:
            self.vm.send(self._listener, event)
        return "ok"

    def _go_on(self, request: RunTools | Taken, from_: From) -> None:
        if isinstance(request, Taken):
            from_.answer("ok")
            return
        task = Task.start(self.vm, run_tools, self.vm, self.pid, self._context, request)
        self._round = _Round(request, from_, task.pid)

    def _is_wanted(self) -> None:
        """It is the answer of its turn from now on."""
        name = names.answer(self._context.call_id, self.turn)
        if self.vm.whereis(name) is not None:
            raise Stop(NORMAL)
        registry_actor.names(self.vm).register(self._process, name.key)
        self._eager = False
        for request, from_ in self._held:
            self._go_on(request, from_)

    async def handle_cast(self, request: Any) -> None:
        match request:
            case "cancel" if self._is_writing():
                self._cancel()
            case "done" if self.vm.alive(self._runner.pid):
                self._done = True
            case "done" | "cancel":
                raise Stop(NORMAL)
            case _:
                raise FunctionClause(self, request)

    def _is_writing(self) -> bool:
        return self._round is not None and self._round.asked.writes(self._context.toolbox)

    def _cancel(self) -> None:
        assert self._round is not None
        self.cancelled = True
        self.vm.exit(self._runner.pid, KILL)
        # Were it noise that cut the answer short, the turn is answered anew.
        call_id = self._context.call_id
        registry_actor.names(self.vm).unregister(
            self._process, names.answer(call_id, self.turn).key
        )
        self._tell(self._round.asked.unfinished())

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        if self._listener is not None:
            self.vm.send(self._listener, event)

    def _tell_outcome(self) -> None:
        call = names.call(self._context.call_id)
        if not self.vm.alive(call):
            self.send_after("tell", TELL_SECONDS)
            return
        self.vm.send(call, self.events[-1])
        raise Stop(NORMAL)

    async def handle_info(self, message: Any) -> None:
        match message:
            case ToolsUsed() if self.cancelled:
                self.events.append(message)
            case AnswerSentence() | ToolsUsed() | CloseAsked() | AnswerFinished():
                if not self.cancelled:
                    self._tell(message)
            case ToolsDone(outcomes) if self._round is not None:
                self._round.from_.answer(outcomes)
                self._round = None
                if self.cancelled:
                    self._tell_outcome()
            case "tell":
                self._tell_outcome()
            case Down(ref, _, reason) if ref == self._monitor:
                if self._eager or is_orderly(reason):
                    raise Stop(NORMAL)
                self._listener, self._monitor = None, 0
                self._orphaned = self.send_after("orphaned", ORPHAN_SECONDS)
            case Exit(pid, reason) if self._round is not None and pid == self._round.pid:
                if reason != NORMAL:
                    raise Stop(Shutdown(("answer_failed", str(reason))))
            case Exit(pid, reason) if pid == self._runner.pid and not self.cancelled:
                if is_orderly(reason) and reason != NORMAL:
                    raise Stop(reason)
                if reason != NORMAL:
                    raise Stop(Shutdown(("answer_failed", str(reason))))
                if self._done:
                    raise Stop(NORMAL)
            case "orphaned" if self._listener is None:
                raise Stop(NORMAL)
            case "expired" if not self.cancelled:
                raise Stop(Shutdown(("answer_failed", "took too long")))

    async def terminate(self, reason: Any) -> None:
        self.vm.exit(self._runner.pid, KILL)
        if self._round is not None:
            self.vm.exit(self._round.pid, KILL)
