"""`Distribution`: joins a VM to a cluster.

    async with VM("front", creation=card.incarnation) as vm, Distribution(vm, carrier) as cluster:
        await cluster.join()
        await vm.call(("counter", "back"), "increment")
        await cluster.register("leader", vm.self())

What `VM` does with pids works with those of other nodes, and with `(name, node)`; what is said
between two processes arrives in its order, or the node is down. `Via(CLUSTER, name)` stands for a
name that is unique in the cluster. Messages between nodes are pickled when they are sent: what
cannot be pickled raises there.

Errors: `NodeNameTaken` (`join`, `lost`), `ClusterFailed` (`lost`), `NameTaken` (`register`),
`RemoteBusy` when too much waits for a node; `CallExit(NOCONNECTION)` for calls to a node that is
down.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from typing import Any, Self

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.addresses import Addresses, Place, node_of, pid_of
from aybiza.actors.cluster.carrier import Carrier, ToProcess
from aybiza.actors.cluster.connections import Connections
from aybiza.actors.cluster.membership import Card, Membership
from aybiza.actors.cluster.names import NameTable
from aybiza.actors.cluster.presence import Presence
from aybiza.actors.cluster.programs import Programs
from aybiza.actors.cluster.reception import Reception, find_quietly
from aybiza.actors.cluster.replies import Replies
from aybiza.actors.cluster.requests import Envelope, Requests
from aybiza.actors.cluster.seeds import Seeds
from aybiza.actors.cluster.shared import CLUSTER, Shared
from aybiza.actors.cluster.tasks import Owed
from aybiza.actors.cluster.ties import Ties
from aybiza.actors.runtime.delegation import of
from aybiza.actors.runtime.errors import PROGRAM_ENDS
from aybiza.actors.runtime.pid import Via
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import Reason
from aybiza.actors.runtime.task_debt import Debt
from aybiza.actors.runtime.vm import VM

TICK_SECONDS = 0.1
JOIN_SECONDS = 2.0
"""How long `join` waits for machines that do not answer."""
NAME_SECONDS = 4.0
"""How long a new node waits for a name: a dead owner is noticed by then."""

log = structlog.get_logger(__name__)


class NodeNameTaken(Exception):
    """Another node of the cluster has our name; the message says which."""


class ClusterFailed(Exception):
    """The cluster's own part of this node has failed, so that the node has to end."""


class Distribution:
    """See the module. `names` and `groups` may be read; `lost` is done when this node has to end:
    with `NodeNameTaken`, because its name belongs to another, or with `ClusterFailed`."""

    def __init__(self, vm: VM, carrier: Carrier) -> None:
        self.vm = vm
        self.lost: asyncio.Future[None] = vm.loop.create_future()
        self._carrier = carrier
        self._members = Membership(carrier.card)
        self._connections = Connections(vm, carrier, self._members, self)
        self._shared = Shared(vm, self._signal, self._connections.busy)
        self._ties = Ties(self._signal, find_quietly(vm))
        self._requests = Requests(vm, self._say, self._signal)
        self._replies = Replies(vm, self._signal)
        self._presence = Presence()
        self._addresses = Addresses(vm, carrier, self._members, self._shared.owner)
        parts = (self._requests, self._replies, self._ties, self._shared)
        self._reception = Reception(vm, parts, self._connections.meet, self._presence.up)
        self._programs = Programs(vm, carrier)
        self._seeds = Seeds(vm, carrier)
        self._taken_by: Card | None = None
        self._joined = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.names, self.groups = self._shared.names, self._shared.groups

    register = of("_shared", Shared.register)
    unregister = of("_shared", Shared.unregister)
    claim = of("_shared", Shared.claim)
    join_group = of("_shared", Shared.join_group)
    leave_group = of("_shared", Shared.leave_group)
    whereis = of("names", NameTable.find)
    links = of("_ties", Ties.links)

    async def __aenter__(self) -> Self:
        self.vm.remote = self
        self.vm.observers.append(self._ended)
        self._carrier.attach(self._receive)
        self._run(self._tick())
        self._run(self._seeds.ask(self._whole))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        await self._programs.close()
        self._carrier.attach(lambda _message, _sender: None)
        self._connections.leave("this node ends")
        if not self.lost.done():
            self.lost.cancel()
        self.vm.observers.remove(self._ended)
        self.vm.remote = None

    async def join(self) -> None:
        """Wait until the nodes that are there are reached; raises `NodeNameTaken`.

        Machines that do not answer are waited for `JOIN_SECONDS` and asked on later.
        """
        began = self.vm.now()
        while True:
            await asyncio.sleep(0.02)
            if self._seeds.all_answered and self._whole():
                break
            past = self.vm.now() - began
            if self._taken_by is not None:
                if past > NAME_SECONDS:
                    raise NodeNameTaken(self._taken_text(self._taken_by))
            elif past > JOIN_SECONDS:
                log.warning(
                    "cluster_not_all_reached",
                    machines=list(self._carrier.seeds),
                    answered=sorted(self._seeds.answered),
                    nodes=self.nodes(),
                )
                break
        self._joined = True

    def members(self) -> list[dict[str, Any]]:
        """This node and all others that are known, as plain data for people."""
        own = self._members.card
        return [
            _described(own, "here", 0),
            *(
                _described(peer.card, "up" if peer.link.open else "down", peer.link.held)
                for peer in self._members.known()
            ),
        ]

    def statistics(self) -> dict[str, int]:
        """What the cluster holds for this node's processes, and for other nodes: counts by name."""
        return {
            **self._ties.statistics(),
            **self._requests.statistics(),
            **self._shared.statistics(),
            **self._connections.statistics(),
            "lent": self._replies.lent,
        }

    # What the VM asks for (`aybiza.actors.runtime.remote.Remote`)

    find = of("_addresses", Addresses.find)
    place = of("_addresses", Addresses.place)
    reaches = of("_addresses", Addresses.reaches)
    nodes = of("_presence", Presence.nodes)
    monitor_nodes = of("_presence", Presence.monitor_nodes)
    demonitor = of("_ties", Ties.demonitor)

    def send(self, place: Place, message: Any) -> None:
        """`VM.send`."""
        if place.node is None:
            signals.packed(message)  # what cannot be pickled raises here
            self._carrier.tell(place.dest, message)
        else:
            self._say(place.node, signals.Send(place.dest, message))

    def cast(self, place: Place, request: Any) -> None:
        """`VM.cast`."""
        self._say(node_of(place), signals.Cast(place.dest, request))

    async def request(
        self, place: Place, request: Any, envelope: Envelope, timeout: float | None
    ) -> Any:
        """`VM.request`."""
        return await self._requests.ask(node_of(place), place.dest, request, envelope, timeout)

    async def join_process(self, place: Place, timeout: float | None) -> Reason:
        """`VM.join`."""
        return await self._requests.await_end(node_of(place), place.dest, None, timeout)

    async def stop(self, place: Place, reason: Reason, timeout: float | None) -> Reason:
        """`VM.stop`."""
        return await self._requests.await_end(node_of(place), place.dest, (reason,), timeout)

    def exit(self, place: Place, reason: Reason) -> None:
        """`VM.exit`."""
        told = signals.portable(reason)
        signal = signals.ExitSignal(self.vm.self(), place.dest, told, False)
        self._signal(node_of(place), signal)

    def owe(self, debt: Debt) -> Owed:
        """What a task on another node is to owe the owner of `debt`."""
        return Owed(debt, self._replies, self._requests)

    def shares(self, name: Any) -> bool:
        """Whether `name` is `Via(CLUSTER, …)`."""
        return type(name) is Via and name.registry == CLUSTER

    def link(self, process: Process, place: Place) -> None:
        """`VM.link`; with a pid or a cluster-wide name."""
        self._ties.link(process, pid_of(place))

    def unlink(self, process: Process, place: Place) -> None:
        """`VM.unlink`."""
        self._ties.unlink(process, pid_of(place))

    def monitor(self, watcher: Process, ref: int, dest: Any, place: Place) -> None:
        """`VM.monitor`."""
        self._ties.monitor(watcher, ref, node_of(place), place.dest, dest)

    # What happens on the connections (`aybiza.actors.cluster.connections.Listener`)

    def node_up(self, card: Card) -> Iterator[bytes]:
        """What a node gets first: the other nodes, all names and groups, and that these are all."""
        log.info("node_up", node=card.name, incarnation=card.incarnation, machine=card.machine)
        others = tuple(other for other in self._members.up() if other != card)
        first, last = (signals.Introduce(others),), (signals.Complete(),)
        told = itertools.chain(first, self._shared.shared_with(card.name), last)
        return map(signals.packed, told)

    def node_down(self, card: Card, reason: str) -> None:
        """Everybody who relied on a node is told."""
        log.warning("node_down", node=card.name, incarnation=card.incarnation, reason=reason)
        self._reception.forget(card.name)
        self._shared.parted_from(card.name)
        self._requests.node_down(card.name)
        self._ties.node_down(card.name)
        self._presence.down(card.name, reason)

    def welcomed(self, machine: str) -> None:
        """A machine has told its nodes."""
        self._seeds.answer(machine)

    def take(self, node: str, item: bytes) -> None:
        """An item has come from a node."""
        self._reception.take(node, item)

    def name_taken(self, owner: Card) -> None:
        """This node must not go on under its name."""
        self._taken_by = owner
        log.error("node_name_taken", owner=owner.machine, incarnation=owner.incarnation)
        if self._joined and not self.lost.done():
            self.lost.set_exception(NodeNameTaken(self._taken_text(owner)))

    def failed(self, error: BaseException) -> None:
        """This node must not go on at all."""
        for task in self._tasks:
            task.cancel()
        if not self.lost.done():
            self.lost.set_exception(
                ClusterFailed(f"the cluster's part of this node has failed: {error!r}")
            )

    def _taken_text(self, owner: Card) -> str:
        return (
            f"the node name {owner.name!r} belongs to a node of the machine {owner.machine};"
            " choose another with --name (AYBIZA_NODE_NAME)"
        )

    # Sending

    def _say(self, node: str, signal: Any) -> bool:
        """Send what may be refused; False if the node is down."""
        return self._connections.put(node, self._packed(signal), reserve=False)

    def _signal(self, node: str, signal: Any) -> bool:
        """Send what must not be left out: where there is no room for it, the node is given up."""
        return self._connections.put(node, self._packed(signal), reserve=True)

    def _packed(self, signal: Any) -> bytes:
        token = signals.lender.set(self._replies.lend)
        try:
            return signals.packed(signal)
        finally:
            signals.lender.reset(token)

    # Parts

    def _receive(self, message: Any, sender: Any) -> None:
        if isinstance(message, ToProcess):
            self._programs.serve(message, sender)
        else:
            self._connections.receive(message)

    def _ended(self, process: Process, reason: Reason) -> None:
        try:
            self._shared.process_ended(process.pid)  # names are free before anyone hears of it
            self._ties.ended(process, reason)
            self._presence.ended(process)
        except PROGRAM_ENDS:
            raise
        except BaseException as error:
            self._connections.fail(error)

    async def _tick(self) -> None:
        while True:
            self._connections.receive("tick")
            self.names.tidy()
            await asyncio.sleep(TICK_SECONDS)

    def _whole(self) -> bool:
        """Whether every node that is known can be reached, and has told what it has."""
        known = self._members.known()
        return all(peer.link.open and peer.card.name in self._presence for peer in known)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.vm.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            error = task.exception() or RuntimeError("a task of the cluster has returned")
            self._connections.fail(error)


def _described(card: Card, state: str, queued: int) -> dict[str, Any]:
    return {
        "node": card.name,
        "state": state,
        "machine": card.machine,
        "address": "{}:{}".format(*card.address),
        "incarnation": card.incarnation,
        "queued": queued,
    }
