"""What must hold in a broken cluster: everybody is told once, in order, and nothing is left over.

The ledger notes what the players of a `World` ask for and what they get. `fault` is called at once
for what must never happen; `settled` and `empty` look at what must hold when all is well again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aybiza.actors.cluster.names import NameConflict
from aybiza.actors.runtime import TIMEOUT, Down, Exit, NodeDown, NodeUp, Pid, TaskResult

if TYPE_CHECKING:
    from tests.actors.cluster.world import Node

TELL_SECONDS = 6.0
"""Within this time of a death on a healthy network all are told."""
EXPECTED_EVENTS = {
    "node_up",
    "node_down",
    "remote_queue_full",
    "name_conflict",
    "message_not_read",
    "message_not_delivered",
    "signal_not_understood",
    "cluster_not_all_reached",
    "reply_not_sent",
}
"""Anything else in the log is a part of the cluster that has failed."""


class Broken(AssertionError):
    """Something that must hold does not."""


@dataclass
class Watch:
    """A monitor."""

    watcher: Pid
    target: Pid
    told: int = 0
    over: bool = False


@dataclass
class Call:
    """A call that is under way, or was."""

    caller: Pid
    target: Pid
    request: Any
    outcome: tuple[str, Any] | None = None


@dataclass
class Tie:
    """What one process has done and heard about a link to another."""

    made: int = 0
    exits: int = 0
    standing: bool = False
    doubtful: bool = False
    """An unlink of the other end may be under way."""


@dataclass
class Ledger:
    """See the module. `known` has the pids of all players, oldest first."""

    now: Callable[[], float]
    known: list[Pid] = field(default_factory=list)
    players: set[Pid] = field(default_factory=set)
    dead: dict[Pid, float] = field(default_factory=dict)
    watches: dict[tuple[Pid, int], Watch] = field(default_factory=dict)
    debts: dict[tuple[Pid, int], Pid] = field(default_factory=dict)
    """The tasks that owe an owner, by the reference that their messages bear."""
    paid: Counter[tuple[Pid, int, str]] = field(default_factory=Counter)
    ties: dict[tuple[Pid, Pid], Tie] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    numbers: Counter[tuple[Pid, Pid]] = field(default_factory=Counter)
    last: dict[tuple[Pid, Pid], tuple[int, int]] = field(default_factory=dict)
    up: dict[tuple[Pid, str], bool] = field(default_factory=dict)
    owners: dict[str, Pid] = field(default_factory=dict)
    lost_names: set[tuple[str, Pid]] = field(default_factory=set)
    members: Counter[tuple[str, Pid]] = field(default_factory=Counter)
    downs: int = 0
    told: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """Note what must not be."""
        self.faults.append(text)

    def check(self) -> None:
        """Raise what was noted."""
        if self.faults:
            faults, self.faults = self.faults, []
            raise Broken("; ".join(faults[:5]))

    # Deeds

    def born(self, pid: Pid) -> None:
        self.known.append(pid)
        self.players.add(pid)

    def died(self, pid: Pid) -> None:
        self.dead.setdefault(pid, self.now())
        for key in [key for key in self.members if key[1] == pid]:
            del self.members[key]
        self.owners = {name: owner for name, owner in self.owners.items() if owner != pid}

    def node_ended(self, name: str) -> None:
        for pid in self.known:
            if pid.node == name:
                self.died(pid)

    def watched(self, watcher: Pid, ref: int, target: Pid) -> None:
        self.watches[watcher, ref] = Watch(watcher, target)

    def unwatched(self, watcher: Pid, ref: int) -> None:
        if (watch := self.watches.get((watcher, ref))) is not None:
            watch.over = True

    def owes(self, owner: Pid, ref: int, task: Pid) -> None:
        """A task runs."""
        self.debts[owner, ref] = task

    def refs(self, watcher: Pid) -> list[int]:
        return [ref for pid, ref in self.watches if pid == watcher]

    def linked(self, one: Pid, other: Pid) -> None:
        for pair in ((one, other), (other, one)):
            self.ties.setdefault(pair, Tie()).made += 1
        self.ties[one, other].standing = not self.ties[one, other].doubtful
        self.ties[other, one].standing = False  # until it is known to have arrived

    def unlinked(self, one: Pid, other: Pid) -> None:
        for pair in ((one, other), (other, one)):
            self.ties.setdefault(pair, Tie()).standing = False
        self.ties[other, one].doubtful = True

    def next_number(self, sender: Pid, receiver: Pid) -> int:
        return self.numbers[sender, receiver] + 1

    def sent(self, sender: Pid, receiver: Pid, number: int) -> None:
        self.numbers[sender, receiver] = number

    def called(self, caller: Pid, target: Pid, request: Any) -> Call:
        self.calls.append(Call(caller, target, request))
        return self.calls[-1]

    def ended(self, call: Call) -> None:
        kind, value = call.outcome or ("", None)
        self.told["calls"] += 1
        if kind == "reply":
            wanted: Any = call.request
            if wanted[0] == "delegate":
                wanted = ("delegate", wanted[2])
            if value != wanted:
                self.fault(f"{call} was answered otherwise")
        elif value == TIMEOUT and call.request[0] != "delegate":
            died = self.dead.get(call.target)
            if died is not None and died < self.now() - 3 * TELL_SECONDS:
                self.fault(f"{call} timed out, though the callee was dead since {died:.1f}")
        self.calls.remove(call)

    def owned(self, name: str, pid: Pid) -> None:
        if pid not in self.dead:
            self.owners[name] = pid
            self.lost_names.discard((name, pid))

    def disowned(self, name: str, pid: Pid) -> None:
        self.owners.pop(name, None)
        self.lost_names.add((name, pid))

    def grouped(self, group: str, pid: Pid, change: int) -> None:
        self.members[group, pid] = max(0, self.members[group, pid] + change)

    # What is heard

    def logged(self, event: MutableMapping[str, Any]) -> None:
        kind = str(event.get("event"))
        self.downs += kind == "node_down"
        distrusted = kind == "connection_failed" and event.get("exc_info") is None
        of_a_task = event.get("supervisor") == "tasks" or event.get("server") == "Task work"
        if kind not in EXPECTED_EVENTS and not distrusted and not of_a_task:
            self.fault(f"the log says {kind}: { {k: v for k, v in event.items() if k != 'event'} }")

    def got(self, pid: Pid, message: Any) -> None:
        match message:
            case TaskResult(ref=ref) | Down(ref=ref) if ref < 0:
                self._paid(pid, ref, type(message).__name__)
            case Down(ref=ref):
                self._down(pid, ref)
            case Exit(pid=Pid() as source, reason=reason):
                if isinstance(reason, NameConflict):
                    self.lost_names.add((str(reason.name), pid))
                else:
                    self._exit(pid, source)
            case NodeUp(node):
                self._turn(pid, node, True)
            case NodeDown(node):
                self._turn(pid, node, False)
            case ("number", sender, number):
                self._number(pid, sender, number)
            case ("noise",) | NameConflict():
                pass
            case _:
                self.fault(f"{pid} got {message!r}")

    def _down(self, pid: Pid, ref: int) -> None:
        self.told["downs"] += 1
        watch = self.watches.get((pid, ref))
        if watch is None:
            return  # of an address that is no player's
        watch.told += 1
        if watch.over:
            self.fault(f"{watch} was told of after its end")
        if watch.told > 1:
            self.fault(f"{watch} was told of {watch.told} times")

    def _paid(self, owner: Pid, ref: int, what: str) -> None:
        self.told["debts"] += 1
        self.paid[owner, ref, what] += 1
        if self.paid[owner, ref, what] > 1:
            self.fault(f"{owner} got the {what} of task {ref} again")
        if what == "TaskResult" and self.paid[owner, ref, "Down"]:
            self.fault(f"{owner} got the value of task {ref} after its end")

    def _exit(self, pid: Pid, source: Pid) -> None:
        self.told["exits"] += 1
        tie = self.ties.setdefault((pid, source), Tie())
        tie.exits += 1
        tie.standing = False
        if source not in self.players:
            tie.made = 1  # a task: it may have linked itself and ended before its start was told
        if tie.exits > tie.made:
            self.fault(f"{pid} heard {tie.exits} times of {source}, linked {tie.made} times")

    def _turn(self, pid: Pid, node: str, up: bool) -> None:
        self.told["turns"] += 1
        if self.up.get((pid, node), not up) == up:
            self.fault(f"{pid} was told twice that {node} is {'up' if up else 'down'}")
        self.up[pid, node] = up

    def _number(self, pid: Pid, sender: Pid, number: int) -> None:
        self.told["numbers"] += 1
        last, downs = self.last.get((sender, pid), (0, -1))
        if number <= last:
            self.fault(f"{pid} got {number} of {sender} after {last}")
        if number > last + 1 and downs == self.downs:
            self.fault(f"{pid} got {number} of {sender} after {last}, and no node was down")
        self.last[sender, pid] = (number, self.downs)

    def always(self, nodes: Iterable[Node]) -> None:
        """What holds after each step, whatever is broken."""
        for node in nodes:
            reached = {node.card.name, *(card.name for card in node.cluster._members.up())}
            for name, pid in node.cluster.names.names().items():
                if pid.node not in reached:
                    self.fault(f"{node.card.name} holds {name} for {pid}, whose node is down")
            if len(node.cluster._tasks) != 2:
                self.fault(f"a task of {node.card.name} has ended")

    # When all is well

    def settled(self, nodes: list[Node]) -> None:
        """All is healed, and time has passed."""
        names = sorted(node.card.name for node in nodes)
        living = {pid for node in nodes for pid in node.players}
        for node in nodes:
            own = node.card.name
            reached = sorted(node.vm.nodes())
            if reached != [name for name in names if name != own]:
                self.fault(f"{own} reaches {reached}")
            for pid in node.players:
                for name in reached:
                    if not self.up.get((pid, name), False):
                        self.fault(f"{pid} was not told that {name} is up")
        for watch in self.watches.values():
            due = watch.watcher in living and watch.target not in living
            if due and not watch.told and not watch.over:
                self.fault(f"{watch} was never told of")
        tasks = {pid for node in nodes for pid in node.vm.processes()}
        for (owner, ref), task in self.debts.items():
            if owner in living and task not in tasks and not self.paid[owner, ref, "Down"]:
                self.fault(f"{owner} was never told of the end of its task {task}")
        for call in self.calls:
            if (
                call.target not in living
                and call.caller in living
                and call.request[0] != "delegate"
            ):
                self.fault(f"{call} has not ended")
        for (one, other), tie in self.ties.items():
            if one in living and other not in living and tie.standing:
                self.fault(f"{one} was never told of the end of {other}: {tie}")
        self._links(nodes, living)
        self._rows(nodes)
        for tie in self.ties.values():
            tie.doubtful = False
        self._names(nodes)
        self._groups(nodes)

    def _links(self, nodes: list[Node], living: set[Pid]) -> None:
        ends = {
            (pid, peer)
            for node in nodes
            for pid in node.vm.processes()
            for peer in node.cluster.links(pid)
        }
        for one, other in ends:
            if (other, one) not in ends:
                self.fault(f"{one} has half a link to {other}, alive: {other in living}")
        for (one, other), tie in self.ties.items():
            if tie.standing and one in living and other in living and (one, other) not in ends:
                self.fault(f"{one} has no link to {other}: {tie}")

    def _rows(self, nodes: list[Node]) -> None:
        """What one node keeps for another, the other keeps, too, and nothing is kept for nobody."""
        counts = {node.card.name: node.cluster.statistics() for node in nodes}
        total: Counter[str] = Counter()
        for each in counts.values():
            total.update(each)
        for one, other in (("monitors", "monitored"), ("asked", "answering")):
            if total[one] != total[other]:
                self.fault(f"{total[one]} {one} and {total[other]} {other}: {counts}")
        for node in nodes:
            open_ = [
                watch
                for watch in self.watches.values()
                if watch.watcher in node.players and not watch.told and not watch.over
            ]
            kept = counts[node.card.name]
            if kept["monitors"] != len(open_):
                self.fault(f"{node.card.name} keeps {kept['monitors']} monitors, not {len(open_)}")
            if kept["unlinking"] or kept["registering"]:
                self.fault(f"{node.card.name} still waits: {kept}")

    def _names(self, nodes: list[Node]) -> None:
        for name in ("x", "y", "z"):
            found = {node.cluster.whereis(name) for node in nodes}
            if len(found) != 1:
                self.fault(f"{name} has the owners {found}")
            owner = self.owners.get(name)
            if owner is not None and (name, owner) not in self.lost_names and found != {owner}:
                self.fault(f"{name} of {owner} is lost: {found}")

    def _groups(self, nodes: list[Node]) -> None:
        for group in ("g", "h"):
            wanted = sorted(
                pid for (name, pid), n in self.members.items() if name == group for _ in range(n)
            )
            for node in nodes:
                found = sorted(node.cluster.groups.members(group))
                if found != wanted:
                    self.fault(f"{group} has {found} on {node.card.name}, not {wanted}")

    def empty(self, nodes: list[Node]) -> None:
        """All players have ended, and time has passed: nothing is kept for them."""
        for watch in self.watches.values():
            if watch.told + watch.over == 0 and watch.watcher in self.dead:
                continue
        for node in nodes:
            left = {what: n for what, n in node.cluster.statistics().items() if n}
            if left.get("waiting", 0) < 5:  # letters of this moment
                left.pop("waiting", None)
            if left:
                self.fault(f"{node.card.name} still has {left}")
        if self.calls:
            self.fault(f"calls have not ended: {self.calls[:3]}")
