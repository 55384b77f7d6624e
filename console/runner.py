"""One run of `aybiza run`: the node and its emulators, from the start to the exit code.

Contract: `Runner.execute` blocks the main thread until it is over, and leaves no process behind. It
takes the process's signal handlers for itself.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from aybiza.actors.node.messages import (
    CarrierName,
    Limits,
    NodeDown,
    NodeDraining,
    NodeGivenUp,
    NodeLeft,
    NodePlan,
    NodeStopped,
    NodeUp,
    OwnCertificate,
)
from aybiza.actors.node.process import end_descendants
from aybiza.actors.node.system import Event, NodeStartError, NodeSystem, SystemBroken
from aybiza.actors.runtime.collector import freeze
from aybiza.config.ports import SHARED
from aybiza.console import USAGE_ERROR
from aybiza.console.emulated import Emulators, EmulatorsError, Engine, enter

FAILED = 1
"""The exit code of a run that did not end as it was asked to."""
POLL = 0.2
"""Seconds between two looks at signals and processes."""
REPORT_MARGIN = 0.7
"""Seconds after a node's stop limit in which the keeper has to report."""
IMPORT_LIMIT = 30.0
"""Seconds for the keeper to import the application, before the node's own start limit begins."""

log = structlog.get_logger(__name__)


class Runner:
    """One run of the command."""

    def __init__(
        self,
        *,
        engine: Engine | None,
        main: str,
        port: int,
        address: str,
        cookie: bytes,
        limits: Limits,
        as_json: bool,
        agent: str = "clinic",
        routes: Path | None = None,
        nodes: Sequence[NodePlan] = (NodePlan("node"),),
        seeds: Sequence[tuple[str, int]] = (),
        carrier: CarrierName = "stream",
        own: OwnCertificate | None = None,
        shared: Mapping[str, tuple[str, int]] = {},
    ) -> None:
        """`engine`: that of the emulators, None for none; `agent`, `routes`: for whom they
        answer; the others as in NodeSystem."""
        self._engine = engine
        self._agent = agent
        self._routes = routes
        self._main = main
        self._port = port
        self._address = address
        self._cookie = cookie
        self._nodes = nodes
        self._seeds = seeds
        self._carrier: CarrierName = carrier
        self._own = own
        self._shared = shared
        self._limits = limits
        self._up: dict[str, NodeUp] = {}
        self._as_json = as_json
        self._signals: list[int] = []
        self._ready = False
        self._failed = False
        self._misnamed = False

    def execute(self) -> int:
        """Run until the end; the exit code."""
        # The actor system's processes inherit these handlers, which are without effect there: a
        # signal to the whole process group or session leaves the end to this process.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda received, _frame: self._signals.append(received))
        # numpy's threads would have to be forked with the process that imports it.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        emulators = self._engine and Emulators(self._engine, self._agent, self._routes)
        system: NodeSystem | None = None
        last: Event | None = None
        try:
            if emulators is not None:
                urls = emulators.start(lambda: not self._signals)
                enter(urls, os.environ)
                log.info("emulators_started", **urls)
            system = NodeSystem(
                main=self._main,
                port=self._port,
                address=self._address,
                cookie=self._cookie,
                limits=self._limits,
                nodes=self._nodes,
                seeds=self._seeds,
                carrier=self._carrier,
                own=self._own,
                shared=self._shared,
            )
            # Its processes share this one's memory for as long as nobody writes to it.
            freeze()
            system.start()
            last = self._watch(system, emulators)
        except (EmulatorsError, NodeStartError) as error:
            _say(str(error))
        finally:
            if system is not None:
                system.close(in_order=isinstance(last, NodeStopped))
            if emulators is not None:
                emulators.stop()
            left = end_descendants()
        if left:
            _say(f"processes {left} could not be ended")
        never_started = system is None and bool(self._signals)
        in_order = isinstance(last, NodeStopped) and last.failure is None and not self._failed
        if self._misnamed and not left:
            return USAGE_ERROR
        return 0 if (in_order or never_started) and not left else FAILED

    def _watch(self, system: NodeSystem, emulators: Emulators | None) -> Event | None:
        """Report what happens and pass on the wish to stop, until it is over; the last event."""
        deadline = time.monotonic() + IMPORT_LIMIT + self._limits.start
        stopping = False
        while time.monotonic() < deadline:
            event = system.next_event(POLL)
            if event is not None:
                if self._report(event):
                    return event
                if self._ready and not stopping:
                    deadline = float("inf")
                if isinstance(event, NodeDraining):
                    limit = event.seconds + self._limits.stop + REPORT_MARGIN
                    deadline = max(deadline, time.monotonic() + limit)
            if self._signals.count(signal.SIGINT) > 1:
                _say("ended at once on a second Ctrl-C")
                return None
            if not stopping and self._must_stop(emulators):
                stopping = True
                deadline = time.monotonic() + self._limits.stop + REPORT_MARGIN
                if not system.stop():
                    _say("the NodeKeeper does not answer; its processes are killed")
                    return None
        what = "ended" if stopping else "become ready"
        _say(f"the NodeKeeper has not reported in time that the node has {what}")
        return None

    def _must_stop(self, emulators: Emulators | None) -> bool:
        if self._failed:
            return True
        if self._signals:
            log.info("stopping", signal=signal.Signals(self._signals[0]).name)
            return True
        if emulators is not None and emulators.ended():
            self._failed = True
            _say("the emulators have ended; the node cannot reach its providers and is stopped")
            return True
        return False

    def _ready_line(self) -> str:
        ups = [self._up[plan.name] for plan in self._nodes]
        if len(ups) == 1:
            return ready_line(ups[0], as_json=self._as_json)
        return nodes_line(ups, as_json=self._as_json)

    def _look_whether_ready(self) -> None:
        if not self._ready and all(plan.name in self._up for plan in self._nodes):
            self._ready = True
            _print_line(self._ready_line())

    def _report(self, event: Event) -> bool:
        """Tell people of an event; whether it is the last."""
        match event:
            case NodeUp():
                log.info(
                    "node_up",
                    name=event.node,
                    pid=event.pid,
                    incarnation=event.incarnation,
                    doors=dict(event.info),
                )
                self._up.setdefault(event.node, event)
                self._look_whether_ready()
                return False
            case NodeDown():
                log.error(
                    "node_down",
                    name=event.node,
                    pid=event.pid,
                    incarnation=event.incarnation,
                    reason=event.reason,
                    restart_in_s=event.restart_in,
                )
                return False
            case NodeDraining():
                log.info("node_draining", name=event.node, seconds=event.seconds)
                return False
            case NodeGivenUp():
                several = len(self._nodes) > 1 and event.node
                _say(f"{event.node}: {event.reason}" if several else event.reason)
                self._misnamed = event.misnamed
                if several and self._ready:
                    # The others have calls: they end in order.
                    self._failed = True
                    return False
            case NodeLeft():
                if event.failure is None:
                    log.info("node_left", name=event.node)
                else:
                    _say(f"{event.node} did not stop in order: {event.failure}")
                self._nodes = [plan for plan in self._nodes if plan.name != event.node]
                self._look_whether_ready()
                return False
            case SystemBroken():
                _say(f"{event.what}; the node cannot be kept without it")
            case NodeStopped(failure=None):
                log.info("node_stopped")
            case NodeStopped():
                _say(f"the node did not stop in order: {event.failure}")
        return True


def nodes_line(ups: Sequence[NodeUp], *, as_json: bool = False) -> str:
    """What is printed when several nodes take calls."""
    if as_json:
        return json.dumps({"nodes": [json.loads(ready_line(up, as_json=True)) for up in ups]})
    shared = [f"{name} {url}" for name, url in ups[0].info.items() if name.startswith(SHARED)]
    lines = [ready_line(up, without=SHARED).removeprefix("ready: ") for up in ups]
    parts = [", ".join(shared), *lines] if shared else lines
    return f"ready: {len(ups)} nodes; " + "; ".join(parts)


def ready_line(up: NodeUp, *, as_json: bool = False, without: str = "node") -> str:
    """What is printed when the node takes calls: its doors, then its name and process. Doors whose
    names begin with `without` are left out."""
    info: Mapping[str, Any] = up.info
    left_out = ("node", without)
    doors = {name: value for name, value in info.items() if not name.startswith(left_out)}
    node = info.get("node", "node")
    if as_json:
        return json.dumps({**doors, "node": node, "pid": up.pid})
    return "ready: " + ", ".join(
        [*(f"{name} {value}" for name, value in doors.items()), f"node {node} pid {up.pid}"]
    )


def _print_line(line: str) -> None:
    # Not through sys.stdout: a reader that has gone away must not spoil the exit code.
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"aybiza run: {text}\n".encode())
