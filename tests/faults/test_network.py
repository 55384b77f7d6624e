"""The network between nodes of a world: it can be cut, and a node of it held or dead."""

from __future__ import annotations

import asyncio
from typing import Any

from aybiza.actors.runtime.clock import virtual_time
from aybiza.faults.network import LoopCarrier, Network


def attached(network: Network, name: str) -> tuple[LoopCarrier, list[Any]]:
    carrier, came = network.carrier(name), list[Any]()
    carrier.attach(lambda message, sender: came.append(message))
    return carrier, came


@virtual_time
async def test_what_is_posted_arrives_as_a_copy_a_moment_later() -> None:
    network = Network()
    one, _ = attached(network, "one")
    two, came = attached(network, "two")
    told = ["hello"]
    one.post(two.card.address, told)
    assert came == []
    await asyncio.sleep(0.001)
    assert came == [["hello"]] and came[0] is not told


@virtual_time
async def test_parted_nodes_hear_nothing_of_each_other_until_it_is_healed() -> None:
    network = Network()
    one, came_one = attached(network, "one")
    two, came_two = attached(network, "two")
    three, came_three = attached(network, "three")
    network.part(["one"], ["two", "three"])
    one.post(two.card.address, "lost")
    two.post(one.card.address, "lost")
    two.post(three.card.address, "kept")
    await asyncio.sleep(0.01)
    assert (came_one, came_two, came_three) == ([], [], ["kept"])
    network.heal()
    one.post(two.card.address, "again")
    await asyncio.sleep(0.01)
    assert came_two == ["again"]


@virtual_time
async def test_a_frozen_node_says_nothing_and_takes_later_what_came_and_a_dead_one_never() -> None:
    network = Network()
    one, came_one = attached(network, "one")
    two, came_two = attached(network, "two")
    two.frozen = []
    one.post(two.card.address, "early")
    two.post(one.card.address, "unsaid")
    await asyncio.sleep(0.01)
    assert (came_one, came_two) == ([], [])
    two.thaw()
    assert came_two == ["early"]
    two.dead = True
    one.post(two.card.address, "late")
    await asyncio.sleep(0.01)
    assert came_two == ["early"]
