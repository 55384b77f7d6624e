"""Which node takes a call, as one node's board has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.placement.placement import (
    ADMITTED_SECONDS,
    BUSIER_SECONDS,
    LAG_SAMPLES,
    REFUSING_SECONDS,
    Board,
    Limits,
    Place,
    Row,
)


def board(calls: int = 2) -> Board:
    limits = Limits(calls=calls, lag_ms=100, memory_mb=500)
    return Board("here", limits, Place("http://here", "ws://here"))


def row(node: str, calls: int = 0, max_calls: int = 10, refusal: str = "") -> Row:
    return Row(node, Place(f"http://{node}"), calls, max_calls, 1.0, 100, False, refusal)


def one_call(node: str, calls: int = 0, machine: str = "m") -> Row:
    place = Place("", f"ws://{node}", machine, one_call=True)
    return Row(node, place, calls, 1, 1.0, 100, False, "full" if calls else "")


def test_a_node_below_its_limits_takes_calls() -> None:
    own = board()
    assert own.refusal(1, 2) == ""
    assert own.row(0.0).room == 2


@pytest.mark.parametrize("reason", ["draining", "full", "slow", "short of memory"])
def test_each_limit_is_a_reason_to_refuse_and_leaves_no_room(reason: str) -> None:
    own = board()
    own.calls = 2 if reason == "full" else 0
    own.draining = reason == "draining"
    for _ in range(LAG_SAMPLES):
        own.late(0.2 if reason == "slow" else 0.0)
    own.memory_mb = 501 if reason == "short of memory" else 500
    assert own.refusal(own.calls, 2).startswith(reason)
    assert own.row(0.0).refusal.startswith(reason)
    assert own.row(0.0).room == 0


def test_one_hiccup_of_the_loop_is_no_reason_and_an_early_wake_counts_as_none() -> None:
    own = board()
    for _ in range(LAG_SAMPLES - 1):
        own.late(-0.5)
    own.late(0.9)
    assert own.refusal(0, 2) == ""
    for _ in range(LAG_SAMPLES):
        own.late(0.101)
    assert own.refusal(0, 2) == "slow: its loop is 101 ms late"


def test_how_late_the_loop_was_while_the_node_started_sends_no_caller_away() -> None:
    own = board()
    for _ in range(3):
        own.late(5.0)
    own.opened()
    own.late(0.9)
    assert own.refusal(0, 2) == ""


def test_calls_that_were_let_in_count_until_they_come_or_their_time_is_up() -> None:
    own = board()
    own.admit("CA1", 0.0)
    own.admit("CA2", 1.0)
    assert own.row(2.0).calls == 2
    assert own.row(2.0).refusal == "full: 2 calls"
    assert own.expected(2.0, but="CA2") == 1
    own.arrived("CA1")
    assert own.expected(2.0) == 1
    assert own.expected(1.0 + ADMITTED_SECONDS) == 0


def test_a_call_goes_to_the_node_with_the_largest_share_of_its_room_left() -> None:
    own = board()
    assert own.elsewhere() is None
    rows = row("half", 50, 100), row("free", 1, 10), row("away", refusal="draining")
    for each in (*rows, one_call("no webhook")):
        own.told(each)
    best = own.elsewhere()
    assert best is not None and best.node == "free"
    assert own.room_elsewhere() == 59
    own.keep(["half", "away"])
    best = own.elsewhere()
    assert best is not None and best.node == "half"


def test_calls_that_are_sent_on_are_spread_before_their_nodes_tell_of_them() -> None:
    own = board()
    for name in ("a", "b", "c"):
        own.told(row(name, 0, 4))
    sent: dict[str, int] = {}
    while (other := own.elsewhere()) is not None:
        own.sent(other.node)
        sent[other.node] = sent.get(other.node, 0) + 1
    assert sent == {"a": 4, "b": 4, "c": 4}
    own.sent("unknown")


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.booleans()), max_size=6))
def test_nobody_without_room_is_chosen(rows: list[tuple[int, int, bool]]) -> None:
    own = board()
    for number, (calls, limit, refuses) in enumerate(rows):
        own.told(row(f"n{number}", calls, limit, "draining" if refuses else ""))
    best = own.elsewhere()
    room = [limit - calls for calls, limit, refuses in rows if not refuses and calls < limit]
    assert (best is None) == (not room)
    assert own.room_elsewhere() == sum(room)


def test_with_isolation_the_room_is_that_of_the_machine_s_one_call_nodes() -> None:
    own = Board("here", Limits(calls=100), Place("http://here", "ws://here", "m", isolated=True))
    assert own.row(0.0).refusal == "full: 0 calls"
    assert own.lend(0.0) is None
    for each in (one_call("a"), one_call("b", calls=1), one_call("c", machine="other")):
        own.told(each)
    assert (own.row(0.0).calls, own.row(0.0).max_calls, own.row(0.0).room) == (1, 2, 1)
    lent = own.lend(0.0)
    assert lent is not None and lent.node == "a"
    assert own.lend(1.0) is None
    assert own.row(1.0).refusal == "full: 2 calls"
    own.told(one_call("a"))  # its caller is yet to come
    assert own.lend(1.0) is None
    own.down("a")
    own.told(one_call("a"))  # a new one
    assert own.lend(2.0) is not None
    assert own.row(2.0 + ADMITTED_SECONDS).room == 1


@pytest.mark.parametrize(
    ("calls", "others", "draining", "seconds"),
    [
        (1, {}, False, 0.0),
        (1, {"a": (2, "m", "")}, False, 0.0),
        (1, {"a": (1, "m", "")}, False, 0.0),
        (1, {"a": (0, "m", "")}, False, BUSIER_SECONDS),
        (1, {"a": (0, "elsewhere", "")}, False, 0.0),
        (1, {"a": (0, "m", "draining")}, False, 0.0),
        (0, {"a": (0, "m", "draining"), "b": (9, "m", "")}, True, REFUSING_SECONDS),
        (0, {"a": (0, "m", "draining")}, True, 0.0),
    ],
)
def test_who_knocks_at_the_machine_s_door_is_left_to_the_node_with_the_most_room(
    calls: int, others: dict[str, tuple[int, str, str]], draining: bool, seconds: float
) -> None:
    own = Board("here", Limits(calls=10), Place("http://here", "ws://here", "m"))
    own.calls, own.draining = calls, draining
    for name, (carried, machine, refusal) in others.items():
        place = Place(f"http://{name}", "", machine)
        own.told(Row(name, place, carried, 10, 1.0, 100, bool(refusal), refusal))
    assert own.patience(0.0) == seconds
