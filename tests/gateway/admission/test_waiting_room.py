"""The waiting room: bounded by address, in all and in time; the oldest goes first."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.runtime import virtual_time
from aybiza.gateway.admission.waiting_room import Guest, WaitingRoom

EACH = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4")
A, B = EACH[:2]
PROXY = "10.0.1.1"


class Transport(asyncio.Transport):
    """Knows whether it was aborted."""

    aborted = False

    def abort(self) -> None:
        self.aborted = True


class Room(WaitingRoom):
    """A room that keeps what it refuses."""

    def __init__(self, **options: Any) -> None:
        self.told: list[tuple[str, str, str]] = []
        super().__init__(lambda *refusal: self.told.append(refusal), **options)

    def come(self, address: str) -> tuple[Guest, Transport]:
        transport = Transport()
        return self.enter("media", address, transport), transport


@virtual_time
async def test_the_oldest_of_an_address_goes_when_it_has_too_many() -> None:
    room = Room(of_address=2, in_all=10)
    first, second, other = room.come(A)[1], room.come(A)[1], room.come(B)[1]
    third = room.come(A)[1]
    assert [t.aborted for t in (first, second, third, other)] == [True, False, False, False]
    assert room.told == [("media", "connections_of_address", A)]
    assert len(room) == 3


@virtual_time
async def test_the_oldest_of_all_goes_when_there_are_too_many() -> None:
    room = Room(of_address=2, in_all=2)
    first, second, third = (room.come(address)[1] for address in EACH[:3])
    assert [t.aborted for t in (first, second, third)] == [True, False, False]
    assert room.told == [("media", "connections", A)]


@virtual_time
async def test_a_proxy_s_address_has_no_bound_of_its_own() -> None:
    room = Room(of_address=1, in_all=3, exempt=lambda address: address == PROXY)
    transports = [room.come(PROXY)[1] for _ in range(4)]
    assert [t.aborted for t in transports] == [True, False, False, False]
    assert room.told == [("media", "connections", PROXY)]


@virtual_time
async def test_who_is_slow_goes_and_who_has_left_stays_connected() -> None:
    room = Room(seconds=10.0)
    slow, quick = room.come(A), room.come(A)
    await asyncio.sleep(5)
    later = room.come(B)
    room.leave(quick[0])
    room.leave(quick[0])
    await asyncio.sleep(5)
    assert [t.aborted for _, t in (slow, quick, later)] == [True, False, False]
    await asyncio.sleep(5)
    assert later[1].aborted
    assert room.told == [("media", "slow", A), ("media", "slow", B)]
    assert (len(room), room._by_address, room._timer) == (0, {}, None)


@virtual_time
async def test_who_leaves_and_comes_back_has_the_whole_time_again() -> None:
    room = Room(seconds=10.0)
    guest, _ = room.come(A)
    await asyncio.sleep(9)
    room.leave(guest)
    _, transport = room.come(A)
    await asyncio.sleep(9)
    assert not transport.aborted
    await asyncio.sleep(1)
    assert transport.aborted


@given(st.lists(st.tuples(st.sampled_from(EACH), st.booleans()), max_size=60))
def test_the_bounds_hold_whatever_comes_and_goes(steps: list[tuple[str, bool]]) -> None:
    async def run() -> None:
        room = Room(of_address=3, in_all=5)
        here: list[tuple[Guest, Transport]] = []
        for address, comes in steps:
            if comes:
                here.append(room.come(address))
            elif here:
                room.leave(here.pop(0)[0])
            inside = [guest for guest, transport in here if not transport.aborted]
            assert len(room) == len(inside) <= 5
            assert all(sum(g.address == each for g in inside) <= 3 for each in EACH)
            assert set(room._by_address) == {guest.place for guest in inside}

    asyncio.run(run())
