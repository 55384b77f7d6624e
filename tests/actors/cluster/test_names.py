"""Names that are unique in the cluster."""

import pickle
import random
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.actors.cluster import names
from aybiza.actors.cluster.names import (
    PIECE,
    Command,
    Entry,
    Granted,
    Holdings,
    NameConflict,
    NameTable,
    Refused,
    Settled,
    Tell,
)
from aybiza.actors.runtime import Pid


class World:
    """Tables whose links keep order and are cut at both ends at once."""

    def __init__(self, nodes: str) -> None:
        self.tables = {node: NameTable(node) for node in nodes}
        self.links: dict[tuple[str, str], deque[Any]] = {}
        self.told: list[tuple[str, Command]] = []
        self.stamp = 0

    def handle(self, node: str, commands: Iterator[Command]) -> None:
        for command in list(commands):
            if isinstance(command, Tell):
                link = self.links.get((node, command.node))
                if link is not None:
                    link.append(command.message)
            else:
                self.told.append((node, command))

    def connect(self, one: str, other: str) -> None:
        if (one, other) not in self.links:
            self.links[one, other], self.links[other, one] = deque(), deque()
            self.handle(one, self.tables[one].node_up(other))
            self.handle(other, self.tables[other].node_up(one))

    def cut(self, one: str, other: str) -> None:
        if self.links.pop((one, other), None) is not None:
            del self.links[other, one]
            self.handle(one, self.tables[one].node_down(other))
            self.handle(other, self.tables[other].node_down(one))

    def connect_all(self) -> None:
        for one in self.tables:
            for other in self.tables:
                if one < other:
                    self.connect(one, other)

    def deliver(self, link: tuple[str, str]) -> None:
        if self.links.get(link):
            message = self.links[link].popleft()
            self.handle(link[1], self.tables[link[1]].receive(link[0], message))

    def settle(self) -> None:
        while busy := [link for link, queue in self.links.items() if queue]:
            self.deliver(busy[0])

    def register(self, node: str, name: str, serial: int = 1) -> Pid:
        self.stamp += 1
        pid = Pid(node, serial)
        self.handle(node, self.tables[node].register(name, pid, self.stamp))
        return pid

    def owners(self, name: str) -> list[Pid | None]:
        return [table.find(name) for table in self.tables.values()]


def together(nodes: str = "abc") -> World:
    world = World(nodes)
    world.connect_all()
    world.settle()
    return world


def test_a_name_is_granted_when_all_have_it() -> None:
    world = together()
    pid = world.register("a", "n")
    assert world.told == []
    world.settle()
    assert world.told == [("a", Granted("n", pid))]
    assert world.owners("n") == [pid] * 3


def test_a_node_alone_grants_at_once() -> None:
    world = World("a")
    pid = world.register("a", "n")
    assert world.told == [("a", Granted("n", pid))]


def test_a_name_that_is_taken_is_refused_anywhere() -> None:
    world = together()
    pid = world.register("a", "n")
    world.settle()
    late = world.register("b", "n")
    assert world.told[1:] == [("b", Refused("n", late, pid))]


def test_of_claims_at_the_same_time_the_older_wins() -> None:
    world = together()
    first = world.register("b", "n")
    world.register("a", "n")
    world.register("c", "n")
    world.settle()
    granted = [event for event in world.told if isinstance(event[1], Granted)]
    refused = {node for node, event in world.told if isinstance(event, Refused)}
    assert granted == [("b", Granted("n", first))]
    assert refused == {"a", "c"}
    assert world.owners("n") == [first] * 3


def test_a_clock_that_is_behind_takes_no_granted_name() -> None:
    world = together("ab")
    pid = world.register("a", "n")
    world.settle()
    world.cut("a", "b")
    world.connect("a", "b")
    world.stamp = -1000
    late = world.register("b", "n")  # it has not heard of the name again yet
    world.settle()
    assert world.told[1:] == [("b", Refused("n", late, pid))]
    assert world.owners("n") == [pid] * 2


def test_names_go_with_their_process_and_their_node() -> None:
    world = together()
    pid = world.register("a", "n")
    other = world.register("b", "m")
    world.settle()
    assert world.tables["a"].held(pid) == ["n"]
    world.handle("a", world.tables["a"].release("n", pid))
    world.settle()
    assert world.owners("n") == [None] * 3
    world.cut("b", "a")
    assert world.tables["a"].find("m") is None
    assert world.tables["c"].names() == {"m": other}


def test_only_the_owner_frees_a_name() -> None:
    world = together("ab")
    pid = world.register("a", "n")
    world.settle()
    world.handle("a", world.tables["a"].release("n", Pid("a", 99)))
    world.handle("b", world.tables["b"].release("n", pid))
    world.settle()
    assert world.owners("n") == [pid] * 2


def test_a_node_that_goes_down_does_not_hold_a_registration_up() -> None:
    world = together()
    pid = world.register("a", "n")
    world.cut("a", "b")
    world.deliver(("a", "c"))
    world.deliver(("c", "a"))
    assert world.told == [("a", Granted("n", pid))]


def test_a_node_that_comes_up_learns_all_names_and_is_waited_for() -> None:
    world = World("abc")
    world.connect("a", "b")
    old = world.register("a", "old")
    world.settle()
    new = world.register("a", "new")
    world.connect("a", "c")
    world.settle()
    assert world.told == [("a", Granted("old", old)), ("a", Granted("new", new))]
    assert world.tables["c"].names() == {"old": old, "new": new}


def test_many_names_are_handed_over_and_given_up_in_pieces() -> None:
    world = World("ab")
    pids = [world.register("a", f"n{number}", number) for number in range(PIECE * 3 + 1)]
    world.connect("a", "b")
    pieces = [message for message in world.links["a", "b"] if isinstance(message, Holdings)]
    assert [len(piece.entries) for piece in pieces] == [PIECE] * 3 + [1]
    assert pickle.loads(pickle.dumps(pieces[0])) == pieces[0]
    world.settle()
    assert world.tables["b"].names() == {f"n{n}": pid for n, pid in enumerate(pids)}
    many = [world.register("a", f"m{number}", 7) for number in range(PIECE + 1)]
    world.settle()
    world.handle("a", world.tables["a"].ended(Pid("a", 7)))
    assert len(world.links["a", "b"]) == 2
    world.settle()
    assert len(many) == PIECE + 1
    assert world.owners("m0") == [None, None]
    assert world.owners("n7") == [None, None]
    assert world.owners("n8") == [pids[8]] * 2


def test_what_a_lost_node_had_is_gone_at_once_and_freed_bit_by_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(names, "TIDIED", 4)
    world = World("ab")
    for number in range(10):
        world.register("a", f"n{number}", number)
    world.connect("a", "b")
    world.settle()
    table = world.tables["b"]
    world.cut("a", "b")
    assert table.names() == {}
    left = []
    for _ in range(5):
        table.tidy()
        left.append(sum(map(len, table._lost)))
    assert left == [6, 2, 0, 0, 0]


def test_when_a_partition_heals_the_older_keeps_the_name_and_both_are_told() -> None:
    world = World("ab")
    older = world.register("b", "n")
    younger = world.register("a", "n")
    world.told.clear()
    world.connect("a", "b")
    world.settle()
    conflict = NameConflict("n", older, younger)
    assert sorted(world.told) == [("a", Settled(conflict)), ("b", Settled(conflict))]
    assert world.owners("n") == [older] * 2


def test_the_lower_rank_is_the_older_then_by_node() -> None:
    entries = [Entry(Pid("b", 1), 5), Entry(Pid("a", 9), 5), Entry(Pid("c", 1), 4)]
    assert [entry.pid.node for entry in sorted(entries, key=lambda e: e.rank)] == ["c", "a", "b"]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["register", "release", "cut", "join", *["deliver"] * 5]), max_size=120
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_a_name_has_one_owner_whom_all_know(
    steps: list[str], dice: random.Random
) -> None:
    nodes = "abcd"
    world = together(nodes)
    given_up: set[tuple[Any, Pid]] = set()
    for number, step in enumerate(steps):
        one, other = dice.sample(nodes, 2)
        name = dice.choice("xy")
        match step:
            case "register":
                world.stamp = dice.randrange(50)  # clocks that do not agree
                world.register(one, name, number + 10)
            case "release":
                owner = world.tables[one].find(name)
                if owner is not None and owner.node == one:
                    given_up.add((name, owner))
                    world.handle(one, world.tables[one].release(name, owner))
            case "cut":
                world.cut(one, other)
            case "join":
                world.connect(one, other)
            case "deliver":
                busy = [link for link, queue in world.links.items() if queue]
                if busy:
                    world.deliver(dice.choice(busy))
    world.connect_all()
    world.settle()
    for name in "xy":
        assert len(set(world.owners(name))) == 1
    # Every registration has ended, in one of the ways that its process is told of.
    for table in world.tables.values():
        assert table._waiting == {}
    # Whoever was granted a name still has it, has given it up, or was told of its loss.
    told = {
        (event.conflict.name, event.conflict.loser)
        for _, event in world.told
        if isinstance(event, Settled)
    }
    for node, event in world.told:
        if isinstance(event, Granted) and (event.name, event.pid) not in given_up | told:
            assert world.tables[node].find(event.name) == event.pid
