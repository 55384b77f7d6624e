"""NodeKeeper: starts the node process, watches it by pidfd and heartbeat, and starts it anew.

`keeper_machine` decides, this actor does. It imports the node main's module before it forks, so
that a node that is started again has every import behind it. It has no threads, for it forks.
Thespian's ChildActorExited is not used: it can be lost, comes twice and gives no reason; a pidfd
does none of this.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from thespian.actors import ActorExitRequest, PoisonMessage, WakeupMessage, WatchMessage

from actors.node.actor_process import ActorProcess
from actors.node.context import load_node_main
from actors.node.keeper_machine import (
    TICK,
    AskToStop,
    Command,
    Fork,
    KeeperMachine,
    Kill,
    Phase,
    ReportDown,
    ReportGivenUp,
    ReportStopped,
    ReportUp,
)
from actors.node.loop_thread import describe_error
from actors.node.messages import (
    CarryNode,
    ControlReply,
    ControlRequest,
    ForwardedRequest,
    Heartbeat,
    KeepNode,
    NodeDown,
    NodeEnded,
    NodeGivenUp,
    NodeReady,
    NodeStopped,
    NodeUp,
    ReleaseNode,
    StopNode,
)
from actors.node.node_actor import NodeActor
from actors.node.process import describe_exit, has_ended

log = structlog.get_logger(__name__)

GLOBAL_NAME = "aybiza-node-keeper"
"""The keeper's name within its actor system; one keeper a system."""
CAPABILITY = "Aybiza Node"
"""The capability of an actor system that may have a keeper."""


class NodeKeeper(ActorProcess):
    """Keeps one node. Its parent is Thespian's admin."""

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
        self._machine: KeeperMachine | None = None
        self._main = ""
        self._node: Any = None
        self._child: Any = None
        self._pidfd: int | None = None
        self._ready: NodeReady | None = None

    def watched(self) -> list[int]:
        return [] if self._pidfd is None else [self._pidfd]

    def handle(self, message: Any, sender: Any) -> None:
        match message:
            case KeepNode():
                self._keep(message, sender)
            case ControlRequest():
                self._pass_on(message, sender)
            case StopNode() if self._machine is None:
                self.send(sender, NodeStopped(None))
            case PoisonMessage():
                log.error("message_refused", message=repr(message.message), details=message.details)
            case ActorExitRequest():
                self._machine = None  # Thespian takes the node down with its keeper
            case _ if self._machine is not None:
                self._carry_out(self._decide(self._machine, message, sender))

    def _keep(self, order: KeepNode, command: Any) -> None:
        self._command = command
        self._main = order.main
        try:
            load_node_main(order.main)
        except Exception as error:
            log.exception("node_main_not_found", main=order.main)
            self.send(command, NodeGivenUp(f"the node did not start: {describe_error(error)}"))
            return
        if len(os.listdir("/proc/self/task")) > 1:
            names = [thread.name for thread in threading.enumerate()]
            log.warning("node_import_starts_threads", main=order.main, threads=names)
        self._machine = KeeperMachine(order.limits)
        self._carry_out(self._machine.start(time.monotonic()))
        self.wakeupAfter(timedelta(seconds=TICK))

    def _pass_on(self, request: ControlRequest, client: Any) -> None:
        phase = Phase.IDLE if self._machine is None else self._machine.phase
        if phase is Phase.UP:
            self.send(self._node, ForwardedRequest(request, client))
        else:
            self.send(
                client, ControlReply(error=f"the node is {phase.value}; ask again when it is up")
            )

    def _decide(self, machine: KeeperMachine, message: Any, sender: Any) -> Sequence[Command]:
        now = time.monotonic()
        match message:
            case NodeReady():
                if message.incarnation == machine.incarnation:
                    self._ready = message
                return machine.ready(now, message.incarnation)
            case Heartbeat():
                return machine.heartbeat(message.incarnation)
            case NodeEnded():
                self.send(sender, ReleaseNode())
                return machine.ended(message.incarnation, message.reason)
            case StopNode():
                return machine.stop(now)
            case WatchMessage() if self._pidfd is not None and has_ended(self._pidfd):
                return self._bury(machine, now)
            case WakeupMessage():
                self.wakeupAfter(timedelta(seconds=TICK))
                return machine.tick(now)
        return []

    def _carry_out(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Fork():
                    self._fork(command.incarnation)
                case AskToStop():
                    self.send(self._node, StopNode())
                case Kill():
                    self._kill()
                case ReportUp():
                    info = {} if self._ready is None else self._ready.info
                    self.send(self._command, NodeUp(command.incarnation, self._child.pid, info))
                case ReportDown():
                    self.send(
                        self._command,
                        NodeDown(
                            command.incarnation,
                            self._child.pid,
                            command.reason,
                            command.restart_in,
                        ),
                    )
                case ReportGivenUp():
                    self.send(self._command, NodeGivenUp(command.reason))
                case ReportStopped():
                    self.send(self._command, NodeStopped(command.failure))

    def _fork(self, incarnation: int) -> None:
        before = [child.childProc for child in self._children()]
        self._node = self.createActor(NodeActor)
        # Thespian tells nobody the pid of a child, nor that it could not be started.
        started = [child.childProc for child in self._children() if child.childProc not in before]
        if not started:
            assert self._machine is not None
            status = "Thespian could not start its process"
            exited = self._machine.exited(time.monotonic(), incarnation, status, in_order=False)
            self._carry_out(exited)
            return
        self._child = started[0]
        self._pidfd = os.pidfd_open(self._child.pid)
        self.send(self._node, CarryNode(incarnation, self._main))

    def _children(self) -> list[Any]:
        return list(getattr(self._myRef, "_child_procs", []))

    def _kill(self) -> None:
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _bury(self, machine: KeeperMachine, now: float) -> Sequence[Command]:
        assert self._pidfd is not None
        os.close(self._pidfd)
        self._pidfd = None
        exitcode: int | None = self._child.exitcode
        status = describe_exit(exitcode)
        return machine.exited(now, machine.incarnation, status, in_order=exitcode == 0)
