"""A campaign whose node dies in the middle: another goes on, nobody is called twice, all are."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from aybiza.actors import names
from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.outbound.attempt_store import AttemptStore
from aybiza.actors.outbound.outbound_actor import Means, OutboundActor, RunCampaign, Status
from aybiza.actors.runtime import KILL, CallExit, virtual_time
from aybiza.dialogue.outbound.dialler import Answer, Told
from aybiza.supervisors import Supervisor, singleton
from tests.actors.cluster.kit import cluster
from tests.call.placed import OURS, RULES, rules_in

PEOPLE = [f"+1415555{number}" for number in range(2671, 2683)]
SPEC = {
    "name": "reminders",
    "agent": "clinic",
    "from": OURS,
    "numbers": PEOPLE,
    "limits": {"concurrency": 3, "spacing_minutes": 1, "attempts_a_day": 5},
}
WAY_SECONDS, TALK_SECONDS = 0.2, 3.0
DEATHS = (1.1, 1.3, 7.5)
"""While the first order is on its way, while its answer is, in the middle of it all."""


class Who:
    """Stands for an `Answering`."""

    route, tenant = "default", "Napoli"


class Carrier:
    """One carrier for both nodes: an order and its answer take their time, and so does a call."""

    def __init__(self) -> None:
        self.calls: dict[str, tuple[str, float]] = {}
        self.rung: Counter[str] = Counter()

    async def place(self, attempt: Any) -> Answer:
        await asyncio.sleep(WAY_SECONDS)
        self.rung[attempt.to] += 1
        self.calls[attempt.id] = (f"CA-{attempt.id}", asyncio.get_running_loop().time())
        await asyncio.sleep(WAY_SECONDS)
        return Answer(attempt.id, f"CA-{attempt.id}")

    async def look_up(self, attempt: Any, call_id: str) -> Told:
        await asyncio.sleep(WAY_SECONDS)
        if attempt.id not in self.calls:
            return Told(attempt.id, "")
        return self._told(attempt.id)

    def callbacks(self) -> list[Told]:
        """What it tells of its own accord."""
        return [self._told(id_) for id_ in self.calls]

    def _told(self, id_: str) -> Told:
        call, at = self.calls[id_]
        if asyncio.get_running_loop().time() - at < TALK_SECONDS:
            return Told(id_, "ringing", call)
        return Told(id_, "completed", call, seconds=3, by="human")


async def tell(nodes: list[Distribution], carrier: Carrier) -> None:
    """Callbacks come to whatever node the carrier reaches."""
    while True:
        await asyncio.sleep(1.0)
        for told in carrier.callbacks():
            nodes[-1].vm.cast(names.outbound(nodes[-1].vm), told)


async def campaign(folder: Path, dies_after: float) -> tuple[Carrier, dict[str, Any]]:
    """What the carrier has seen, and the campaign's row at its end."""
    carrier = Carrier()
    read = rules_in(folder, *PEOPLE, text=RULES.replace("minutes = 10", "minutes = 1"))
    known: Any = {"clinic": Who()}
    stores = [AttemptStore(folder / "outbound.sqlite3") for _ in range(2)]
    async with cluster("a", "b") as (_, nodes):
        for node, store in zip(nodes, stores, strict=True):
            now = node.vm.now
            made = Means(store, carrier, read, known.get, lambda now=now: 1_000_000.0 + now())  # type: ignore[misc]
            spec = singleton(OutboundActor, names.OUTBOUND, made)
            await node.vm.start(Supervisor, [spec], name="supervisor")
        telling = asyncio.create_task(tell(nodes, carrier))
        first, other = nodes
        await other.vm.call(names.outbound(other.vm), RunCampaign(SPEC), 10.0)
        await asyncio.sleep(dies_after)
        # Nothing of the node is left, and the machine gives its lock to others.
        dead: Any = first._carrier
        dead.dead = True
        for pid in first.vm.processes():
            first.vm.exit(pid, KILL)
        stores[0].close()
        row: dict[str, Any] = {"state": "running"}
        async with asyncio.timeout(1_800):
            while row["state"] == "running":
                await asyncio.sleep(5)
                row = await _row(other, row)
        telling.cancel()
        await other.vm.stop("supervisor", "shutdown", 5.0)
    return carrier, row


async def _row(node: Distribution, before: dict[str, Any]) -> dict[str, Any]:
    try:
        told = await node.vm.call(names.outbound(node.vm), Status("reminders"), 10.0)
    except CallExit:
        return before
    row: dict[str, Any] = told["campaigns"][0]
    return row


@virtual_time
async def test_whenever_a_node_dies_everybody_is_called_and_nobody_twice(tmp_path: Path) -> None:
    for number, dies_after in enumerate(DEATHS):
        carrier, row = await campaign(tmp_path / str(number), dies_after)
        assert carrier.rung == Counter(PEOPLE), dies_after
        assert row["state"] == "done" and row["outcomes"]["human"] == len(PEOPLE), dies_after
