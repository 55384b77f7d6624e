"""The machines that are to be joined: how often they are asked, and names that do not resolve."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from aybiza.actors.cluster.membership import Address
from aybiza.actors.cluster.seeds import AGAIN_SECONDS, ALONE_SECONDS, CALM_SECONDS, Seeds, next_wait
from aybiza.actors.runtime import VM, virtual_time
from tests.actors.cluster.kit import LoopCarrier, Network, card, cluster


class Asked(LoopCarrier):
    """Notes who is asked and when; nobody answers by himself."""

    def __init__(self, *seeds: Address) -> None:
        super().__init__(Network(), card(1, "a"))
        self.seeds: Sequence[Address] = seeds
        self.questions: list[tuple[float, list[Address]]] = []

    def hello(self, machines: Sequence[Address]) -> None:
        self.questions.append((asyncio.get_running_loop().time(), list(machines)))


def test_the_wait_doubles_while_all_is_well_and_is_short_otherwise() -> None:
    waits = [0.0]
    for _ in range(6):
        waits.append(next_wait(waits[-1], alone=False, calm=True))
    assert waits[1:] == [5.0, 10.0, 20.0, 40.0, CALM_SECONDS, CALM_SECONDS]
    assert next_wait(CALM_SECONDS, alone=False, calm=False) == AGAIN_SECONDS
    assert next_wait(CALM_SECONDS, alone=True, calm=False) == ALONE_SECONDS


async def asked(
    carrier: Asked, seconds: float, resolve: Any, answers: Sequence[str] = ()
) -> list[list[Address]]:
    """The questions of so many seconds; `answers` come at once to each."""
    async with VM() as vm:
        seeds = Seeds(vm, carrier, resolve)
        task = asyncio.create_task(seeds.ask(lambda: True))
        end = vm.now() + seconds
        while vm.now() < end:
            await asyncio.sleep(0.1)
            for machine in answers:
                seeds.answer(machine)
        task.cancel()
    return [machines for _, machines in carrier.questions]


@virtual_time
async def test_a_name_is_looked_up_again_and_named_in_the_log_once_a_minute() -> None:
    found: list[str] = []

    def resolve(host: str) -> str:
        found.append(host)
        if len(found) < 20:
            raise OSError("no such name")
        return "10.0.0.9"

    carrier = Asked(("nowhere", 1900))
    with capture_logs() as logs:
        questions = await asked(carrier, 40, resolve, ["m"])
    assert questions[0] == []
    assert questions[-1] == []
    assert len(questions) > 5
    told = [entry for entry in logs if entry["event"] == "join_name_not_resolved"]
    assert [entry["host"] for entry in told] == ["nowhere"]
    assert "tried again" in told[0]["advice"]
    found.extend([""] * 20)
    assert (await asked(Asked(("nowhere", 1900)), 1, resolve, ["m"]))[-1] == [("10.0.0.9", 1900)]


@virtual_time
async def test_a_name_server_that_fails_later_does_not_take_the_address_away() -> None:
    up = [True]

    def resolve(_: str) -> str:
        if not up.pop() if up else True:
            raise OSError("the name server is down")
        return "10.0.0.9"

    questions = await asked(Asked(("there", 1900)), 12, resolve, ["m"])
    assert len(questions) >= 3
    assert questions[1:] == [[("10.0.0.9", 1900)]] * (len(questions) - 1)


async def test_a_name_server_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aybiza.actors.cluster.seeds.RESOLVE_SECONDS", 0.2)

    def resolve(host: str) -> str:
        if host == "slow":
            time.sleep(1.0)
        return "10.0.0.9"

    carrier = Asked(("slow", 1900), ("quick", 1901))
    began = asyncio.get_running_loop().time()
    questions = await asked(carrier, 0.5, resolve)
    assert questions[:2] == [[], [("10.0.0.9", 1901)]]
    assert carrier.questions[0][0] - began < 0.2


@virtual_time
async def test_a_cluster_that_is_whole_asks_seldom() -> None:
    async with cluster("a", "b") as (_, [a, _b]):
        carrier: Any = a._carrier
        questions: list[float] = []
        plain = carrier.hello

        def hello(machines: Sequence[Address]) -> None:
            questions.append(a.vm.now())
            plain(machines)

        carrier.hello = hello
        await asyncio.sleep(300)
        assert len(questions) < 10
