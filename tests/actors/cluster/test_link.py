"""A connection between two nodes, whatever its carrier does."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.actors.cluster import link as module
from aybiza.actors.cluster.link import (
    GAP_SECONDS,
    QUEUE_ITEMS,
    SILENCE_SECONDS,
    WINDOW,
    Link,
    Parcel,
)


class Pair:
    """Two ends and what is under way between them; each end notes what it sees."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ends = [Link(0.0), Link(0.0)]
        self.under_way: list[tuple[int, Parcel]] = []
        self.seen: list[list[object]] = [[], []]
        self.sent: list[dict[tuple[int, int], list[int]]] = [{}, {}]
        self.got: list[dict[tuple[int, int], list[int]]] = [{}, {}]
        self.counter = 0

    def session(self, end: int) -> tuple[int, int]:
        """The pair of epochs, that of end 0 first."""
        mine, other = self.ends[end].epoch, self.ends[end].peer_epoch
        return (mine, other) if end == 0 else (other, mine)

    def put(self, end: int) -> None:
        self.counter += 1
        if self.ends[end].put(b"%d" % self.counter):
            self.sent[end].setdefault(self.session(end), []).append(self.counter)
            self.post(end, *self.ends[end].outgoing())

    def beat(self, end: int) -> None:
        self.post(end, self.ends[end].beat())

    def post(self, end: int, *parcels: Parcel) -> None:
        self.under_way += [(1 - end, parcel) for parcel in parcels]

    def arrive(self, index: int, *, keep: bool = False) -> None:
        end, parcel = self.under_way[index] if keep else self.under_way.pop(index)
        taken = self.ends[end].take(self.now, parcel)
        if taken.closed is not None:
            self.seen[end].append("down")
        if taken.opened:
            self.seen[end].append("up")
        if taken.items:
            self.got[end].setdefault(self.session(end), []).extend(map(int, taken.items))
        self.post(end, *self.ends[end].outgoing())

    def tick(self, seconds: float) -> None:
        self.now += seconds
        for end in (0, 1):
            if self.ends[end].tick(self.now) is not None:
                self.seen[end].append("down")

    def settle(self) -> None:
        """A healthy carrier for some seconds."""
        for _ in range(12):
            self.beat(0)
            self.beat(1)
            while self.under_way:
                self.arrive(0)
            self.tick(0.5)


def connected() -> Pair:
    pair = Pair()
    pair.settle()
    assert pair.seen == [["up"], ["up"]]
    return pair


def test_two_ends_connect_by_their_heartbeats() -> None:
    connected()


def test_items_arrive_in_their_order() -> None:
    pair = connected()
    for _ in range(200):
        pair.put(0)
    while pair.under_way:
        pair.arrive(0)
    assert pair.got[1] == pair.sent[0]


def test_parcels_out_of_order_are_put_in_order() -> None:
    pair = connected()
    for _ in range(10):
        pair.put(0)
    while pair.under_way:
        pair.arrive(len(pair.under_way) - 1)
    assert pair.got[1] == pair.sent[0]


def test_a_silent_peer_is_down_and_what_waited_is_gone() -> None:
    pair = connected()
    pair.put(0)
    pair.tick(SILENCE_SECONDS + 0.1)
    assert pair.seen == [["up", "down"], ["up", "down"]]
    pair.settle()
    assert pair.seen == [["up", "down", "up"], ["up", "down", "up"]]
    assert pair.got == [{}, {}]


def test_a_lost_parcel_ends_the_connection_on_both_sides() -> None:
    pair = connected()
    pair.put(0)
    pair.under_way.clear()
    pair.put(0)
    for _ in range(10):
        pair.beat(0)
        pair.beat(1)
        while pair.under_way:
            pair.arrive(0)
        pair.tick(GAP_SECONDS / 4)
    assert pair.seen == [["up", "down", "up"], ["up", "down", "up"]]
    assert pair.got[1] == {}


def test_a_lost_last_parcel_is_noticed_by_the_heartbeats() -> None:
    pair = connected()
    pair.put(0)
    pair.under_way.clear()
    pair.settle()
    assert pair.seen == [["up", "down", "up"], ["up", "down", "up"]]


def test_no_more_parcels_are_under_way_than_the_window_and_the_rest_is_batched() -> None:
    pair = connected()
    for _ in range(WINDOW + 500):
        pair.put(0)
    assert len(pair.under_way) == WINDOW
    while pair.under_way:
        pair.arrive(0)
    assert pair.got[1] == pair.sent[0]


def test_a_full_queue_refuses_and_keeps_a_reserve() -> None:
    end = connected().ends[0]
    list(end.outgoing())
    while end.put(b"x"):
        pass
    assert end.queued == QUEUE_ITEMS * 0.9
    assert end.put(b"x", reserve=True)
    while end.put(b"x", reserve=True):
        pass
    assert end.queued == QUEUE_ITEMS


def test_a_full_queue_counts_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE_BYTES", 1000)
    end = connected().ends[0]
    assert end.put(b"x" * 5000)  # a single one is never too long
    assert not end.put(b"x")


def test_nothing_can_be_put_without_a_connection() -> None:
    assert not Link(0.0).put(b"x")


STEPS = ["put", "beat", "first", "any", "repeat", "lose", "tick", "close"]


def step_once(pair: Pair, step: str, dice: random.Random) -> None:
    count = len(pair.under_way)
    match step:
        case "put":
            pair.put(dice.randrange(2))
        case "beat":
            pair.beat(dice.randrange(2))
        case "tick":
            pair.tick(dice.choice([0.1, 0.5, 1.0, 3.0]))
        case "close":
            pair.ends[dice.randrange(2)].close()
        case "first" if count:
            pair.arrive(0)
        case "any" if count:
            pair.arrive(dice.randrange(count))
        case "repeat" if count:
            pair.arrive(dice.randrange(count), keep=True)
        case "lose" if count:
            pair.under_way.pop(dice.randrange(count))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["put"] * 6 + ["first"] * 8 + ["beat"] * 3 + ["any", "repeat", *STEPS]),
        max_size=300,
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_the_carrier_does_order_is_kept_and_nothing_comes_twice(
    steps: list[str], dice: random.Random
) -> None:
    pair = Pair()
    for step in steps:
        step_once(pair, step, dice)
    for end in (0, 1):
        for session, got in pair.got[end].items():
            # What arrives in a connection is the beginning of what was sent in it.
            assert got == pair.sent[1 - end][session][: len(got)]
    pair.settle()
    pair.settle()
    before = [len(pair.got[end].get(pair.session(end), [])) for end in (0, 1)]
    assert [end.open for end in pair.ends] == [True, True]
    assert pair.session(0) == pair.session(1)
    pair.put(0)
    pair.put(1)
    pair.settle()
    after = [len(pair.got[end][pair.session(end)]) for end in (0, 1)]
    assert after == [before[0] + 1, before[1] + 1]
    for end in (0, 1):
        assert pair.got[end][pair.session(end)] == pair.sent[1 - end][pair.session(end)]
