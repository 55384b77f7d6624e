"""One call to many nodes."""

import pytest

from aybiza.actors.cluster.multi import multi_call
from aybiza.actors.runtime import virtual_time
from tests.actors.cluster.kit import Probe, cluster


@virtual_time
async def test_replies_come_by_node_and_the_others_are_named() -> None:
    async with cluster("a", "b", "c") as (_, [a, b, c]):
        for node in (a, b):
            await node.vm.start(Probe, name="probe")
        del c
        assert await multi_call(a.vm, "probe", 1) == (
            {"a": ("echo", 1), "b": ("echo", 1)},
            ["c"],
        )
        assert await multi_call(a.vm, "probe", 1, ["b", "gone"]) == ({"b": ("echo", 1)}, ["gone"])
        assert await multi_call(a.vm, "probe", ("never",), ["b"], 0.1) == ({}, ["b"])


@virtual_time
async def test_what_cannot_be_pickled_is_the_callers_error() -> None:
    async with cluster("a", "b") as (_, [a, _b]):
        with pytest.raises((AttributeError, TypeError)):
            await multi_call(a.vm, "probe", lambda: None, ["b"])
