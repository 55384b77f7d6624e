"""Thespian as the carrier between nodes (`aybiza.actors.cluster.carrier`).

`NodeCarrier` stands on the loop's side: it leaves what is to be sent in the node's Outbox.
`Postman` stands on the actor's thread, the only one that may use Thespian. One transmission at a
time is under way to a node; what comes meanwhile goes with the next one, so that a busy node sends
fewer, longer frames. A transmission that fails takes with it what waits behind it: the
connection (`aybiza.actors.cluster.link`) notices that parcels are missing.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

import aybiza.actors.node.binding  # noqa: F401 - first: see there

# isort: split
from thespian.actors import ActorAddress
from thespian.system.transport import SendStatus, TransmitIntent
from thespian.system.transport.IPBase import TCPv4ActorAddress

from aybiza.actors.cluster.carrier import Unreachable
from aybiza.actors.cluster.membership import Address, Card, Letter
from aybiza.actors.node.messages import Hello, Mail

MAIL_MESSAGES = 200
MAIL_BYTES = 2 * 1024 * 1024
"""What one frame carries at most, but for a single longer message."""
MAX_WAITING = 5000
"""Messages that may wait for one node; the connection's window keeps them far below."""
FORGOTTEN_SECONDS = 10.0
MAX_ADDRESSES = 10_000
"""Addresses that are remembered."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Posted:
    """To the Postman: send `message` to the node at `address`."""

    address: Address
    message: Any


@dataclass(frozen=True)
class Told:
    """To the Postman: send `message` to this ActorAddress."""

    actor: Any
    message: Any


@dataclass(frozen=True)
class Greeting:
    """To the Postman: send this to the node's own keeper and to these admins."""

    hello: Hello
    machines: tuple[Address, ...]


class NodeCarrier:
    """See the module and `Carrier`. `put` takes a message for the actor's thread."""

    def __init__(self, card: Card, seeds: Sequence[Address], put: Callable[[Any], None]) -> None:
        self.card = card
        self.seeds = seeds
        self._put = put
        self._receive: Callable[[Any, Any], None] | None = None

    async def open(self) -> None:
        """The node's loop runs."""

    async def close(self) -> None:
        """The node's main has ended."""

    def attach(self, receive: Callable[[Any, Any], None]) -> None:
        """Have `receive` called on the loop with what comes in."""
        self._receive = receive

    def receive(self, message: Any, sender: Any) -> None:
        """From the actor, on the loop."""
        if self._receive is not None:
            self._receive(message, sender)

    def post(self, address: Address, message: Any) -> None:
        """Send a message to a node."""
        self._put(Posted(address, message))

    def hello(self, machines: Sequence[Address]) -> None:
        """Ask the keepers."""
        self._put(Greeting(Hello(self.card), tuple(machines)))

    def tell(self, actor: Any, message: Any) -> None:
        """Send a message to any Thespian actor."""
        self._put(Told(actor, message))

    def is_actor(self, dest: Any) -> bool:
        """Whether this is a Thespian address."""
        return isinstance(dest, ActorAddress)


class Postman:
    """See the module. `transmit` gives Thespian an intent, `report` takes what went wrong."""

    def __init__(
        self, transmit: Callable[[Any], None], report: Callable[[Unreachable], None]
    ) -> None:
        self._transmit = transmit
        self._report = report
        self._waiting: dict[Address, deque[Any]] = {}
        self._under_way: dict[Address, float] = {}
        self._addresses: dict[Address, Any] = {}

    def post(self, posted: Posted) -> None:
        """Send a message, or keep it for the next transmission."""
        waiting = self._waiting.setdefault(posted.address, deque())
        if len(waiting) >= MAX_WAITING:
            log.error("mail_dropped", address=posted.address, waiting=len(waiting))
            waiting.clear()
        waiting.append(posted.message)
        since = self._under_way.get(posted.address)
        # Thespian forgets a transmission whose code fails; nothing else takes it so long.
        if since is None or time.monotonic() - since > FORGOTTEN_SECONDS:
            self._send(posted.address)

    def actor_address(self, address: Address) -> Any:
        """The Thespian address of what listens there."""
        found = self._addresses.get(address)
        if found is None:
            if len(self._addresses) >= MAX_ADDRESSES:
                self._addresses.clear()
            details = TCPv4ActorAddress(*address, external=True)
            found = self._addresses[address] = ActorAddress(details)
        return found

    def _send(self, address: Address) -> None:
        waiting = self._waiting[address]
        messages: list[Any] = []
        size = 0
        while waiting and len(messages) < MAIL_MESSAGES and size < MAIL_BYTES:
            messages.append(waiting.popleft())
            size += _bytes(messages[-1])
        if not messages:
            del self._waiting[address]
            return
        self._under_way[address] = time.monotonic()
        mail = Mail(tuple(messages))

        def done(_result: Any, _intent: Any) -> None:
            self._under_way.pop(address, None)
            self._send(address)

        def failed(result: Any, _intent: Any) -> None:
            self._under_way.pop(address, None)
            self._waiting.pop(address, None)
            if result == SendStatus.DeadTarget:
                self._report(Unreachable(address))

        self._transmit(TransmitIntent(self.actor_address(address), mail, done, failed))


def _bytes(message: Any) -> int:
    return sum(map(len, message.parcel.items)) if isinstance(message, Letter) else 0
