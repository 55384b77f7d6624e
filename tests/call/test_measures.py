"""What a whole call enters into the metrics and tells those who listen."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aybiza.actors.measures import events
from aybiza.actors.measures.audit import verify
from aybiza.actors.measures.metrics_actor import METRICS, render
from aybiza.actors.measures.records import NAME, reading
from aybiza.actors.measures.report import report, rows_of
from aybiza.actors.runtime import VM
from aybiza.faults.desk import Answers
from tests.call.kit import World, world
from tests.call.steps import hang_up, interrupt, text

pytestmark = pytest.mark.asyncio

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
CHANGE = "Stop, what does it cost?"
COST = "It costs ten dollars, goodbye."
ANSWERS: Answers = {ASK: [STORY], CHANGE: [COST]}

# What a call without trouble feeds, and in which nothing else may rise.
HEALTHY = {
    "aybiza_calls_total",
    "aybiza_turns_total",
    "aybiza_barge_ins_total",
    "aybiza_turn_response_seconds",
    "aybiza_first_token_seconds",
    "aybiza_tts_first_audio_seconds",
    "aybiza_stt_final_seconds",
    "aybiza_tokens_total",
    "aybiza_cost_usd_total",
    "aybiza_choices_total",
    "aybiza_conversation_seconds",
    "aybiza_model_seconds",
    "aybiza_model_fit_total",
    "aybiza_processes",
}
# A machine under load may hold the loop, mailboxes fill and empty, and whether the recogniser shows
# a whole sentence before it is final is a matter of milliseconds.
ANY_TIME = {
    "aybiza_eager_answers_total",
    "aybiza_loop_blocked_total",
    "aybiza_mailbox_messages",
    "aybiza_mailbox_longest",
}


async def fed(vm: VM) -> dict[str, float]:
    """Of each of our metrics that is more than nothing: the sum of its samples, or how many."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(await render(vm)):
        for sample in family.samples:
            name = sample.name.removesuffix("_count")
            if name in METRICS and sample.value:
                found[name] = found.get(name, 0) + sample.value
    return found


async def test_a_healthy_call_feeds_what_is_declared_and_counts_no_crash(tmp_path: Path) -> None:
    async with world(tmp_path, answers=ANSWERS, thinks_ms=50, voice_speed=3) as place:
        told = listening(place)
        before = await fed(place.vm)
        assert "aybiza_calls_active" not in before
        steps = (text(ASK, after=r"\?\s*$"), interrupt(CHANGE), hang_up(after=r"goodbye\."))
        async with place.call(*steps) as call:
            await call.until(lambda: call.is_speaking(1, 1))
            assert (await fed(place.vm))["aybiza_calls_active"] == 1
            await call.over()
        await place.until(lambda: events.CALL_STOP in told)
        await asyncio.sleep(0.2)
        after = await fed(place.vm)
        assert set(after) - ANY_TIME == HEALTHY
        assert after["aybiza_calls_total"] == 1
        assert after["aybiza_turns_total"] == after["aybiza_stt_final_seconds"] == 2
        assert after["aybiza_barge_ins_total"] == 1
        memory = place.node._settings.memory_path
    with reading(memory.with_name(NAME)) as connection:
        now = time.time()
        report_of = report(rows_of(connection, now - 3_600, now + 60), now - 3_600, now + 60)
    assert report_of["calls"]["outcomes"] == {"hangup": 1}
    assert report_of["turns"]["count"] == 2
    assert report_of["latency"]["first_frame"]["count"] >= 1
    assert set(report_of["cost"]["by_what"]) == {"model", "listen", "speak", "carrier"}
    (trail,) = memory.parent.glob("audit-*.jsonl")
    verdict = verify(trail.read_bytes())
    assert (verdict.entries, verdict.wrong) == (2, None)
    expected = [events.CALL_START, events.TURN_START, events.REQUEST_STOP]
    assert [event for event in told if event in (*expected, events.CALL_STOP)][:3] == expected
    assert told[events.CALL_STOP][0][0]["turns"] == 2


def listening(place: World) -> dict[Any, list[Any]]:
    """What each event tells, from now on."""
    told: dict[Any, list[Any]] = {}

    def note(event: Any, measurements: Any, metadata: Any, _: Any) -> None:
        told.setdefault(event, []).append((dict(measurements), dict(metadata)))

    place.vm.telemetry.attach_many("note", list(events.EVENTS), note)
    return told
