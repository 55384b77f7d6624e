"""What the webhook's query tells of a call that comes in."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.arrival import HELD_SECONDS, MAX_HOPS, MAX_RETURNS, MAX_WAITS, Arrival

NOW = 1_700_000_000.0


def read(query: str, now: float = NOW) -> Arrival:
    return Arrival.of(dict(parse_qsl(query)), now)


def test_a_first_call_begins_now() -> None:
    assert read("") == Arrival(since=int(NOW))


def test_the_way_back_tells_who_has_the_call_and_since_when_it_runs() -> None:
    query = read("").back(NOW, "front-1")
    assert read(query, NOW + 5) == Arrival(1, int(NOW), int(NOW), "front-1", 0)


def test_the_way_onward_counts_nodes_and_the_stream_ends_the_count() -> None:
    arrival = read("again=1&node=a")
    for hop in range(MAX_HOPS):
        assert arrival.may_go_on
        arrival = read(arrival.onward())
        assert (arrival.hops, arrival.node, arrival.again) == (hop + 1, "a", 1)
    assert not arrival.may_go_on
    assert read(arrival.back(NOW, "b")).may_go_on
    assert not read(Arrival().finally_here()).may_go_on


def test_a_new_caller_is_not_held_and_one_who_comes_back_for_so_long_only() -> None:
    assert not read("").may_wait
    arrival = read("again=1&hops=2")
    for waits in range(MAX_WAITS):
        assert arrival.may_wait
        arrival = read(arrival.later())
        assert (arrival.waits, arrival.hops, arrival.again) == (waits + 1, 0, 1)
    assert not arrival.may_wait
    assert read(arrival.back(NOW, "a")).may_wait


def test_a_call_that_comes_back_at_once_again_and_again_is_hopeless() -> None:
    arrival = read("")
    for _ in range(MAX_RETURNS):
        arrival = read(arrival.back(NOW, "a"), NOW + HELD_SECONDS)
        assert not arrival.is_hopeless
    assert read(arrival.back(NOW, "a"), NOW + HELD_SECONDS).is_hopeless


def test_a_stream_that_has_held_makes_earlier_returns_forgotten() -> None:
    arrival = read(f"again={MAX_RETURNS + 1}&at={int(NOW)}", NOW + HELD_SECONDS + 1)
    assert arrival.again == 1


@pytest.mark.parametrize(
    "query",
    ["again=x&since=-1&at=1e3&hops=%FF&node=<x>", "again=" + "9" * 400, "since=99999999999"],
)
def test_what_cannot_be_read_counts_as_absent(query: str) -> None:
    assert read(query) == Arrival(since=int(NOW))


@given(
    st.dictionaries(st.sampled_from(["again", "since", "at", "node", "hops", "waits"]), st.text())
)
def test_any_query_is_read_and_can_be_written_again(query: dict[str, str]) -> None:
    arrival = Arrival.of(query, NOW)
    assert read(arrival.onward()).hops == arrival.hops + 1
