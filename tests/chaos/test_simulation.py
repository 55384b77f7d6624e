"""Ten minutes of chaos in virtual time, and that its checks see what is broken."""

import pytest

from aybiza.actors.cluster import link
from aybiza.actors.cluster.groups import GroupTable
from aybiza.actors.cluster.ties import Ties
from tests.chaos.simulation import Broken, simulate


@pytest.mark.parametrize(("seed", "nodes"), [(1, 3), (2, 4)])
def test_chaos_breaks_no_invariant(seed: int, nodes: int) -> None:
    world = simulate(seed, 300, nodes)
    assert world.counts["casts"] > 500
    assert min(world.counts.values()) > 25
    assert 1.0 < world.slowest_down < 2.0


def test_a_node_that_is_missed_too_late_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "SILENCE_SECONDS", 2.6)
    with pytest.raises(Broken, match="for up 2"):
        simulate(1, 600, 3)


def test_a_monitor_that_does_not_fire_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ties, "node_down", lambda *_: None)
    with pytest.raises(Broken, match="never told"):
        simulate(1, 600, 3)


def test_members_of_a_lost_node_that_stay_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GroupTable, "node_down", lambda *_: None)
    with pytest.raises(Broken, match="members differ"):
        simulate(1, 600, 3)
