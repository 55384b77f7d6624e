"""`Distribution`: joins a VM to a cluster.

    async with VM("front", creation=card.incarnation) as vm, Distribution(vm, carrier) as cluster:
        await cluster.join()
        await vm.call(("counter", "back"), "increment")
        await cluster.register("leader", vm.self())

What `VM` does with pids works with those of other nodes, and with `(name, node)`; what is said
between two processes arrives in its order, or the node is down. `Via(CLUSTER, name)` stands for a
name that is unique in the cluster. Messages between nodes are pickled when they are sent: what
cannot be pickled raises there.

Errors: `NodeNameTaken` (`join`, `lost`), `NameTaken` (`register`), `RemoteBusy` when too much waits
for a node; `CallExit(NOCONNECTION)` for calls to a node that is down.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import structlog

from aybiza.actors.cluster import signals
from aybiza.actors.cluster.carrier import (
    Carrier,
    Gone,
    ProcessReply,
    ToProcess,
    Unreachable,
    Welcome,
)
from aybiza.actors.cluster.membership import (
    Card,
    Delivered,
    Down,
    Event,
    Farewell,
    Letter,
    Membership,
    NameTaken,
    Post,
    Refusal,
    Up,
)
from aybiza.actors.cluster.requests import Envelope, Requests
from aybiza.actors.cluster.seeds import Seeds
from aybiza.actors.cluster.shared import Shared
from aybiza.actors.cluster.ties import Ties
from aybiza.actors.runtime.errors import RemoteBusy
from aybiza.actors.runtime.messages import NodeDown, NodeUp
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process
from aybiza.actors.runtime.reasons import KILL, KILLED, Reason
from aybiza.actors.runtime.vm import VM

TICK_SECONDS = 0.1
JOIN_SECONDS = 2.0
"""How long `join` waits for machines that do not answer."""
NAME_SECONDS = 4.0
"""How long a new node waits for a name: a dead owner is noticed by then."""
ALARM_SECONDS = 10.0

log = structlog.get_logger(__name__)


class NodeNameTaken(Exception):
    """Another node of the cluster has our name; the message says which."""


class Place(NamedTuple):
    """A process on another node, or (without a node) a Thespian actor."""

    node: str | None
    dest: Any


class Distribution(Shared):
    """See the module. `names` and `groups` may be read; `lost` is done, with `NodeNameTaken`, when
    this node has to end because its name belongs to another."""

    def __init__(self, vm: VM, carrier: Carrier) -> None:
        super().__init__(vm, self._signal)
        self.lost: asyncio.Future[None] = vm.loop.create_future()
        self._carrier = carrier
        self._members = Membership(carrier.card)
        self._ties = Ties(self._signal, vm.find)
        self._requests = Requests(vm, self._say, self._signal)
        self._subscribers: dict[Process, None] = {}
        self._seeds = Seeds(vm, carrier)
        self._taken_by: Card | None = None
        self._joined = False
        self._flushing = False
        self._alarms: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.vm.remote = self
        self.vm.observers.append(self._ended)
        self._carrier.attach(self._receive)
        self._run(self._tick())
        self._run(self._seeds.ask(self._whole))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._handle(self._members.leave())
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        self._carrier.attach(lambda _message, _sender: None)
        for card in self._members.up():
            self._node_down(card, "this node ends")
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
                _described(peer.card, "up" if peer.link.open else "down", peer.link.queued)
                for peer in self._members.known()
            ),
        ]

    # What the VM asks for (`aybiza.actors.runtime.remote.Remote`)

    def find(self, dest: Any) -> Process | None:
        """The local process that a cluster-wide address stands for."""
        if type(dest) is tuple:
            return self.vm.find(dest[0]) if self._names_here(dest) else None
        pid = self._owner(dest)
        return self.vm.find(pid) if pid is not None and pid.node == self.vm.node else None

    def place(self, dest: Any) -> Place | None:
        """Where `dest` is, if it is not here."""
        kind = type(dest)
        if kind is Pid:
            return Place(dest.node, dest) if dest.node != self.vm.node else None
        if kind is tuple:
            here = len(dest) != 2 or self._names_here(dest)
            return None if here else Place(dest[1], dest[0])
        pid = self._owner(dest)
        if pid is not None:
            return Place(pid.node, pid) if pid.node != self.vm.node else None
        return Place(None, dest) if self._carrier.is_actor(dest) else None

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
        signal = signals.ExitSignal(self.vm.self(), place.dest, reason, False)
        self._say(_node(place), signal)

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
        return [card.name for card in self._members.up()]

    def monitor_nodes(self, process: Process, on: bool) -> None:
        """`VM.monitor_nodes`."""
        if on:
            self._subscribers[process] = None
        else:
            self._subscribers.pop(process, None)

    # Messages of the carrier

    def _receive(self, message: Any, sender: Any) -> None:
        now = self.vm.now()
        match message:
            case Letter() | Refusal() | Farewell():
                self._handle(self._members.receive(now, message))
            case Welcome(machine, cards):
                self._seeds.answer(machine)
                for card in cards:
                    self._handle(self._members.meet(now, card))
            case Unreachable(address):
                self._handle(self._members.unreachable(now, address, "nothing listens there"))
            case Gone(card):
                self._handle(self._members.gone(card, "its process has ended"))
            case ToProcess():
                self._run(self._serve(message, sender))

    def _handle(self, events: Iterator[Event]) -> None:
        for event in list(events):
            match event:
                case Post(address, message):
                    self._carrier.post(address, message)
                case Up(card):
                    self._node_up(card)
                case Down(card, reason):
                    self._node_down(card, reason)
                case Delivered(card, items):
                    for item in items:
                        self._take(card, item)
                case NameTaken(owner):
                    self._name_taken(owner)

    def _node_up(self, card: Card) -> None:
        log.info("node_up", node=card.name, incarnation=card.incarnation, machine=card.machine)
        others = tuple(other for other in self._members.up() if other != card)
        self._signal(card.name, signals.Introduce(others))
        self.shared_with(card.name)
        self._tell_subscribers(NodeUp(card.name))

    def _node_down(self, card: Card, reason: str) -> None:
        log.warning("node_down", node=card.name, incarnation=card.incarnation, reason=reason)
        self.parted_from(card.name)
        self._requests.node_down(card.name)
        self._ties.node_down(card.name)
        self._tell_subscribers(NodeDown(card.name, reason))

    def _name_taken(self, owner: Card) -> None:
        self._taken_by = owner
        log.error("node_name_taken", owner=owner.machine, incarnation=owner.incarnation)
        if self._joined and not self.lost.done():
            self.lost.set_exception(NodeNameTaken(self._taken_text(owner)))

    def _taken_text(self, owner: Card) -> str:
        return (
            f"the node name {owner.name!r} belongs to a node of the machine {owner.machine};"
            " choose another with --name (AYBIZA_NODE_NAME)"
        )

    def _take(self, card: Card, item: bytes) -> None:
        try:
            signal = pickle.loads(item)
        except Exception as error:
            log.error("message_not_read", node=card.name, bytes=len(item), error=repr(error))
            return
        take = _TAKERS.get(type(signal))
        if take is not None:
            take(self, card.name, signal)

    # Sending

    def _say(self, node: str, signal: Any) -> bool:
        """Send what may be refused; False if the node is down."""
        return self._put(node, signals.packed(signal), reserve=False)

    def _signal(self, node: str, signal: Any) -> bool:
        """Send what must not be left out: where there is no room for it, the node is given up."""
        return self._put(node, signals.packed(signal), reserve=True)

    def _put(self, node: str, item: bytes, *, reserve: bool) -> bool:
        if self._members.put(node, item, reserve=reserve):
            if not self._flushing:
                self._flushing = True
                self.vm.loop.call_soon(self._flush)
            return True
        if self._members.peer(node) is None:
            return False
        self._alarm(node)
        if not reserve:
            raise RemoteBusy(node)
        self._handle(self._members.drop(self.vm.now(), node, "too many messages wait for it"))
        return False

    def _alarm(self, node: str) -> None:
        now = self.vm.now()
        if now >= self._alarms.get(node, now):
            self._alarms[node] = now + ALARM_SECONDS
            log.warning("remote_queue_full", node=node)

    def _flush(self) -> None:
        self._flushing = False
        self._handle(self._members.flush())

    # Parts

    def _ended(self, process: Process, reason: Reason) -> None:
        self.process_ended(process.pid)  # names are free before anyone hears of the end
        self._ties.ended(process, reason)
        self._subscribers.pop(process, None)

    def _tell_subscribers(self, message: NodeUp | NodeDown) -> None:
        for process in list(self._subscribers):
            process.deliver(message)

    async def _serve(self, wanted: ToProcess, sender: Any) -> None:
        reply = ProcessReply()
        try:
            if wanted.kind == "call":
                reply = ProcessReply(await self.vm.call(wanted.name, wanted.request, wanted.limit))
                signals.packed(reply)
            elif wanted.kind == "cast":
                self.vm.cast(wanted.name, wanted.request)
            else:
                self.vm.send(wanted.name, wanted.request)
        except Exception as error:
            reply = ProcessReply(error=str(error) or type(error).__name__)
        if wanted.kind == "call":
            self._carrier.tell(sender, reply)

    async def _tick(self) -> None:
        while True:
            self._handle(self._members.tick(self.vm.now()))
            await asyncio.sleep(TICK_SECONDS)

    def _whole(self) -> bool:
        return all(peer.link.open for peer in self._members.known())

    def _run(self, work: Any) -> None:
        task = self.vm.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("distribution_failed", exc_info=task.exception())

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


def _exit_signal(self: Distribution, _node: str, signal: signals.ExitSignal) -> None:
    if not signal.linked:
        target = self.vm.find(signal.target)
        if target is not None and signal.reason == KILL:
            target.end(KILLED)
        elif target is not None:
            target.signal(signal.source, signal.reason)
    elif signal.source is not None and isinstance(signal.target, Pid):
        self._ties.exited(signal.source, signal.target, signal.reason)


def _introduce(self: Distribution, _node: str, signal: signals.Introduce) -> None:
    for card in signal.cards:
        self._handle(self._members.meet(self.vm.now(), card))


_TAKERS: dict[type, Callable[[Distribution, str, Any], None]] = {
    signals.Send: lambda self, _, signal: self.vm.send(signal.dest, signal.message),
    signals.Cast: lambda self, _, signal: self.vm.cast(signal.dest, signal.request),
    signals.Ask: lambda self, node, signal: self._requests.asked_by(node, signal),
    signals.AwaitEnd: lambda self, node, signal: self._requests.end_awaited_by(node, signal),
    signals.Answer: lambda self, _, signal: self._requests.answered(signal.ref, signal.value),
    signals.Failed: lambda self, _, signal: self._requests.failed(signal.ref, signal.reason),
    signals.Forget: lambda self, node, signal: self._requests.forget(node, signal.ref),
    signals.Monitor: lambda self, node, signal: self._ties.monitored_by(
        node, signal.ref, signal.dest
    ),
    signals.Demonitor: lambda self, node, signal: self._ties.demonitored_by(node, signal.ref),
    signals.Died: lambda self, _, signal: self._ties.died(signal.ref, signal.reason),
    signals.LinkTo: lambda self, node, signal: self._ties.linked_by(
        node, signal.source, signal.target
    ),
    signals.Unlink: lambda self, _, signal: self._ties.unlinked_by(signal.source, signal.target),
    signals.ExitSignal: _exit_signal,
    signals.Introduce: _introduce,
    signals.ForNames: lambda self, node, signal: self.take_names(node, signal.message),
    signals.ForGroups: lambda self, node, signal: self.groups.receive(node, signal.message),
}
