"""The actor system of one machine, from the side of the command that starts and watches it.

    this process ── admin ─┬─ logger
                           └─ NodeKeeper ─┬─ NodeActor (a VM)
                          └─ …

Contract: `start` brings up a Thespian multiprocTCPBase system of our own, `next_event` says what
happened to it, and `close` leaves none of its processes behind. Every process is killed by the
kernel when its parent ends, so that the end of any of them, this one included, ends everything
below it. Only the main thread may use a NodeSystem. Errors: NodeStartError, with a message for
people.
"""

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import structlog

from aybiza.actors.node.binding import (
    LOOPBACK,
    bind_listeners,
    keeping_address,
)  # first: it sets what Thespian reads on import

# isort: split
from thespian.actors import ActorSystem, ActorSystemException
from thespian.system import multiprocCommon, systemBase
from thespian.system.logdirector import startupASLogger
from thespian.system.multiprocTCPBase import ActorSystemBase
from thespian.system.transport import TransmitIntent

from aybiza.actors.node.guard import guard_frames
from aybiza.actors.node.lean import use_lean_transport
from aybiza.actors.node.messages import (
    CarrierName,
    ForwardedHello,
    KeepNodes,
    Limits,
    NodeDown,
    NodeDraining,
    NodeGivenUp,
    NodeLeft,
    NodePlan,
    NodeStopped,
    NodeUp,
    OwnCertificate,
    StopNode,
)
from aybiza.actors.node.node_keeper import CAPABILITY, GLOBAL_NAME, NodeKeeper
from aybiza.actors.node.process import (
    adopt_orphans,
    children_by_parent,
    die_with_parent,
    end_descendants,
    has_ended,
    reap,
)

log = structlog.get_logger(__name__)

SHUTDOWN_LIMIT = timedelta(seconds=0.7)
"""What Thespian's own shutdown gets once the node has ended; after it the rest is killed."""
TELL_LIMIT = timedelta(seconds=0.5)
"""What a message to the keeper may take to be accepted."""


@dataclass(frozen=True)
class SystemBroken:
    """Processes without which the node cannot be kept have ended; `what` says which."""

    what: str


_TOLD = NodeUp | NodeDown | NodeDraining | NodeGivenUp | NodeLeft | NodeStopped
Event = NodeUp | NodeDown | NodeDraining | NodeGivenUp | NodeLeft | NodeStopped | SystemBroken


class NodeStartError(Exception):
    """The actor system did not start; the message says why and what to do."""


class _Admin(multiprocCommon.MultiProcAdmin):  # type: ignore[misc]
    def __init__(self, *arguments: Any) -> None:
        die_with_parent()
        super().__init__(*arguments)

    def h_Hello(self, envelope: Any) -> bool:
        """Thespian's admin hands each of its messages to a method of its name."""
        keeper = self._globalNames.get(GLOBAL_NAME)
        if keeper is not None:
            hello = ForwardedHello(envelope.message.card, envelope.sender)
            self._send_intent(TransmitIntent(keeper, hello))
        return True


def _run_logger(*arguments: Any) -> None:
    die_with_parent()
    startupASLogger(*arguments)


class _OwnSystem(ActorSystemBase):  # type: ignore[misc]
    """An actor system that this process has started, rather than joined."""

    started = False

    def _startAdmin(self, *arguments: Any) -> None:
        super()._startAdmin(*arguments)
        self.started = True


class NodeSystem:
    """The nodes of one machine and the processes that keep them."""

    def __init__(
        self,
        *,
        main: str,
        port: int,
        cookie: bytes,
        address: str = LOOPBACK,
        limits: Limits | None = None,
        nodes: Sequence[NodePlan] = (NodePlan("node"),),
        seeds: Sequence[tuple[str, int]] = (),
        carrier: CarrierName = "stream",
        own: OwnCertificate | None = None,
        shared: Mapping[str, tuple[str, int]] = {},
    ) -> None:
        """`main` ("module:function") runs in each of `nodes`, which other machines reach at
        `address`:`port`. `seeds` are the machines to join: host and port of theirs. With the
        `stream` carrier Thespian listens on loopback only; its nodes show each other `own`, or a
        certificate made from the cookie. All nodes listen at `shared`: host and port by a name."""
        self._nodes = tuple(nodes)
        self._seeds = tuple(seeds)
        self._main = main
        self._port = port
        self._cookie = cookie
        self._machine = f"{address}:{port}"
        self._carrier: CarrierName = carrier
        self._own = own
        self._shared = shared
        self._address = keeping_address(address) if carrier == "stream" else address
        self._limits = limits or Limits()
        self._others = set(children_by_parent().get(os.getpid(), []))
        self._base: Any = None
        self._system: Any = None
        self._keeper: Any = None
        self._watched: dict[int, tuple[str, int]] = {}

    def start(self) -> None:
        """Start the actor system and have the keeper start the node.

        NodeUp or NodeGivenUp follows as an event. Raises NodeStartError.
        """
        self._check_port()
        adopt_orphans()
        bind_listeners(self._address)
        guard_frames(self._cookie)
        use_lean_transport()
        multiprocCommon.MultiProcAdmin = _Admin
        multiprocCommon.startupASLogger = _run_logger
        systemBase.MAX_TELL_PERIOD = TELL_LIMIT
        capabilities = {"Admin Port": self._port, CAPABILITY: True}
        try:
            self._base = _OwnSystem(SimpleNamespace(capabilities=capabilities))
            if not self._base.started:
                raise NodeStartError(self._in_use(self._address))
            self._system = ActorSystem(self._base, transientUnique=True)
            admin = self._watch("admin", os.getpid())
            self._watch("logger", admin)
            self._keeper = self._system.createActor(NodeKeeper, globalName=GLOBAL_NAME)
            keeper = self._watch("NodeKeeper", admin)
            order = KeepNodes(
                self._main,
                self._limits,
                self._nodes,
                self._machine,
                self._seeds,
                self._carrier,
                self._own,
                self._shared,
            )
            self._system.tell(self._keeper, order)
        except ActorSystemException as error:
            raise NodeStartError(
                f"the actor system on {self._address}:{self._port} did not start: {error}"
            ) from error
        log.info("actor_system_started", port=self._port, admin=admin, keeper=keeper)

    def next_event(self, timeout: float) -> Event | None:
        """What happened next, or None if nothing did within `timeout` seconds."""
        message = self._system.listen(timedelta(seconds=timeout))
        if isinstance(message, NodeDown):
            self._end_orphans()
        if isinstance(message, _TOLD):
            return message
        ended = [
            f"the {what} process (pid {pid})"
            for pid, (what, pidfd) in self._watched.items()
            if has_ended(pidfd)
        ]
        return SystemBroken(f"{', '.join(ended)} ended unexpectedly") if ended else None

    def stop(self) -> bool:
        """Ask for an orderly end of the node; NodeStopped follows.

        False if the keeper does not listen.
        """
        try:
            self._system.tell(self._keeper, StopNode())
        except ActorSystemException as error:
            log.error("keeper_does_not_listen", error=str(error))
            return False
        return True

    def close(self, *, in_order: bool) -> None:
        """Take the actor system down and kill what is left of it.

        If `in_order`, Thespian's own shutdown comes first.
        """
        if self._system is not None and in_order:
            systemBase.MAX_SYSTEM_SHUTDOWN_DELAY = SHUTDOWN_LIMIT
            self._system.shutdown()
        left = end_descendants(keep=self._others)
        for _what, pidfd in self._watched.values():
            os.close(pidfd)
        self._watched.clear()
        if left:
            log.error("processes_left", pids=left)

    def _check_port(self) -> None:
        nodes = self._machine.rpartition(":")[0]
        for address in dict.fromkeys((nodes, self._address)):
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, self._port))
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        raise NodeStartError(self._in_use(address)) from error
                    raise NodeStartError(
                        f"the nodes cannot listen on {address}:{self._port}: {error.strerror}"
                    ) from error

    def _in_use(self, address: str) -> str:
        return (
            f"port {self._port} on {address} is in use: another node runs there, or another"
            " program; stop it or choose another cluster port (AYBIZA_CLUSTER_PORT)"
        )

    def _watch(self, what: str, parent: int) -> int:
        """Watch the one child of `parent` that is not known yet; its pid."""
        known = self._others.union(self._watched)
        for pid in children_by_parent().get(parent, []):
            if pid in known:
                continue
            pidfd = os.pidfd_open(pid)
            if has_ended(pidfd):  # the process through which Thespian starts its admin
                os.close(pidfd)
                reap(pid)
                continue
            self._watched[pid] = (what, pidfd)
            return pid
        raise NodeStartError(f"the {what} process of the actor system ended while it started")

    def _end_orphans(self) -> None:
        """End what an ended node has left behind: its children, which have come to this process."""
        left = end_descendants(keep=self._others.union(self._watched))
        if left:
            log.error("processes_left", pids=left)
