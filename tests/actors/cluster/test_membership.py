"""Who is a member, and who is told of whom."""

import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.actors.cluster.link import SILENCE_SECONDS
from aybiza.actors.cluster.membership import (
    FORGET_SECONDS,
    Address,
    Card,
    Down,
    Event,
    Farewell,
    Membership,
    NameTaken,
    Post,
    Refusal,
    Up,
)
from tests.actors.cluster.kit import card

TICK = 0.1


class World:
    """Memberships and a carrier between them, which may be cut."""

    def __init__(self, *cards: Card) -> None:
        self.now = 0.0
        self.nodes = {each.address: Membership(each) for each in cards}
        self.seen: dict[Address, list[Any]] = {each.address: [] for each in cards}
        self.cut: set[frozenset[Address]] = set()
        self.frozen: set[Address] = set()
        self.posted: list[tuple[Address, Post]] = []
        self.dice = random.Random(1)

    def handle(self, source: Address, events: Iterator[Event]) -> None:
        for event in events:
            if isinstance(event, Post):
                self.posted.append((source, event))
            else:
                self.seen[source].append(event)

    def meet_all(self) -> None:
        for address, node in self.nodes.items():
            for other in self.nodes.values():
                self.handle(address, node.meet(self.now, other.card))

    def deliver(self) -> None:
        for _ in range(20):
            posted, self.posted = self.posted, []
            for source, post in posted:
                target = self.nodes.get(post.address)
                heard = frozenset((source, post.address)) not in self.cut
                if target is not None and heard and post.address not in self.frozen:
                    events = target.receive(self.now, post.message)
                    self.handle(post.address, events)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += TICK
            for address, node in list(self.nodes.items()):
                if address not in self.frozen:
                    self.handle(address, node.tick(self.now))
            self.deliver()

    def up(self, address: Address) -> list[str]:
        return sorted(each.name for each in self.nodes[address].up())


A, B, C = card(1, "a"), card(2, "b"), card(3, "c")


def three() -> World:
    world = World(A, B, C)
    world.meet_all()
    world.run(1)
    assert all(len(node.up()) == 2 for node in world.nodes.values())
    world.seen = {address: [] for address in world.nodes}
    return world


def test_nodes_that_have_met_are_up_on_both_sides() -> None:
    world = World(A, B)
    world.handle(A.address, world.nodes[A.address].meet(0.0, B))  # one of them is enough
    world.run(0.5)
    assert world.seen == {A.address: [Up(B)], B.address: [Up(A)]}


def test_a_node_that_dies_is_down_within_two_seconds_and_nobody_else() -> None:
    world = three()
    del world.nodes[C.address]
    world.run(SILENCE_SECONDS + 0.3)
    assert world.seen[A.address] == world.seen[B.address] == [Down(C, "silent")]
    assert SILENCE_SECONDS + 0.3 < 2.0


def test_a_refused_connection_is_a_death() -> None:
    world = three()
    del world.nodes[C.address]
    world.handle(A.address, world.nodes[A.address].unreachable(world.now, C.address, "refused"))
    assert world.seen[A.address] == [Down(C, "refused")]


def test_what_the_keeper_has_seen_end_is_down_and_forgotten() -> None:
    world = three()
    node = world.nodes[A.address]
    world.handle(A.address, node.gone(C, "killed"))
    world.handle(A.address, node.gone(C, "killed"))
    assert world.seen[A.address] == [Down(C, "killed")]
    assert [peer.card for peer in node.known()] == [B]


def test_a_farewell_is_an_end_at_once() -> None:
    world = three()
    farewells = list(world.nodes[C.address].leave())
    assert {post.message for post in farewells if isinstance(post, Post)} == {Farewell(C)}
    world.handle(C.address, iter(farewells))
    del world.nodes[C.address]
    world.deliver()
    assert world.seen[A.address] == [Down(C, "it has ended in order")]


def test_a_partition_parts_and_its_end_joins() -> None:
    world = three()
    world.cut = {frozenset((A.address, C.address)), frozenset((B.address, C.address))}
    world.run(30)
    assert [world.up(each.address) for each in (A, B, C)] == [["b"], ["a"], []]
    world.cut.clear()
    world.run(5)
    assert [world.up(each.address) for each in (A, B, C)] == [["b", "c"], ["a", "c"], ["a", "b"]]
    assert world.seen[C.address].count(Up(A)) == 1


def test_a_node_that_was_frozen_comes_back_and_blames_nobody_twice() -> None:
    world = three()
    world.frozen = {C.address}
    world.run(5)
    assert world.up(A.address) == ["b"]
    world.frozen.clear()
    world.run(5)
    assert [world.up(each.address) for each in (A, B, C)] == [["b", "c"], ["a", "c"], ["a", "b"]]
    assert [type(event) for event in world.seen[C.address]] == [Down, Up, Down, Up] or [
        type(event) for event in world.seen[C.address]
    ] == [Down, Down, Up, Up]


def test_a_short_freeze_is_nobodys_death() -> None:
    world = three()
    world.frozen = {C.address}
    world.run(SILENCE_SECONDS - 0.7)
    world.frozen.clear()
    world.run(3)
    assert world.seen == {A.address: [], B.address: [], C.address: []}


def test_a_node_that_was_started_anew_takes_its_predecessors_place() -> None:
    world = three()
    anew = card(9, "c", start=9000)
    del world.nodes[C.address]
    world.nodes[anew.address] = Membership(anew)
    world.seen[anew.address] = []
    world.meet_all()
    world.run(1)
    assert world.seen[A.address] == [Down(C, "it has started anew"), Up(anew)]
    assert world.up(anew.address) == ["a", "b"]


def test_a_successor_on_a_machine_whose_clock_was_put_back_is_taken_when_nobody_else_answers() -> (
    None
):
    world = three()
    anew = card(9, "c", start=5)
    del world.nodes[C.address]
    world.nodes[anew.address] = Membership(anew)
    world.seen[anew.address] = []
    world.handle(anew.address, world.nodes[anew.address].meet(world.now, A))
    world.run(SILENCE_SECONDS + 3)
    assert world.seen[A.address] == [Down(C, "silent"), Up(anew)]
    assert world.up(anew.address) == ["a"]


def test_a_late_letter_of_a_node_that_is_gone_brings_nothing_back() -> None:
    world = three()
    node = world.nodes[A.address]
    late = [
        post
        for post in world.nodes[C.address].tick(world.now + 1)
        if isinstance(post, Post) and post.address == A.address
    ]
    assert late
    world.handle(A.address, node.gone(C, "killed"))
    for post in late:
        world.handle(A.address, node.receive(world.now + 1, post.message))
    assert world.seen[A.address] == [Down(C, "killed")]


def test_a_second_node_of_the_name_is_refused_and_the_first_stays() -> None:
    world = three()
    thief = card(9, "c", start=9000, machine="elsewhere")
    world.nodes[thief.address] = Membership(thief)
    world.seen[thief.address] = []
    world.handle(thief.address, world.nodes[thief.address].meet(world.now, A))
    world.run(10)
    assert world.seen[thief.address][0] == NameTaken(C)
    assert world.up(thief.address) == []
    assert world.up(A.address) == ["b", "c"]
    assert world.seen[A.address] == []


def test_the_name_of_a_dead_node_is_free() -> None:
    world = three()
    heir = card(9, "c", start=9000, machine="elsewhere")
    del world.nodes[C.address]
    world.nodes[heir.address] = Membership(heir)
    world.seen[heir.address] = []
    world.handle(heir.address, world.nodes[heir.address].meet(world.now, A))
    world.run(4)
    assert world.up(heir.address) == ["a"]
    assert world.seen[A.address] == [Down(C, "silent"), Up(heir)]


def test_of_two_that_meet_the_older_keeps_the_name() -> None:
    older, younger = card(1, "n", start=10), card(2, "n", start=20, machine="elsewhere")
    first, second = Membership(older), Membership(younger)
    assert list(second.receive(0.0, Refusal(older))) == [NameTaken(older)]
    assert list(first.receive(0.0, Refusal(younger))) == [Post(younger.address, Refusal(older))]


def test_who_does_not_answer_is_forgotten_at_last() -> None:
    world = World(A)
    node = world.nodes[A.address]
    world.handle(A.address, node.meet(0.0, B))
    world.run(10)
    knocks = len([post for _, post in world.posted if post.address == B.address])
    assert knocks == 0  # all were delivered to nobody
    world.now += FORGET_SECONDS
    world.run(1)
    assert list(node.known()) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["cut", "heal", "freeze", "thaw", "run"]), max_size=25), st.data())
def test_after_any_trouble_all_reach_each_other_and_ups_and_downs_alternate(
    steps: list[str], data: st.DataObject
) -> None:
    cards = [card(number, name) for number, name in enumerate("abcd")]
    addresses = [each.address for each in cards]
    world = World(*cards)
    world.meet_all()
    pairs = [frozenset((a, b)) for a in addresses for b in addresses if a < b]
    for step in steps:
        if step == "cut":
            world.cut.add(data.draw(st.sampled_from(pairs)))
        elif step == "heal":
            world.cut.clear()
        elif step == "freeze":
            world.frozen.add(data.draw(st.sampled_from(addresses)))
        elif step == "thaw":
            world.frozen.clear()
        world.run(data.draw(st.sampled_from([0.2, 1.0, 3.0])))
    world.cut.clear()
    world.frozen.clear()
    world.run(8)
    for each in cards:
        assert world.up(each.address) == sorted(c.name for c in cards if c is not each)
        for other in cards:
            events = [type(e) for e in world.seen[each.address] if e.card == other]
            assert events == [Up, Down] * (len(events) // 2) + [Up] * (len(events) % 2)
