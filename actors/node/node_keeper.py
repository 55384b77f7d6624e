"""NodeKeeper: starts the node processes of its machine, watches them, and starts them anew.

`keeper_machine` decides for each node, this actor does. It imports the node main's module before it
forks, so that a node that is started again has every import behind it. It has no threads, for it
forks. The sockets that its nodes share are its own, and theirs by inheritance, so no death of a
node loses who waits there. Thespian's ChildActorExited is not used: it can be lost, comes twice and
gives no reason; a pidfd does none of this. To the cluster it is the one who knows which nodes this
machine has, and which of them have just ended.
"""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from thespian.actors import ActorExitRequest, PoisonMessage, WakeupMessage, WatchMessage

from aybiza.actors.cluster.carrier import Gone, Welcome
from aybiza.actors.cluster.membership import Card
from aybiza.actors.node.actor_process import ActorProcess
from aybiza.actors.node.context import NodeMainError, load_node_main
from aybiza.actors.node.keeper_machine import (
    TICK,
    AskToStop,
    Command,
    Fork,
    KeeperMachine,
    Kill,
    Phase,
    ReportDown,
    ReportDraining,
    ReportGivenUp,
    ReportStopped,
    ReportUp,
)
from aybiza.actors.node.loop_thread import describe_error
from aybiza.actors.node.messages import (
    CarryNode,
    ControlReply,
    ControlRequest,
    FindNode,
    ForwardedHello,
    ForwardedRequest,
    Heartbeat,
    Hello,
    KeepNodes,
    ListNodes,
    NodeAddress,
    NodeDown,
    NodeDraining,
    NodeEnded,
    NodeGivenUp,
    NodeLeft,
    NodePlan,
    NodeReady,
    NodeStopped,
    NodeUp,
    ReleaseNode,
    StopNode,
)
from aybiza.actors.node.node_actor import NodeActor
from aybiza.actors.node.process import describe_exit, has_ended
from aybiza.actors.runtime.collector import freeze
from aybiza.config.ports import bound

log = structlog.get_logger(__name__)

GLOBAL_NAME = "aybiza-node-keeper"
"""The keeper's name within its actor system; one keeper a system."""
CAPABILITY = "Aybiza Node"
"""The capability of an actor system that may have a keeper."""


class Kept:
    """One of the nodes: its machine, and its present process."""

    def __init__(self, plan: NodePlan, machine: KeeperMachine) -> None:
        self.plan = plan
        self.machine = machine
        self.address: Any = None
        self.child: Any = None
        self.pidfd: int | None = None
        self.info: dict[str, str] = {}
        self.card: Card | None = None
        self.started = 0
        self.stopped = False
        self.failure: str | None = None
        # Told to end while the others go on.
        self.leaves = False

    def described(self) -> dict[str, Any]:
        """The node for people, as JSON data."""
        return {
            "node": self.plan.name,
            "phase": self.machine.phase.value,
            "pid": self.child.pid if self.pidfd is not None else None,
            "start": self.machine.incarnation,
            "doors": self.info if self.machine.phase is Phase.UP else {},
            **({} if self.failure is None else {"failure": self.failure}),
        }


class NodeKeeper(ActorProcess):
    """Keeps the nodes of one machine. Its parent is Thespian's admin."""

    @staticmethod
    def actorSystemCapabilityCheck(capabilities: dict[str, Any], _requirements: Any) -> bool:
        """Thespian asks this before it creates a keeper: never in a system of somebody else's."""
        return bool(capabilities.get(CAPABILITY))

    def __init__(self) -> None:
        super().__init__()
        # The command decides when all ends; it gets the same signal and tells the keeper by
        # message.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._command: Any = None
        self._order: KeepNodes | None = None
        self._kept: dict[str, Kept] = {}
        self._failures: list[str] = []
        self._shared: dict[str, socket.socket] = {}

    def watched(self) -> list[int]:
        return [kept.pidfd for kept in self._kept.values() if kept.pidfd is not None]

    def handle(self, message: Any, sender: Any) -> None:
        match message:
            case KeepNodes():
                self._keep(message, sender)
            case ControlRequest():
                self._pass_on(message, sender)
            case ListNodes():
                nodes = [kept.described() for kept in self._kept.values()]
                self.send(sender, ControlReply(json.dumps({"nodes": nodes})))
            case FindNode(name):
                kept = self._node(name)
                up = kept is not None and kept.machine.phase is Phase.UP
                self.send(sender, NodeAddress(kept.address if kept and up else None))
            case Hello(card=card):
                self._greet(card, sender)
            case ForwardedHello(card, node):
                self._greet(card, node)
            case StopNode() if not self._kept:
                self.send(sender, NodeStopped(None))
            case PoisonMessage():
                log.error("message_refused", message=repr(message.message), details=message.details)
            case ActorExitRequest():
                self._kept.clear()  # Thespian takes the nodes down with their keeper
            case StopNode(node=str(name)):
                self._stop_one(name, sender)
            case StopNode():
                for kept in list(self._kept.values()):
                    self._carry_out(kept, kept.machine.stop(time.monotonic()))
            case WatchMessage():
                for kept in list(self._kept.values()):
                    if kept.pidfd is not None and has_ended(kept.pidfd):
                        self._carry_out(kept, self._bury(kept))
            case WakeupMessage() if self._kept:
                self.wakeupAfter(timedelta(seconds=TICK))
                for kept in list(self._kept.values()):
                    self._carry_out(kept, kept.machine.tick(time.monotonic()))
            case NodeReady() | Heartbeat() | NodeDraining() | NodeEnded() if (
                message.node in self._kept
            ):
                kept = self._kept[message.node]
                self._carry_out(kept, self._decide(kept, message, sender))

    def _keep(self, order: KeepNodes, command: Any) -> None:
        self._command = command
        self._order = order
        try:
            load_node_main(order.main)
        except NodeMainError as error:
            self.send(command, NodeGivenUp(f"the node did not start: {error}", misnamed=True))
            return
        except Exception as error:
            log.exception("node_main_not_found", main=order.main)
            self.send(command, NodeGivenUp(f"the node did not start: {describe_error(error)}"))
            return
        try:
            self._shared = {
                name: bound(*door, f"AYBIZA_{name.upper()}_PORT")
                for name, door in order.shared.items()
            }
        except OSError as error:
            self.send(command, NodeGivenUp(f"the nodes did not start: {error}"))
            return
        # No collection in a node writes to what it shares with this process.
        freeze()
        if len(os.listdir("/proc/self/task")) > 1:
            names = [thread.name for thread in threading.enumerate()]
            log.warning("node_import_starts_threads", main=order.main, threads=names)
        for plan in order.nodes:
            self._kept[plan.name] = Kept(plan, KeeperMachine(order.limits, renews=plan.renews))
        for kept in list(self._kept.values()):
            self._carry_out(kept, kept.machine.start(time.monotonic()))
        self.wakeupAfter(timedelta(seconds=TICK))

    def _stop_one(self, name: str, client: Any) -> None:
        kept = self._kept.get(name)
        if kept is None:
            self.send(client, ControlReply(error=self._not_kept(name), unknown=True))
            return
        others = [
            other.plan.name
            for other in self._kept.values()
            if other is not kept and other.machine.phase is not Phase.OVER
        ]
        self.send(client, ControlReply(json.dumps({"others": others})))
        if not kept.stopped:
            kept.leaves = True
            self._carry_out(kept, kept.machine.stop(time.monotonic()))

    def _not_kept(self, name: str) -> str:
        return f"no node {name} is kept here, but {', '.join(self._kept) or 'none'}"

    def _node(self, name: str | None) -> Kept | None:
        if name is not None:
            return self._kept.get(name)
        up = [kept for kept in self._kept.values() if kept.machine.phase is Phase.UP]
        return next(iter(up or self._kept.values()), None)

    def _pass_on(self, request: ControlRequest, client: Any) -> None:
        kept = self._node(request.node)
        if kept is not None and kept.machine.phase is Phase.UP:
            self.send(kept.address, ForwardedRequest(request, client))
            return
        if kept is None and request.node is not None:
            self.send(client, ControlReply(error=self._not_kept(request.node), unknown=True))
            return
        phase = Phase.IDLE if kept is None else kept.machine.phase
        error = f"the node is {phase.value}; ask again when it is up"
        self.send(client, ControlReply(error=error))

    def _greet(self, card: Card, node: Any) -> None:
        # Nodes of other machines may ask before this one has any; they ask again.
        if self._order is None:
            return
        kept = self._kept.get(card.name)
        own = kept is not None and card.machine == self._order.machine
        if kept is not None and own and card.incarnation == kept.started:
            kept.card = card
        cards = tuple(kept.card for kept in self._kept.values() if kept.card is not None)
        self.send(node, Welcome(self._order.machine, cards))

    def _decide(self, kept: Kept, message: Any, sender: Any) -> Sequence[Command]:
        now = time.monotonic()
        match message:
            case NodeReady():
                if message.incarnation == kept.machine.incarnation:
                    kept.info = dict(message.info)
                return kept.machine.ready(now, message.incarnation)
            case Heartbeat():
                return kept.machine.heartbeat(message.incarnation)
            case NodeDraining():
                return kept.machine.draining(now, message.incarnation, message.seconds)
            case NodeEnded():
                self.send(sender, ReleaseNode())
                return kept.machine.ended(message.incarnation, message.reason)
        return []

    def _carry_out(self, kept: Kept, commands: Sequence[Command]) -> None:
        name = kept.plan.name
        for command in commands:
            match command:
                case Fork():
                    self._fork(kept, command.incarnation)
                case AskToStop():
                    self.send(kept.address, StopNode())
                case Kill():
                    self._kill(kept)
                case ReportUp():
                    up = NodeUp(command.incarnation, kept.child.pid, kept.info, name)
                    self.send(self._command, up)
                case ReportDown():
                    down = NodeDown(
                        command.incarnation,
                        kept.child.pid,
                        command.reason,
                        command.restart_in,
                        name,
                    )
                    self.send(self._command, down)
                case ReportDraining():
                    draining = NodeDraining(command.incarnation, command.seconds, name)
                    self.send(self._command, draining)
                case ReportGivenUp():
                    self.send(self._command, NodeGivenUp(command.reason, name))
                case ReportStopped():
                    self._stopped(kept, command.failure)

    def _stopped(self, kept: Kept, failure: str | None) -> None:
        kept.stopped = True
        kept.failure = failure
        if kept.leaves and not all(each.stopped for each in self._kept.values()):
            self.send(self._command, NodeLeft(kept.plan.name, failure))
            return
        if failure is not None:
            several = len(self._kept) > 1
            self._failures.append(f"{kept.plan.name}: {failure}" if several else failure)
        if all(each.stopped for each in self._kept.values()):
            self.send(self._command, NodeStopped("; ".join(self._failures) or None))

    def _fork(self, kept: Kept, incarnation: int) -> None:
        assert self._order is not None
        before = [child.childProc for child in self._children()]
        kept.address = self.createActor(NodeActor)
        # Thespian tells nobody the pid of a child, nor that it could not be started.
        started = [child.childProc for child in self._children() if child.childProc not in before]
        if not started:
            status = "Thespian could not start its process"
            exited = kept.machine.exited(time.monotonic(), incarnation, status, in_order=False)
            self._carry_out(kept, exited)
            return
        kept.child = started[0]
        kept.pidfd = os.pidfd_open(kept.child.pid)
        # The clock may have been put back since the last start.
        kept.started = max(kept.started + 1, time.time_ns() // 1_000_000)
        order = self._order
        carry = CarryNode(
            incarnation,
            order.main,
            kept.plan,
            kept.started,
            order.machine,
            order.seeds,
            order.carrier,
            order.own,
            {name: listening.fileno() for name, listening in self._shared.items()},
        )
        self.send(kept.address, carry)

    def _children(self) -> list[Any]:
        return list(getattr(self._myRef, "_child_procs", []))

    def _kill(self, kept: Kept) -> None:
        if kept.pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(kept.pidfd, signal.SIGKILL)

    def _bury(self, kept: Kept) -> Sequence[Command]:
        assert kept.pidfd is not None
        os.close(kept.pidfd)
        kept.pidfd = None
        gone, kept.card = kept.card, None
        for other in self._kept.values():
            if gone is not None and other.card is not None:
                self.send(other.address, Gone(gone))
        machine = kept.machine
        exitcode: int | None = kept.child.exitcode
        status = describe_exit(exitcode)
        return machine.exited(time.monotonic(), machine.incarnation, status, in_order=exitcode == 0)
