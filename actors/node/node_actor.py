"""NodeActor: the process that carries a VM.

One asyncio loop in a thread of its own (`loop_thread`); the actor's thread does nothing but
Thespian. Messages: CarryNode starts the loop, StopNode ends it in order, ForwardedRequest is
answered to its client, ReleaseNode ends the process. Mail comes from other nodes, ToProcess from
any Thespian program: both go to the loop. SIGTERM to the process is an orderly end too, after which
the keeper starts the node anew.
"""

import json
import os
from datetime import timedelta
from typing import Any

import structlog
from thespian.actors import ActorExitRequest, WakeupMessage, WatchMessage

from aybiza.actors.cluster.carrier import Gone, ToProcess, Unreachable, Welcome
from aybiza.actors.cluster.membership import Card
from aybiza.actors.node.actor_process import ActorProcess, leave
from aybiza.actors.node.carrier import Greeting, NodeCarrier, Posted, Postman, Told
from aybiza.actors.node.channel import Secrets
from aybiza.actors.node.context import load_node_main
from aybiza.actors.node.guard import guarding_cookie
from aybiza.actors.node.loop_thread import LoopThread, Outbox, describe_error
from aybiza.actors.node.messages import (
    CarryNode,
    ControlReply,
    ForwardedRequest,
    Mail,
    NodeEnded,
    ReleaseNode,
    StopNode,
)
from aybiza.actors.node.stream_carrier import StreamCarrier, listening

log = structlog.get_logger(__name__)

RELEASE_LIMIT = 1.0
"""Seconds that an ended node waits for its keeper's ReleaseNode."""
EXIT_LIMIT = 3.0
"""Seconds for an orderly end when the process or its actor system is told to end."""


class NodeActor(ActorProcess):
    """Carries one node main. Its parent is the NodeKeeper."""

    def __init__(self) -> None:
        super().__init__()
        self._outbox = Outbox()
        self._keeper: Any = None
        self._thread: LoopThread | None = None
        self._exitcode = os.EX_OK
        self._postman = Postman(self._transmit, self._undelivered)

    def watched(self) -> list[int]:
        return [self._outbox.fileno()]

    def handle(self, message: Any, sender: Any) -> None:
        match message:
            case CarryNode():
                self._carry(message, sender)
            case WatchMessage():
                for outgoing in self._outbox.take():
                    self._forward(outgoing)
            case Mail() if self._thread is not None:
                for each in message.messages:
                    self._thread.receive(each, sender)
            case Welcome() | Gone() | ToProcess() if self._thread is not None:
                self._thread.receive(message, sender)
            case ForwardedRequest() if self._thread is not None:
                self._thread.handle(message)
            case StopNode():
                self._stop()
            case ReleaseNode() | WakeupMessage():
                leave(self._exitcode)
            case ActorExitRequest():
                leave(self._end_now())

    def _carry(self, order: CarryNode, keeper: Any) -> None:
        self._keeper = keeper
        os.environ.update(order.plan.environment)
        try:
            main = load_node_main(order.main)
        except Exception as error:
            log.exception("node_main_not_found", main=order.main)
            self._forward(NodeEnded(order.incarnation, describe_error(error), order.plan.name))
            return
        try:
            carrier = self._carrier(order)
        except OSError as error:
            log.exception("node_does_not_listen", machine=order.machine)
            self._forward(NodeEnded(order.incarnation, describe_error(error), order.plan.name))
            return
        self._thread = LoopThread(
            main, order.incarnation, self._outbox, order.plan.name, carrier, order.shared
        )
        self._thread.start()

    def _carrier(self, order: CarryNode) -> NodeCarrier:
        if order.carrier == "thespian":
            address = self.myAddress.addressDetails.sockname[:2]
            card = Card(order.plan.name, order.started, order.machine, address)
            return NodeCarrier(card, order.seeds, self._outbox.put)
        doors = listening(order.machine)
        card = Card(order.plan.name, order.started, order.machine, doors[0].getsockname())
        secrets = Secrets(guarding_cookie(), order.own)
        return StreamCarrier(card, order.seeds, self._outbox.put, secrets, doors)

    def _stop(self) -> None:
        if self._thread is not None:
            self._thread.stop()

    def _end_now(self) -> int:
        if self._thread is None:
            return os.EX_OK
        self._thread.stop(at_once=True)
        self._thread.join(EXIT_LIMIT)
        ended = [message for message in self._outbox.take() if isinstance(message, NodeEnded)]
        return os.EX_OK if ended and ended[0].reason is None else os.EX_SOFTWARE

    def _transmit(self, intent: Any) -> None:
        # Actor.send gives no word of what became of a message.
        self._myRef._send_intent(intent)

    def _undelivered(self, report: Unreachable) -> None:
        if self._thread is not None:
            self._thread.receive(report, None)

    def _forward(self, outgoing: Any) -> None:
        match outgoing:
            case Posted():
                self._postman.post(outgoing)
            case Told(actor, message):
                self.send(actor, message)
            case Greeting(hello, machines):
                self.send(self._keeper, hello)
                for address in machines:
                    self.send(self._postman.actor_address(address), hello)
            case (client, ControlReply() as reply):
                self.send(client, reply)
            case (client, answer):
                self.send(client, encode_reply(answer))
            case NodeEnded():
                self._exitcode = os.EX_OK if outgoing.reason is None else os.EX_SOFTWARE
                self.send(self._keeper, outgoing)
                self.wakeupAfter(timedelta(seconds=RELEASE_LIMIT))
            case _:
                self.send(self._keeper, outgoing)


def encode_reply(answer: Any) -> ControlReply:
    """A handler's answer as the client gets it; one that is not JSON data becomes an error."""
    try:
        return ControlReply(reply=json.dumps(answer))
    except (TypeError, ValueError) as error:
        log.exception("control_reply_not_json")
        return ControlReply(error=f"the node's answer is not JSON data: {error}")
