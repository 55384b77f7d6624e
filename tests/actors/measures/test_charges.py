"""What calls are charged for, and that every sum is the sum of its parts: whole calls in virtual
time."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from aybiza.actors.measures import charges, costs, events
from aybiza.actors.runtime.telemetry import Event
from aybiza.config.catalogue import MICRO
from aybiza.faults.caller import hangs_up, interrupts, says
from aybiza.faults.world import World, in_world
from aybiza.speech.playout import BYTES_A_SECOND

ASK, HOURS = "Your hours?", "From nine to five, and on Saturdays from ten to two, goodbye."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
ANSWERS = {ASK: [HOURS], "A story, please.": [STORY]}


class Heard:
    """What the events of money tell."""

    def __init__(self, world: World) -> None:
        self.charges: list[dict[str, Any]] = []
        self.ends: list[dict[str, Any]] = []
        for vm in world.vms:
            vm.telemetry.attach_many("money", [events.COST, events.CALL_STOP], self._hear)

    def _hear(self, event: Event, measured: Any, told: Any, _: Any) -> None:
        kept = self.charges if event == events.COST else self.ends
        kept.append({**measured, **told})

    def of(self, what: str) -> list[dict[str, Any]]:
        return [charge for charge in self.charges if charge["what"] == what]


@pytest.mark.parametrize("seed", range(2))
def test_the_sum_of_a_call_a_tenant_and_a_day_is_that_of_its_parts(seed: int) -> None:
    async def talk(world: World) -> tuple[Heard, Any]:
        heard = Heard(world)
        for _ in range(2):
            steps = (says("A story, please."), interrupts(ASK), hangs_up(when="goodbye"))
            async with world.call(*steps) as call:
                await call.over()
        return heard, costs.ledger(world.vm)

    heard, ledger = in_world(talk, answers=ANSWERS, seed=seed, delta_ms=120.0)
    total = sum(charge["micro_usd"] for charge in heard.charges)
    calls: Counter[str] = Counter()
    for charge in heard.charges:
        calls[charge["call_id"]] += charge["micro_usd"]
    assert {end["call_id"]: end["micro_usd"] for end in heard.ends} == dict(calls)
    assert sum(ledger.days.values()) == sum(ledger.tenant_days.values()) == total > 0
    assert {charge["what"] for charge in heard.charges} == {"model", "listen", "speak", "carrier"}
    for charge in heard.charges:
        assert charge["micro_usd"] == round(charge["usd"] * MICRO)


def test_an_answer_that_the_caller_cut_short_is_charged_by_what_had_come() -> None:
    async def talk(world: World) -> Heard:
        heard = Heard(world)
        # The whole answer is far longer than what is out when the caller speaks.
        steps = (says("A story, please."), interrupts(ASK), hangs_up(when="goodbye"))
        async with world.call(*steps) as call:
            await call.over()
        return heard

    heard = in_world(talk, answers=ANSWERS, delta_ms=400.0)
    (cut,) = (charge for charge in heard.of("model") if charge.get("estimated"))
    assert cut["turn"] == 1
    assert cut["input_tokens"] > 0
    assert 0 < cut["output_tokens"] < len(STORY) // 4
    assert cut["micro_usd"] > 0


def test_audio_characters_and_begun_minutes_are_charged_once() -> None:
    async def talk(world: World) -> tuple[Heard, int]:
        heard = Heard(world)
        async with world.call(says(ASK), hangs_up(when="goodbye")) as call:
            await call.over()
        return heard, world.lines["CA1"].ring.end

    heard, audio = in_world(talk, answers=ANSWERS)
    listened = sum(charge["quantity"] for charge in heard.of("listen"))
    assert listened == pytest.approx(audio / BYTES_A_SECOND, abs=1.0)
    spoken = sum(charge["quantity"] for charge in heard.of("speak"))
    assert spoken >= len(HOURS)
    assert [charge["quantity"] for charge in heard.of("carrier")] == [1.0]
    (carrier,) = heard.of("carrier")
    assert (carrier["model"], carrier["micro_usd"]) == ("twilio", 12_500)


def test_what_has_no_price_costs_nothing_and_is_told_once() -> None:
    async def talk(world: World) -> Heard:
        heard = Heard(world)
        world.prices = world.prices.model_copy(update={"speak": {}})
        async with world.call(says(ASK), hangs_up(when="goodbye")) as call:
            await call.over()
        assert world.lines["CA1"].unpriced == {"speak"}
        return heard

    heard = in_world(talk, answers=ANSWERS)
    assert {charge["micro_usd"] for charge in heard.of("speak")} == {0}


def test_nothing_new_is_no_charge() -> None:
    async def talk(world: World) -> int:
        async with world.call(says(ASK), hangs_up(when="goodbye")) as call:
            await call.over()
        heard, line = Heard(world), world.lines["CA1"]
        line.charged = line.ring.end
        context: Any = type("Context", (), {"line": line})
        charges.heard(world.vm, context)
        return len(heard.charges)

    assert in_world(talk, answers=ANSWERS) == 0
