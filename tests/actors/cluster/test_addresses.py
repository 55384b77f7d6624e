"""Where what a destination means is."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.cluster.addresses import Addresses, Place, node_of, pid_of
from aybiza.actors.cluster.membership import Membership
from aybiza.actors.runtime import VM, Pid, Via, virtual_time
from tests.actors.cluster.kit import Actor, LoopCarrier, Network, Probe, card

THERE = Pid("b", 7, 1)


@virtual_time
async def test_pids_names_on_nodes_shared_names_and_actors_are_told_apart() -> None:
    own = card(1, "a")
    owners: dict[Any, Pid] = {"far": THERE}

    def owner(dest: Any) -> Pid | None:
        return owners.get(dest.key) if type(dest) is Via else None

    async with VM("a") as vm:
        addresses = Addresses(vm, LoopCarrier(Network(), own), Membership(own), owner)
        here = await vm.start(Probe, name="near")
        assert here is not None
        owners["near"] = here
        actor = Actor()
        places = {
            here: None,
            THERE: Place("b", THERE),
            ("near", "a"): None,
            ("near", "b"): Place("b", "near"),
            Via("cluster", "far"): Place("b", THERE),
            Via("cluster", "near"): None,
            Via("cluster", "nobody"): None,
            actor: Place(None, actor),
        }
        assert {dest: addresses.place(dest) for dest in places} == places
        process = vm.find(here)
        assert addresses.find(("near", "a")) is process
        assert addresses.find(Via("cluster", "near")) is process
        assert addresses.find(("near", "b")) is None
        assert addresses.find(Via("cluster", "far")) is None
        assert addresses.reaches(Place(None, actor))
        assert not addresses.reaches(Place("b", THERE))


def test_an_actor_can_be_sent_messages_only_and_a_link_needs_a_pid() -> None:
    assert node_of(Place("b", THERE)) == "b"
    assert pid_of(Place("b", THERE)) == THERE
    with pytest.raises(TypeError, match="it can be sent messages only"):
        node_of(Place(None, "actor"))
    with pytest.raises(TypeError, match="a link to another node needs a pid, not 'name'"):
        pid_of(Place("b", "name"))
