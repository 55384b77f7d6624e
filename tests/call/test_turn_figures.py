"""What the figures of a node say of calls whose providers fail: whole calls in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from aybiza.actors import names
from aybiza.actors.measures.metrics_actor import render
from aybiza.actors.measures.performance import analyze_model_performance_trends
from aybiza.actors.measures.provider_health import lost
from aybiza.emulators.bedrock import Fault as BedrockFault
from aybiza.emulators.deepgram.faults import Door
from aybiza.emulators.deepgram.faults import Fault as DeepgramFault
from aybiza.faults.caller import hangs_up, says, stays
from aybiza.faults.world import World, in_world

ANSWERS = {"Your hours?": ["From nine to five."]}
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def figures(world: World) -> Figures:
    families = text_string_to_metric_families(await render(world.vm))
    samples = [sample for family in families for sample in family.samples]
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples}


def turns(found: Figures) -> dict[str, float]:
    return {
        dict(labels)["outcome"]: value
        for (name, labels), value in found.items()
        if name == "aybiza_turns_total"
    }


def test_an_answer_is_counted_as_one_and_its_response_measured() -> None:
    async def talk(world: World) -> Figures:
        async with world.call(says("Your hours?"), hangs_up(when="five")) as call:
            await call.over()
        return await figures(world)

    found = in_world(talk, answers=ANSWERS)
    assert turns(found) == {"answered": 1}
    assert found["aybiza_turn_response_seconds_count", ()] == 1


def test_an_apology_is_no_answer_and_no_fast_response() -> None:
    async def talk(world: World) -> tuple[Figures, dict[str, Any]]:
        world.bedrock.faults.add(BedrockFault("http_error", code="ThrottlingException", times=None))
        async with world.call(says("Your hours?"), hangs_up(when="could you say")) as call:
            await call.over()
        trends = await analyze_model_performance_trends(world.vm)
        return await figures(world), trends["quality_metrics"]

    found, quality = in_world(talk, answers=ANSWERS)
    assert turns(found) == {"apology": 1}
    assert found["aybiza_turn_response_seconds_count", ()] == 0
    assert quality["answered_share"] == 0 and quality["fitting_share"] is None
    errors = [dict(labels) for name, labels in found if name == "aybiza_errors_total"]
    assert errors
    for labels in errors:
        assert labels["provider"] == "bedrock" and labels["kind"] and labels["model"]
        assert labels["region"]


def test_each_node_counts_its_own_calls_under_way_and_no_others() -> None:
    async def active(world: World) -> list[float]:
        texts = [await render(vm) for vm in world.vms]
        return [_sample(text, "aybiza_calls_active") for text in texts]

    async def talk(world: World) -> list[list[float]]:
        seen = [await active(world)]
        async with world.call(says("Your hours?"), stays()):
            await world.until(lambda: world.find(names.call("CA1")))
            seen.append(await active(world))
            async with world.call(says("Your hours?"), hangs_up(when="five")) as two:
                await world.until(lambda: world.find(names.call("CA2")))
                seen.append(await active(world))
                await two.over()
            await asyncio.sleep(1)
            seen.append(await active(world))
        await asyncio.sleep(5)
        seen.append(await active(world))
        return seen

    seen = in_world(talk, answers=ANSWERS, nodes=2)
    assert [sum(each) for each in seen] == [0, 1, 2, 1, 0]
    assert all(each >= 0 for row in seen for each in row)


def _sample(text: str, name: str) -> float:
    families = text_string_to_metric_families(text)
    return next(s.value for family in families for s in family.samples if s.name == name)


def test_a_speech_service_that_refuses_is_counted_and_lost_until_it_works_again() -> None:
    async def talk(world: World) -> tuple[Figures, dict[str, int], dict[str, int]]:
        doors: tuple[Door, ...] = ("listen", "speak")
        for each in doors:
            refusal = DeepgramFault(each, "refuse", code=503, times=None, session="CA1*")
            world.deepgram.faults.add(refusal)
        async with world.call(stays()) as call:
            await call.over()
        while_lost, found = lost(world.vm), await figures(world)
        async with world.call(says("Your hours?"), hangs_up(when="five")) as call:
            await call.over()
        return found, while_lost, lost(world.vm)

    found, while_lost, later = in_world(talk, answers=ANSWERS)
    errors = {"kind": "refused", "model": "", "provider": "deepgram", "region": ""}
    assert found["aybiza_errors_total", tuple(sorted(errors.items()))] >= 5
    assert while_lost["deepgram"] >= 5 and later == {}
