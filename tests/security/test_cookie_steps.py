"""A cookie that is changed with a step left out, or on some machines alone, makes no half cluster.

Who knows the new cookie hears a node that has only the old one, and is not heard by it. Neither
takes the other for a node that can be reached, and the one that refuses counts it.
"""

from __future__ import annotations

import pytest

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.node.channel import Secrets
from aybiza.actors.runtime import VM
from tests.actors.node.test_stream_carrier import COOKIE as OLD
from tests.actors.node.test_stream_carrier import OTHER as NEW
from tests.actors.node.test_stream_carrier import End, ends, until

KNOCKS = 3


@pytest.mark.parametrize(
    ("behind", "ahead"),
    [((OLD,), (NEW, OLD)), ((OLD,), (NEW,)), ((OLD, NEW), (NEW,)), ((NEW, OLD), (OLD,))],
    ids=["put first at once", "changed at once", "taken out at once", "put back at once"],
)
async def test_nodes_two_steps_apart_are_no_half_cluster(
    behind: tuple[bytes, ...], ahead: tuple[bytes, ...]
) -> None:
    one = End("one", Secrets(b"\n".join(behind)), "m:1")
    other = End("other", Secrets(b"\n".join(ahead)), "m:2")
    async with (
        VM("one", creation=7) as here,
        VM("other", creation=7) as there,
        Distribution(here, one.carrier) as cluster,
        Distribution(there, other.carrier),
        ends(one, other),
    ):
        cluster._connections.meet(other.card)
        await until(lambda: sum(end.refused.get("cookie", 0) for end in (one, other)) >= KNOCKS)
        assert (here.nodes(), there.nodes()) == ([], [])
