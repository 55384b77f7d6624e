"""What a `DynamicSupervisor` decides: children of any spec, known by their pids, one_for_one.

At most `max_children`, those being restarted included. Children end all at once, each with its
own shutdown time. Decisions as in `aybiza.supervisors.plan`. Source: Elixir 1.14,
`DynamicSupervisor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aybiza.actors.runtime import Pid, Reason, is_orderly
from aybiza.supervisors.child_spec import INFINITY, ChildSpec
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


@dataclass(slots=True)
class _Child:
    spec: ChildSpec
    restarting: bool = False


class DynamicChildren:
    """The children of one such supervisor. `max_children` is a whole number or `INFINITY`."""

    def __init__(self, intensity: Intensity, max_children: Any = INFINITY) -> None:
        if max_children != INFINITY and (type(max_children) is not int or max_children < 0):
            raise SupervisorError(("invalid_max_children", max_children))
        self.intensity = intensity
        self.max_children = max_children
        self._children: dict[Pid, _Child] = {}

    # What happens

    def stop_all(self) -> Plan[None]:
        """End all children at once."""
        children = self._children.items()
        running = tuple((pid, child.spec) for pid, child in children if not child.restarting)
        if running:
            yield Stop(running)
        self._children.clear()

    def child_exited(self, pid: Pid, reason: Reason, now: float) -> Plan[Verdict]:
        """The process `pid` is gone; not a child's: nothing happens."""
        child = self._children.get(pid)
        if child is None:
            return Verdict.GO_ON
        after = AFTER_EXIT[child.spec.restart, is_orderly(reason)]
        if after.report:
            yield Report("child_terminated", child.spec, pid, reason)
        if after.restart:
            return (yield from self._restart(pid, child, now))
        del self._children[pid]
        return Verdict.GO_ON

    def retry(self, pid: Pid, now: float) -> Plan[Verdict]:
        """Take up a restart that failed, unless the child was terminated in the meantime."""
        child = self._children.get(pid)
        if child is None:
            return Verdict.GO_ON
        return (yield from self._restart(pid, child, now))

    # What is asked

    def start_child(self, spec: ChildSpec) -> Plan[Pid | tuple[Pid, Any] | None]:
        """Add the child; None when its start was ignored, and then it is no child."""
        if self.max_children != INFINITY and len(self._children) >= self.max_children:
            raise SupervisorError("max_children")
        outcome = yield Start(spec)
        if isinstance(outcome, Failed):
            raise SupervisorError(outcome.reason)
        if isinstance(outcome, Started):
            self._children[outcome.pid] = _Child(spec)
            return outcome.answer
        return None

    def terminate_child(self, pid: Pid) -> Plan[None]:
        """End the child, whose restart may be under way; it is no child any more."""
        child = self._children.get(pid)
        if child is None:
            raise SupervisorError("not_found")
        if not child.restarting:
            yield Stop(((pid, child.spec),))
        del self._children[pid]

    def which_children(self) -> list[ChildInfo]:
        """All children; their order has no meaning."""
        return [
            ChildInfo(
                None,
                RESTARTING if child.restarting else pid,
                child.spec.type,
                child.spec.modules,
            )
            for pid, child in self._children.items()
        ]

    def count_children(self) -> ChildCounts:
        """How many children there are; active are all that are not being restarted."""
        children = self._children.values()
        supervisors = sum(child.spec.type == "supervisor" for child in children)
        return ChildCounts(
            specs=len(children),
            active=sum(not child.restarting for child in children),
            supervisors=supervisors,
            workers=len(children) - supervisors,
        )

    # How

    def _restart(self, pid: Pid, child: _Child, now: float) -> Plan[Verdict]:
        if not self.intensity.allows(now):
            yield Report("shutdown", child.spec, pid, "reached_max_restart_intensity")
            del self._children[pid]
            return Verdict.SHUT_DOWN
        outcome = yield Start(child.spec)
        if isinstance(outcome, Failed):
            child.restarting = True
            yield Report("start_error", child.spec, pid, outcome.reason)
            yield Retry(pid)
            return Verdict.GO_ON
        del self._children[pid]
        if isinstance(outcome, Started):
            self._children[outcome.pid] = _Child(child.spec)
        return Verdict.GO_ON
