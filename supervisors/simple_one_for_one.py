"""What a simple_one_for_one supervisor decides: many children of one spec, known by their pids.

`start_child` takes the arguments that follow those of the template. Children end all at once.
Decisions as in `aybiza.supervisors.plan`. Source: OTP 25, `supervisor`, whose oddity is kept: a
restart that is ignored leaves an entry without a process, which counts as active, and with
which the supervisor cannot end in order: it ends with `FUNCTION_CLAUSE`, and its children learn
of it by their links.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeAlias

from aybiza.actors.runtime import ExitError, Pid, Reason, is_orderly
from aybiza.actors.runtime.reasons import FUNCTION_CLAUSE
from aybiza.supervisors.child_spec import AutoShutdown, ChildSpec
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


@dataclass(frozen=True, slots=True)
class Restarting:
    """Stands in the place of the pid of a child whose restart failed and is to be retried."""

    pid: Pid


Key: TypeAlias = Pid | Restarting | None


class SimpleOneForOne:
    """The children of one such supervisor; `template` is a checked spec."""

    def __init__(
        self,
        template: ChildSpec,
        intensity: Intensity,
        auto_shutdown: AutoShutdown,
        alive: Callable[[Pid], bool],
    ) -> None:
        self.intensity = intensity
        self._template = template
        self._auto_shutdown = auto_shutdown
        self._alive = alive
        self._arguments: dict[Key, tuple[Any, ...]] = {}

    # What happens

    def stop_all(self) -> Plan[None]:
        """End all children at once."""
        if None in self._arguments:
            raise ExitError(FUNCTION_CLAUSE)
        pids = [key for key in self._arguments if isinstance(key, Pid)]
        if pids:
            yield Stop(tuple((pid, self._template) for pid in pids))
        self._arguments.clear()

    def child_exited(self, pid: Pid, reason: Reason, now: float) -> Plan[Verdict]:
        """The process `pid` is gone; not a child's: nothing happens."""
        if pid not in self._arguments:
            return Verdict.GO_ON
        after = AFTER_EXIT[self._template.restart, is_orderly(reason)]
        if after.report:
            yield Report("child_terminated", self._template, pid, reason)
        if after.restart:
            return (yield from self._restart(pid, pid, now))
        del self._arguments[pid]
        return self._auto_shutdown_now()

    def retry(self, key: Restarting, now: float) -> Plan[Verdict]:
        """Take up a restart that failed, unless the child was terminated in the meantime."""
        if key not in self._arguments:
            return Verdict.GO_ON
        return (yield from self._restart(key, key.pid, now))

    # What is asked

    def start_child(self, arguments: Any) -> Plan[Pid | tuple[Pid, Any] | None]:
        """Start a child with `arguments` behind the template's; None when that was ignored."""
        if not isinstance(arguments, list | tuple):
            raise SupervisorError(("badarg", arguments))
        extra = tuple(arguments)
        outcome = yield Start(self._template, extra)
        if isinstance(outcome, Failed):
            raise SupervisorError(outcome.reason)
        if isinstance(outcome, Started):
            self._keep(outcome.pid, extra)
            return outcome.answer
        return None

    def terminate_child(self, pid: Any) -> Plan[None]:
        """End the child `pid`; of one that is dead already there is nothing to do."""
        if not isinstance(pid, Pid):
            raise SupervisorError("simple_one_for_one")
        if pid in self._arguments:
            yield Stop(((pid, self._template),))
            self._arguments.pop(pid, None)
        elif Restarting(pid) in self._arguments:
            del self._arguments[Restarting(pid)]
        elif self._alive(pid):
            raise SupervisorError("not_found")
        else:
            self._arguments.pop(None, None)

    def restart_child(self, _id: Hashable) -> None:
        """Children that ended are no children: always refused."""
        raise SupervisorError("simple_one_for_one")

    def delete_child(self, _id: Hashable) -> None:
        """Children that ended are no children: always refused."""
        raise SupervisorError("simple_one_for_one")

    def get_childspec(self, which: Any) -> ChildSpec:
        """The template, for its id or a child's pid."""
        if isinstance(which, Pid):
            keys = (which, Restarting(which))
            known = any(key in self._arguments for key in keys) or not self._alive(which)
        else:
            known = which == self._template.id
        if not known:
            raise SupervisorError("not_found")
        return self._template

    def which_children(self) -> list[ChildInfo]:
        """All children; their order has no meaning."""
        template = self._template
        return [
            ChildInfo(
                None,
                RESTARTING if isinstance(key, Restarting) else key,
                template.type,
                template.modules,
            )
            for key in self._arguments
        ]

    def count_children(self) -> ChildCounts:
        """How many children there are; active are all that are not being restarted."""
        entries = len(self._arguments)
        restarting = sum(isinstance(key, Restarting) for key in self._arguments)
        supervisors = entries if self._template.type == "supervisor" else 0
        return ChildCounts(1, entries - restarting, supervisors, entries - supervisors)

    # How

    def _restart(self, key: Pid | Restarting, pid: Pid, now: float) -> Plan[Verdict]:
        arguments = self._arguments.pop(key)
        if not self.intensity.allows(now):
            yield Report("shutdown", self._template, pid, "reached_max_restart_intensity")
            return Verdict.SHUT_DOWN
        outcome = yield Start(self._template, arguments)
        if isinstance(outcome, Failed):
            again = Restarting(pid)
            self._arguments[again] = arguments
            yield Report("start_error", self._template, pid, outcome.reason)
            yield Retry(again)
        else:
            started = outcome.pid if isinstance(outcome, Started) else None
            self._keep(started, arguments)
        return Verdict.GO_ON

    def _keep(self, key: Pid | None, arguments: tuple[Any, ...]) -> None:
        # Many temporary children may come and go; what no restart can need is not kept.
        self._arguments[key] = () if self._template.restart == "temporary" else arguments

    def _auto_shutdown_now(self) -> Verdict:
        if self._auto_shutdown == "never" or not self._template.significant:
            return Verdict.GO_ON
        others = self._auto_shutdown == "all_significant" and self._arguments
        return Verdict.GO_ON if others else Verdict.SHUT_DOWN
