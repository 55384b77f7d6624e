"""What a static supervisor decides: one_for_one, one_for_all and rest_for_one.

The strategies differ in one thing only, which children a restart covers (`COVERS`). A restart
ends the covered children in reverse order of their starts and starts them again in order. An
attempt that fails leaves its child `restarting` and is taken up by `retry`, so that whatever
else has arrived is handled before; what has been started by then stays under rest_for_one and
is ended again under one_for_all, because the next attempt covers it.

Everything here is a decision in the sense of `aybiza.supervisors.plan`: no process, clock or loop.
Source: OTP 25, `supervisor`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from aybiza.actors.runtime import Pid, Reason, is_orderly
from aybiza.supervisors.child_spec import AutoShutdown, ChildSpec, checked
from aybiza.supervisors.errors import SupervisorError
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import (
    AFTER_EXIT,
    RESTARTING,
    ChildCounts,
    ChildInfo,
    Failed,
    Plan,
    Report,
    Retry,
    Start,
    Started,
    Stop,
    Verdict,
)

COVERS: dict[str, Callable[[int], slice]] = {
    "one_for_one": lambda failed: slice(failed, failed + 1),
    "rest_for_one": lambda failed: slice(failed, None),
    "one_for_all": lambda _failed: slice(None),
}


class Child:
    """A spec and where its process stands: running as `pid`, `restarting`, or neither."""

    __slots__ = ("pid", "restarting", "spec")

    def __init__(self, spec: ChildSpec, pid: Pid | None = None) -> None:
        self.spec = spec
        self.pid = pid
        self.restarting = False


class Strategy:
    """The children of one static supervisor, in the order of their starts.

    `specs` are checked ones with different ids; `alive` tells whether a process lives.
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        strategy: str,
        intensity: Intensity,
        auto_shutdown: AutoShutdown,
        alive: Callable[[Pid], bool],
    ) -> None:
        self.intensity = intensity
        self._children = {spec.id: Child(spec) for spec in specs}
        self._covers = COVERS[strategy]
        self._auto_shutdown = auto_shutdown
        self._alive = alive

    # What happens

    def start_all(self) -> Plan[tuple[str, Hashable, Reason] | None]:
        """Start the children; what failed if one did, and then none is left running."""
        failed = yield from self._start(list(self._children.values()))
        if failed is None:
            return None
        child, reason = failed
        yield from self.stop_all()
        return "failed_to_start_child", child.spec.id, reason

    def stop_all(self) -> Plan[None]:
        """End the children, the last started first."""
        yield from self._stop(list(self._children.values()))

    def child_exited(self, pid: Pid, reason: Reason, now: float) -> Plan[Verdict]:
        """The process `pid` is gone; not a child's: nothing happens."""
        child = next((each for each in self._children.values() if each.pid == pid), None)
        if child is None:
            return Verdict.GO_ON
        after = AFTER_EXIT[child.spec.restart, is_orderly(reason)]
        if after.report:
            yield Report("child_terminated", child.spec, pid, reason)
        if after.restart:
            return (yield from self._restart(child, now))
        self._forget(child)
        return self._auto_shutdown_after(child)

    def retry(self, id: Hashable, now: float) -> Plan[Verdict]:
        """Take up a restart that failed, unless the child was dealt with in the meantime."""
        child = self._children.get(id)
        if child is None or not child.restarting:
            return Verdict.GO_ON
        return (yield from self._restart(child, now))

    # What is asked

    def start_child(self, given: Any) -> Plan[Pid | tuple[Pid, Any] | None]:
        """Add the child; None when its start was ignored."""
        spec = checked(given, self._auto_shutdown)
        old = self._children.get(spec.id)
        if old is not None:
            raise SupervisorError(("already_started", old.pid) if old.pid else "already_present")
        outcome = yield Start(spec)
        if isinstance(outcome, Failed):
            raise SupervisorError((outcome.reason, spec))
        if isinstance(outcome, Started):
            self._children[spec.id] = Child(spec, outcome.pid)
            return outcome.answer
        if spec.restart != "temporary":
            self._children[spec.id] = Child(spec)
        return None

    def restart_child(self, id: Hashable) -> Plan[Pid | tuple[Pid, Any] | None]:
        """Start a child that has no process; None when its start was ignored."""
        child = self._stopped(id)
        outcome = yield Start(child.spec)
        if isinstance(outcome, Failed):
            raise SupervisorError(outcome.reason)
        if isinstance(outcome, Started):
            child.pid = outcome.pid
            return outcome.answer
        return None

    def terminate_child(self, id: Hashable) -> Plan[None]:
        """End the child; its spec stays unless it is temporary."""
        child = self._find(id)
        if child.pid is not None:
            yield Stop(((child.pid, child.spec),))
        self._forget(child)

    def delete_child(self, id: Hashable) -> None:
        """Remove the spec of a child that has no process."""
        del self._children[self._stopped(id).spec.id]

    def get_childspec(self, id: Hashable) -> ChildSpec:
        """The spec of a child."""
        return self._find(id).spec

    def which_children(self) -> list[ChildInfo]:
        """All children, the last started first."""
        return [
            ChildInfo(
                child.spec.id,
                RESTARTING if child.restarting else child.pid,
                child.spec.type,
                child.spec.modules,
            )
            for child in reversed(self._children.values())
        ]

    def count_children(self) -> ChildCounts:
        """How many children there are; active are those whose process lives."""
        children = self._children.values()
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        return ChildCounts(
            specs=len(children),
            active=sum(child.pid is not None and self._alive(child.pid) for child in children),
            supervisors=supervisors,
            workers=len(children) - supervisors,
        )

    # How

    def _restart(self, failed: Child, now: float) -> Plan[Verdict]:
        if not self.intensity.allows(now):
            yield Report("shutdown", failed.spec, failed.pid, "reached_max_restart_intensity")
            self._forget(failed)
            return Verdict.SHUT_DOWN
        failed.pid = None
        children = list(self._children.values())
        covered = children[self._covers(children.index(failed))]
        yield from self._stop(covered)
        again = yield from self._start([child for child in covered if self._keeps(child)])
        if again is not None:
            child, _ = again
            child.restarting = True
            yield Retry(child.spec.id)
        return Verdict.GO_ON

    def _start(self, children: list[Child]) -> Plan[tuple[Child, Reason] | None]:
        """Start these in order; the one that failed, and why."""
        for child in children:
            outcome = yield Start(child.spec)
            if isinstance(outcome, Failed):
                yield Report("start_error", child.spec, None, outcome.reason)
                return child, outcome.reason
            if isinstance(outcome, Started):
                child.pid = outcome.pid
            else:
                self._forget(child)
        return None

    def _stop(self, children: list[Child]) -> Plan[None]:
        for child in reversed(children):
            if child.pid is not None:
                yield Stop(((child.pid, child.spec),))
            self._forget(child)

    def _forget(self, child: Child) -> None:
        """The child has no process any more; a temporary one is no child any more."""
        child.pid = None
        child.restarting = False
        if child.spec.restart == "temporary":
            del self._children[child.spec.id]

    def _auto_shutdown_after(self, child: Child) -> Verdict:
        if self._auto_shutdown == "never" or not child.spec.significant:
            return Verdict.GO_ON
        others = self._auto_shutdown == "all_significant" and any(
            each.spec.significant and (each.pid is not None or each.restarting)
            for each in self._children.values()
        )
        return Verdict.GO_ON if others else Verdict.SHUT_DOWN

    def _keeps(self, child: Child) -> bool:
        return self._children.get(child.spec.id) is child

    def _find(self, id: Hashable) -> Child:
        child = self._children.get(id)
        if child is None:
            raise SupervisorError("not_found")
        return child

    def _stopped(self, id: Hashable) -> Child:
        child = self._find(id)
        if child.restarting or child.pid is not None:
            raise SupervisorError("restarting" if child.restarting else "running")
        return child
