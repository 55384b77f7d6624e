"""Some pass in a turn of the loop, the others in later ones, in their order."""

from __future__ import annotations

import asyncio

from aybiza.actors.runtime import virtual_time
from aybiza.gateway.admission.turnstile import Turnstile


@virtual_time
async def test_of_many_who_come_at_once_some_pass_in_each_turn() -> None:
    turnstile, read, turns = Turnstile(2), list[int](), list[int]()

    def note(number: int) -> None:
        read.append(number)

    for number in range(7):
        if turnstile.passes(lambda number=number: note(number)):  # type: ignore[misc]
            note(number)
    while len(read) < 7:
        turns.append(len(read))
        await asyncio.sleep(0)
    assert read == list(range(7))
    assert turns == [2, 4, 6]
    await asyncio.sleep(0)
    assert turnstile.passes(lambda: None)


@virtual_time
async def test_who_is_dear_to_read_is_the_last_of_a_turn() -> None:
    now, read, turns = [0.0], list[int](), list[int]()
    turnstile = Turnstile(16, timer=lambda: now[0])

    def dear(number: int) -> None:
        now[0] += 0.05
        read.append(number)

    for number in range(4):
        if turnstile.passes(lambda number=number: dear(number)):  # type: ignore[misc]
            dear(number)
    while len(read) < 4:
        turns.append(len(read))
        await asyncio.sleep(0)
    assert read == list(range(4))
    assert turns == [1, 2, 3]


@virtual_time
async def test_nobody_overtakes_those_who_wait() -> None:
    turnstile, read = Turnstile(1), list[str]()
    assert turnstile.passes(lambda: None)
    for name in "ab":
        assert not turnstile.passes(lambda name=name: read.append(name))  # type: ignore[misc]
    await asyncio.sleep(0)
    assert not turnstile.passes(lambda: read.append("c"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert read == ["a", "b", "c"]
