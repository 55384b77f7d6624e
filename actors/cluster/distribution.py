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
from typing import Any, NamedTuple, Self

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.carrier import Carrier, ToProcess
from aybiza.actors.cluster.connections import Connections
from aybiza.actors.cluster.membership import Card, Membership
from aybiza.actors.cluster.programs import Programs
from aybiza.actors.cluster.reception import Reception, find_quietly
from aybiza.actors.cluster.replies import Replies
from aybiza.actors.cluster.requests import Envelope, Requests
from aybiza.actors.cluster.seeds import Seeds
from aybiza.actors.cluster.shared import CLUSTER, Shared
from aybiza.actors.cluster.tasks import Owed
from aybiza.actors.cluster.ties import Ties
from aybiza.actors.runtime.errors import PROGRAM_ENDS
from aybiza.actors.runtime.messages import NodeDown, NodeUp
from aybiza.actors.runtime.pid import Pid, Via
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


class Place(NamedTuple):
    """A process on another node, or (without a node) a Thespian actor."""

    node: str | None
    dest: Any


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
        parts = (self._requests, self._replies, self._ties, self._shared)
        self._reception = Reception(vm, parts, self._connections.meet, self._complete)
        self._programs = Programs(vm, carrier)
        self._seeds = Seeds(vm, carrier)
        self._subscribers: dict[Process, None] = {}
        self._reached: dict[str, None] = {}
        self._taken_by: Card | None = None
        self._joined = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.names, self.groups = self._shared.names, self._shared.groups
        self.register, self.unregister = self._shared.register, self._shared.unregister
        self.join_group, self.leave_group = self._shared.join_group, self._shared.leave_group
        self.whereis, self.claim = self._shared.names.find, self._shared.claim

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

    def links(self, pid: Pid) -> list[Pid]:
        """To whom of other nodes a process of this node is linked."""
        return self._ties.links(pid)

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

    def find(self, dest: Any) -> Process | None:
        """The local process that a cluster-wide address stands for."""
        if type(dest) is tuple:
            return self.vm.find(dest[0]) if self._names_here(dest) else None
        pid = self._shared.owner(dest)
        return self.vm.find(pid) if pid is not None and pid.node == self.vm.node else None

    def place(self, dest: Any) -> Place | None:
        """Where `dest` is, if it is not here."""
        kind = type(dest)
        if kind is Pid:
            return Place(dest.node, dest) if dest.node != self.vm.node else None
        if kind is tuple:
            here = len(dest) != 2 or self._names_here(dest)
            return None if here else Place(dest[1], dest[0])
        pid = self._shared.owner(dest)
        if pid is not None:
            return Place(pid.node, pid) if pid.node != self.vm.node else None
        return Place(None, dest) if self._carrier.is_actor(dest) else None

    def reaches(self, place: Place) -> bool:
        """Whether something can be sent there."""
        return place.node is None or self._members.peer(place.node) is not None

    def send(self, place: Place, message: Any) -> None:
        """`VM.send`."""
        if place.node is None:
            signals.packed(message)  # what cannot be pickled raises here
            self._carrier.tell(place.dest, message)
        else:
            self._say(place.node, signals.Send(place.dest, message))

    def cast(self, place: Place, request: Any) -> None:
        """`VM.cast`."""
        self._say(_node(place), signals.Cast(place.dest, request))

    async def request(
        self, place: Place, request: Any, envelope: Envelope, timeout: float | None
    ) -> Any:
        """`VM.request`."""
        return await self._requests.ask(_node(place), place.dest, request, envelope, timeout)

    async def join_process(self, place: Place, timeout: float | None) -> Reason:
        """`VM.join`."""
        return await self._requests.await_end(_node(place), place.dest, None, timeout)

    async def stop(self, place: Place, reason: Reason, timeout: float | None) -> Reason:
        """`VM.stop`."""
        return await self._requests.await_end(_node(place), place.dest, (reason,), timeout)

    def exit(self, place: Place, reason: Reason) -> None:
        """`VM.exit`."""
        told = signals.portable(reason)
        signal = signals.ExitSignal(self.vm.self(), place.dest, told, False)
        self._signal(_node(place), signal)

    def owe(self, debt: Debt) -> Owed:
        """What a task on another node is to owe the owner of `debt`."""
        return Owed(debt, self._replies, self._requests)

    def shares(self, name: Any) -> bool:
        """Whether `name` is `Via(CLUSTER, …)`."""
        return type(name) is Via and name.registry == CLUSTER

    def link(self, process: Process, place: Place) -> None:
        """`VM.link`; with a pid or a cluster-wide name."""
        self._ties.link(process, _pid(place))

    def unlink(self, process: Process, place: Place) -> None:
        """`VM.unlink`."""
        self._ties.unlink(process, _pid(place))

    def monitor(self, watcher: Process, ref: int, dest: Any, place: Place) -> None:
        """`VM.monitor`."""
        self._ties.monitor(watcher, ref, _node(place), place.dest, dest)

    def demonitor(self, ref: int) -> None:
        """`VM.demonitor`."""
        self._ties.demonitor(ref)

    def nodes(self) -> list[str]:
        """`VM.nodes`."""
        return list(self._reached)

    def monitor_nodes(self, process: Process, on: bool) -> None:
        """`VM.monitor_nodes`."""
        if on:
            self._subscribers[process] = None
        else:
            self._subscribers.pop(process, None)

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
        if card.name in self._reached:
            del self._reached[card.name]
            self._tell_subscribers(NodeDown(card.name, reason))

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

    def _complete(self, node: str) -> None:
        """All names and groups of a node are here: only now is it told that it is up."""
        if node not in self._reached:
            self._reached[node] = None
            self._tell_subscribers(NodeUp(node))

    def _tell_subscribers(self, message: NodeUp | NodeDown) -> None:
        for process in list(self._subscribers):
            process.deliver(message)

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
            self._subscribers.pop(process, None)
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
        return all(peer.link.open and peer.card.name in self._reached for peer in known)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.vm.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            error = task.exception() or RuntimeError("a task of the cluster has returned")
            self._connections.fail(error)

    def _names_here(self, dest: tuple[Any, ...]) -> bool:
        return len(dest) == 2 and dest[1] == self.vm.node


def _node(place: Place) -> str:
    if place.node is None:
        raise TypeError(f"{place.dest} is a Thespian actor: it can be sent messages only")
    return place.node


def _pid(place: Place) -> Pid:
    if type(place.dest) is not Pid:
        raise TypeError(f"a link to another node needs a pid, not {place.dest!r}")
    return place.dest


def _described(card: Card, state: str, queued: int) -> dict[str, Any]:
    return {
        "node": card.name,
        "state": state,
        "machine": card.machine,
        "address": "{}:{}".format(*card.address),
        "incarnation": card.incarnation,
        "queued": queued,
    }
