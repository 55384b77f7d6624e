"""What all supervisors are: a process that carries out the decisions about its children.

It traps exits. An `Exit` of a child, a retry and a request each become a plan
(`aybiza.supervisors.plan`), and the plan's commands are done one after the other; what arrives in
the meantime waits in the mailbox. A supervisor that ends, for whatever reason, ends its children
first, unless it is killed: then they learn of it by their links.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from aybiza.actors.runtime import (
    KILL,
    NOPROC,
    SHUTDOWN,
    VM,
    Crashed,
    Dest,
    Exit,
    ExitError,
    From,
    GenServer,
    Pid,
    Reason,
    StartError,
    Stop,
)
from aybiza.actors.runtime.errors import PROGRAM_ENDS, UNSET
from aybiza.actors.runtime.process import MESSAGES_A_SLICE
from aybiza.actors.runtime.reasons import is_same
from aybiza.actors.runtime.teaching import short
from aybiza.actors.runtime.time_limit import seconds_of
from aybiza.supervisors import plan
from aybiza.supervisors.child_spec import BRUTAL_KILL, INFINITY, ChildSpec
from aybiza.supervisors.errors import SupervisorError
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import (
    ChildCounts,
    ChildInfo,
    Outcome,
    Plan,
    SupervisorStatistics,
    Verdict,
)

T = TypeVar("T")

OPERATION_SECONDS = 60.0


class Decisions(Protocol):
    """What is decided about the children of a supervisor."""

    intensity: Intensity

    def stop_all(self) -> Plan[None]: ...
    def child_exited(self, pid: Pid, reason: Reason, now: float) -> Plan[Verdict]: ...
    def retry(self, key: Any, now: float) -> Plan[Verdict]: ...
    def which_children(self) -> list[ChildInfo]: ...
    def count_children(self) -> ChildCounts: ...


@dataclass(frozen=True, slots=True)
class Operation:
    """A request to a supervisor: the name of a decision, and what it is about."""

    name: str
    arguments: tuple[Any, ...]


_STATISTICS = Operation("statistics", ())


class BaseSupervisor(GenServer):
    """See the module. A subclass sets `_children` in `init` and names its `operations`."""

    traps_exits = True
    child_type = "supervisor"
    operations: ClassVar[frozenset[str]] = frozenset()
    _children: Decisions

    async def handle_call(self, request: Any, from_: From) -> Any:
        if type(request) is not Operation or request.name not in self.operations:
            if request == _STATISTICS:
                children, now = self._children, self.vm.now()
                return "ok", plan.statistics_of(children.which_children(), children.intensity, now)
            return await super().handle_call(request, from_)
        try:
            answer = getattr(self._children, request.name)(*request.arguments)
            if isinstance(answer, Generator):
                answer = await self._carry_out(answer)
        except SupervisorError as refusal:
            return "error", refusal.term
        return "ok", answer

    async def handle_cast(self, request: Any) -> None:
        if type(request) is plan.Retry:
            await self._go_by(self._children.retry(request.key, self.vm.now()))
        else:
            self.vm.report_unexpected(self._process, request)

    async def handle_info(self, message: Any) -> None:
        if type(message) is Exit:
            if message.pid is not None:
                now = self.vm.now()
                await self._go_by(self._children.child_exited(message.pid, message.reason, now))
        else:
            self.vm.report_unexpected(self._process, message)

    async def terminate(self, reason: Reason) -> None:
        await self._carry_out(self._children.stop_all())

    def _check_init(self) -> None:
        if not hasattr(self, "_children"):
            kind = type(self).__name__
            raise TypeError(
                f"{kind}.init has not set up its children: let it `await super().init(…)`, "
                f"with what {kind} is to start"
            )

    async def _undo_init(self) -> None:
        if hasattr(self, "_children"):
            await self._carry_out(self._children.stop_all())

    def get_state(self) -> dict[str, Any]:
        """The children, and how often one was restarted; nothing before they are decided on."""
        children = getattr(self, "_children", None)
        if children is None:
            return {}
        return {"children": children.which_children(), "restarts": children.intensity.total}

    @staticmethod
    async def statistics(
        vm: VM, supervisor: Dest, *, timeout: float | None = OPERATION_SECONDS
    ) -> SupervisorStatistics:
        """Its children by where they stand, and how many restarts it has made and has left."""
        statistics: SupervisorStatistics = await ask(vm, supervisor, "statistics", timeout=timeout)
        return statistics

    async def _go_by(self, decision: Plan[Verdict]) -> None:
        if await self._carry_out(decision, restarts=True) is Verdict.SHUT_DOWN:
            raise Stop(SHUTDOWN)

    async def _carry_out(self, decision: Plan[T], *, restarts: bool = False) -> T:
        outcome: Outcome = None
        while True:
            try:
                command = decision.send(outcome)
            except StopIteration as end:
                answer: T = end.value
                return answer
            outcome = None
            match command:
                case plan.Start(spec, extra):
                    outcome = await self._start_child(spec, extra)
                    if restarts and isinstance(outcome, plan.Started):
                        self.vm.restarted(outcome.pid)
                case plan.Stop(targets):
                    await self._stop_children(targets)
                case plan.Retry():
                    self.vm.cast(self.pid, command)
                case plan.Report(event, spec, pid, reason):
                    self._report(event, spec, pid, reason)

    async def _start_child(self, spec: ChildSpec, extra: tuple[Any, ...]) -> Outcome:
        outcome = await self._try_to_start(spec, extra)
        if isinstance(outcome, plan.Failed) and await self._end_orphan(outcome.reason):
            outcome = await self._try_to_start(spec, extra)
        return outcome

    async def _end_orphan(self, refusal: Reason) -> bool:
        """End who still has the child's name because its own supervisor was killed.

        Nobody waited for its end then, and it must not keep this supervisor from starting.
        """
        match refusal:
            case ("already_started", Pid() as pid):
                holder = self.vm.find(pid)
                if holder and holder.parent and not self.vm.alive(holder.parent):
                    self.vm.exit(pid, KILL)
                    await self.vm.join(pid, None)
                    return True
        return False

    async def _try_to_start(self, spec: ChildSpec, extra: tuple[Any, ...]) -> Outcome:
        try:
            result = await spec.start(self.vm, *extra)
        except StartError as error:
            return plan.Failed(error.reason)
        except ExitError as error:
            return plan.Failed(error.exit_reason())
        except PROGRAM_ENDS:
            raise
        except BaseException as error:
            if self._process.exiting is not UNSET:
                raise
            return plan.Failed(Crashed(error))
        match result:
            case None:
                return plan.Ignored()
            case Pid():
                return plan.Started(result)
            case (Pid() as pid, extra_result):
                return plan.Started(pid, extra_result)
            case _:
                return plan.Failed(result)

    async def _stop_children(self, targets: tuple[tuple[Pid, ChildSpec], ...]) -> None:
        """Order these to end; kill those that are not gone in their time; wait for all."""
        vm = self.vm
        reasons: dict[Pid, Reason] = {pid: NOPROC for pid, _ in targets}
        deadlines: list[tuple[float, Pid]] = []
        last: list[Pid] = []
        for number, (pid, spec) in enumerate(targets, 1):
            vm.exit(pid, KILL if spec.shutdown == BRUTAL_KILL else SHUTDOWN)
            if spec.shutdown in (BRUTAL_KILL, INFINITY):
                last.append(pid)
            else:
                deadlines.append((vm.now() + seconds_of(spec.shutdown), pid))
            if number % MESSAGES_A_SLICE == 0:
                await asyncio.sleep(0)
                self._take_exits(reasons)
        for deadline, pid in sorted(deadlines):
            try:
                await self._join(pid, max(0.0, deadline - vm.now()), reasons)
            except TimeoutError:
                vm.exit(pid, KILL)
                last.append(pid)
        for pid in last:
            # A killed process is gone within moments; INFINITY is the spec's own wish.
            await self._join(pid, None, reasons)
        self._take_exits(reasons)
        for pid, spec in targets:
            if not plan.ended_as_told(spec, reasons[pid]):
                self._report("shutdown_error", spec, pid, reasons[pid])

    async def _join(self, pid: Pid, timeout: float | None, reasons: dict[Pid, Reason]) -> None:
        reason = await self.vm.join(pid, timeout)
        if is_same(reasons[pid], NOPROC):
            reasons[pid] = reason

    def _take_exits(self, reasons: dict[Pid, Reason]) -> None:
        """Take the `Exit` messages of these out of the mailbox; they say why each ended."""

        def expected(message: Any) -> bool:
            if type(message) is not Exit or message.pid not in reasons:
                return False
            reasons[message.pid] = message.reason
            return True

        self._process.discard(expected)

    def _report(self, event: str, spec: ChildSpec, pid: Pid | None, reason: Reason) -> None:
        self.vm.report(
            event,
            supervisor=self.vm.name_of(self._process) or self.pid,
            child=spec.id,
            pid=pid,
            reason=reason,
        )


async def ask(
    vm: VM, supervisor: Dest, operation: str, *arguments: Any, timeout: float | None
) -> Any:
    """The answer of a supervisor to an operation.

    Raises `SupervisorError` with its refusal, `CallExit` like `VM.call`, and `TypeError` when what
    answers is none.
    """
    match await vm.call(supervisor, Operation(operation, arguments), timeout):
        case ("ok", value):
            return value
        case ("error", value):
            raise SupervisorError(value)
        case other:
            raise TypeError(
                f"{operation} was asked of {supervisor}, which is no supervisor: "
                f"it answered {short(other)}"
            )


def hashable(id: Hashable) -> Hashable:
    """`id`; raises `TypeError` in the caller for one that no child can have."""
    hash(id)
    return id
