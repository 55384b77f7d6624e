"""The language between what a supervisor decides and the process that does it.

A decision is a generator, a `Plan`: it yields commands, is sent the outcome of each, and
returns its answer. It starts no process, reads no clock, and waits for nothing, so the same
decisions run under a real supervisor and in a test without one.

=====================  =======================================  =============================
command                to be done                               sent back
=====================  =======================================  =============================
`Start(spec, extra)`   start the child, linked                  `Started`, `Ignored`, `Failed`
`Stop(targets)`        end these, all at once, and wait         None
`Retry(key)`           send oneself this message                None
`Report(event, …)`     log it                                   None
=====================  =======================================  =============================

What the end of a child means is `AFTER_EXIT`: restart type × whether its reason is orderly.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeAlias, TypeVar

from aybiza.actors.runtime import KILLED, SHUTDOWN, Pid, Reason, is_orderly
from aybiza.actors.runtime.reasons import is_same
from aybiza.supervisors.child_spec import BRUTAL_KILL, ChildSpec, ChildType, Modules, Restart
from aybiza.supervisors.intensity import Intensity

T = TypeVar("T")

RESTARTING = "restarting"


class Verdict(Enum):
    """Whether the supervisor lives on after a decision."""

    GO_ON = "go_on"
    SHUT_DOWN = "shut_down"


class AfterExit(NamedTuple):
    """What follows the end of a child."""

    restart: bool
    report: bool


AFTER_EXIT: dict[tuple[Restart, bool], AfterExit] = {
    ("permanent", True): AfterExit(restart=True, report=True),
    ("permanent", False): AfterExit(restart=True, report=True),
    ("transient", True): AfterExit(restart=False, report=False),
    ("transient", False): AfterExit(restart=True, report=True),
    ("temporary", True): AfterExit(restart=False, report=False),
    ("temporary", False): AfterExit(restart=False, report=True),
}


@dataclass(frozen=True, slots=True)
class Start:
    """Start the child `spec`, giving its start function `extra` behind the VM."""

    spec: ChildSpec
    extra: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """End these children: order it as their specs say, all at once, and wait until all are gone."""

    targets: tuple[tuple[Pid, ChildSpec], ...]


@dataclass(frozen=True, slots=True)
class Retry:
    """To be delivered to the supervisor as a message, behind those that wait: `retry(key)`."""

    key: Hashable


@dataclass(frozen=True, slots=True)
class Report:
    """Log `event`: child_terminated, start_error, shutdown or shutdown_error."""

    event: str
    spec: ChildSpec
    pid: Pid | None
    reason: Reason


Command: TypeAlias = Start | Stop | Retry | Report


@dataclass(frozen=True, slots=True)
class Started:
    """The child runs as `pid`; `extra` is what its start function gave besides, or None."""

    pid: Pid
    extra: Any = None

    @property
    def answer(self) -> Pid | tuple[Pid, Any]:
        """What the caller of `start_child` gets."""
        return self.pid if self.extra is None else (self.pid, self.extra)


@dataclass(frozen=True, slots=True)
class Ignored:
    """The child is not to run."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The child did not start."""

    reason: Reason


Outcome: TypeAlias = Started | Ignored | Failed | None
Plan: TypeAlias = Generator[Command, Outcome, T]


class ChildInfo(NamedTuple):
    """An entry of `which_children`: `pid` is None without a process, or `RESTARTING`."""

    id: Hashable
    pid: Pid | str | None
    type: ChildType
    modules: Modules


class ChildCounts(NamedTuple):
    """The answer of `count_children`."""

    specs: int
    active: int
    supervisors: int
    workers: int


class SupervisorStatistics(NamedTuple):
    """How a supervisor fares.

    `children` are `running`, `restarting` (an attempt failed and is made again) or `stopped` (a
    spec without a process). `restarts` since it started, failed attempts included, and how many
    are left now before it gives up: `restarts_left` of `max_restarts` in `max_seconds`.
    """

    children: int
    running: int
    restarting: int
    stopped: int
    restarts: int
    restarts_left: int
    max_restarts: int
    max_seconds: int


def statistics_of(
    children: list[ChildInfo], intensity: Intensity, now: float
) -> SupervisorStatistics:
    """How a supervisor of these fares at `now`."""
    restarting = sum(child.pid == RESTARTING for child in children)
    stopped = sum(child.pid is None for child in children)
    return SupervisorStatistics(
        children=len(children),
        running=len(children) - restarting - stopped,
        restarting=restarting,
        stopped=stopped,
        restarts=intensity.total,
        restarts_left=intensity.left(now),
        max_restarts=intensity.max_restarts,
        max_seconds=intensity.max_seconds,
    )


def ended_as_told(spec: ChildSpec, reason: Reason) -> bool:
    """Whether a child that was told to stop ended with a reason that needs no report."""
    if is_same(reason, KILLED if spec.shutdown == BRUTAL_KILL else SHUTDOWN):
        return True
    return spec.restart != "permanent" and is_orderly(reason)
