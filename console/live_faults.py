"""`aybiza faults run --live`: a plan on nodes that run, from the operator's side.

    outcome = run(path, where, seconds=60.0, cluster=False, tell=print)

All nodes are asked first whether they can do what the plan says; nothing is done if one refuses.
Then the plan begins on each, and each is asked for its report until it has ended. Who does not ask
any more is taken for dead by the node, which then ends the plan by itself.

Errors: `WrongPlan` and `Refused` with a text for people; `NodeError` of the way to the nodes.
"""

from __future__ import annotations

import contextlib
import getpass
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aybiza.actors.node.client import NodeError, NodeRefused, ask_node, list_nodes
from aybiza.config.text_file import text_of

POLL_SECONDS: Final = 1.0
ASK_SECONDS: Final = 15.0
LOOK_SECONDS: Final = 3.0
LOST_SECONDS: Final = 12.0
"""How long a node may not answer: one that is frozen or restarted comes back in this time."""

Report = dict[str, Any]


class Refused(Exception):
    """A node does not do what it is asked; the text says which and why."""


class WrongPlan(Exception):
    """The plan cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Where:
    """The way to the nodes: the port of this machine's actor system, and which of its nodes."""

    port: int
    cookie: bytes
    address: str
    node: str | None = None

    def ask(self, request: Mapping[str, Any], node: str | None, timeout: float) -> Any:
        """The answer of a node of this machine."""
        way: dict[str, Any] = {"cookie": self.cookie, "address": self.address, "node": node}
        return ask_node(self.port, request, timeout, **way)

    def kept(self) -> dict[str, tuple[int, int | None]]:
        """The nodes of this machine, each with the number of its start and its process."""
        found = list_nodes(self.port, cookie=self.cookie, address=self.address)
        return {each["node"]: (each["start"], each["pid"]) for each in found}


@dataclass
class Target:
    """A node on which the plan runs; `here` if it is one of this machine's."""

    node: str
    where: Where
    here: bool
    started: tuple[int, int | None] | None = None
    report: Report = field(default_factory=dict)
    lost: float | None = None
    told: int = 0

    def ask(self, do: str, *, timeout: float = ASK_SECONDS, **more: Any) -> Report:
        """The answer to a request about faults; raises `NodeError`."""
        request = {"op": "faults", "do": do, "node": self.node, **more}
        own = self.node if self.here else self.where.node
        answer: Report = self.where.ask(request, own, timeout)
        return answer

    def look(self, now: float) -> None:
        """Ask how far the plan is; a node that does not answer for long has lost it."""
        try:
            self.report, self.lost = self.ask("report", timeout=LOOK_SECONDS), None
        except NodeError as error:
            self.lost = now if self.lost is None else self.lost
            if why := self._ended(error, now):
                meant = "node.kill" in self.report.get("faults", ())
                self.report |= {"running": False, "ended": why, "lost": not meant}

    def _ended(self, error: NodeError, now: float) -> str:
        state = self.where.kept().get(self.node) if self.here else None
        if self.started is not None and state is not None and state[0] != self.started[0]:
            return f"the node has ended; it was started again (start {state[0]}, pid {state[1]})"
        if isinstance(error, NodeRefused) and "no plan runs" in str(error):
            return "the process that carried it out has ended"
        assert self.lost is not None
        return "the node does not answer any more" if now - self.lost > LOST_SECONDS else ""


def run(
    path: Path,
    where: Where,
    *,
    seconds: float,
    cluster: bool,
    tell: Callable[[str], None],
) -> dict[str, Report]:
    """Have the plan run; the last report of each node. Ctrl-C ends it."""
    text = text_of(path, WrongPlan)
    targets = _targets(where, cluster)
    answers = _each(targets, "check", lambda _: {"plan": text, "name": str(path)})
    if not any(answer["faults"] for answer in answers):
        names = ", ".join(target.node for target in targets)
        raise Refused(f"no fault of the plan is for a node that it would run on: {names}")
    first = {machine: target.node for machine, target in reversed(list(_machines(targets)))}
    common = {"plan": text, "name": str(path), "who": _who(), "seconds": seconds}
    try:
        with _interrupted() as interrupted:
            begun = _each(
                targets, "begin", lambda one: {**common, "providers": one.node in first.values()}
            )
            for target, report in zip(targets, begun, strict=True):
                target.report = report
            _watch(targets, tell, interrupted)
            if interrupted.is_set():
                _stop(targets)
    except BaseException:
        _stop(targets)
        raise
    return {target.node: target.report for target in targets}


@contextlib.contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """Whether Ctrl-C has come. An exception in the midst of asking a node could be lost there; the
    second one is raised as ever."""
    came = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def note(*_: object) -> None:
        came.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, before)


def stop(where: Where, *, cluster: bool) -> dict[str, Report]:
    """End what runs; the last report of each node that had a plan."""
    targets = _targets(where, cluster)
    stopped = _stop(targets)
    if not stopped:
        raise Refused("no plan runs")
    return {target.node: target.report for target in stopped}


def lines(node: str, report: Report) -> list[str]:
    """What came of a plan on a node, for people."""
    events = [(e["at"], f"{e['whom']}, {e['phase']}: {e['fault']}") for e in report["strikes"]]
    events += [(each["at"], f"{each['who']} exit {each['what']}") for each in report["exits"]]
    events += [(each["at"], f"{each['who']} restarted") for each in report["restarts"]]
    events.sort(key=lambda event: event[0])
    told = [f"{node}: {report['title']}"]
    told += [f"  {at:7.2f} s  {what}" for at, what in events]
    if not report["strikes"]:
        told.append("  no fault of it has struck")
    told += [f"  NOT DONE  {each}" for each in report["undone"]]
    return [*told, f"  ended after {report['seconds']:g} s: {report['ended']}"]


def _targets(where: Where, cluster: bool) -> list[Target]:
    kept = where.kept()
    members: Sequence[Mapping[str, Any]] = where.ask({"op": "members"}, where.node, ASK_SECONDS)[
        "members"
    ]
    named = [one for one in members if one["state"] in (("here", "up") if cluster else ("here",))]
    found = []
    for member in named:
        node = member["node"]
        target = Target(node, where, node in kept, kept.get(node))
        target.report = {"title": "", "strikes": [], "exits": [], "restarts": [], "undone": []}
        target.report |= {"seconds": 0.0, "machine": member.get("machine", "")}
        found.append(target)
    return found


def _machines(targets: Sequence[Target]) -> Iterator[tuple[str, Target]]:
    for target in targets:
        yield target.report["machine"], target


def _each(
    targets: Sequence[Target], do: str, request: Callable[[Target], Mapping[str, Any]]
) -> list[Report]:
    """The answers of all; raises if one refuses."""
    refused, answers = [], []
    for target in targets:
        try:
            answer = target.ask(do, **request(target))
            if wrong := answer.get("wrong"):
                raise WrongPlan(wrong)
            answers.append(answer)
        except NodeRefused as error:
            refused.append(f"{target.node}: {error}")
    if refused:
        raise Refused("\n".join(refused))
    return answers


def _watch(
    targets: Sequence[Target], tell: Callable[[str], None], interrupted: threading.Event
) -> None:
    while running := [target for target in targets if target.report.get("running")]:
        if interrupted.wait(POLL_SECONDS):
            return
        for target in running:
            target.look(time.monotonic())
            for strike in target.report["strikes"][target.told :]:
                tell(f"{target.node}: {strike['whom']}, {strike['phase']}: {strike['fault']}")
            target.told = len(target.report["strikes"])


def _stop(targets: Sequence[Target]) -> list[Target]:
    """Those that had a plan to end."""
    stopped = []
    for target in targets:
        with contextlib.suppress(NodeError):
            target.report = target.ask("stop")
            stopped.append(target)
    return stopped


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a process without a name, as in a container
        user = "?"
    return f"{user}@{socket.gethostname()}"
