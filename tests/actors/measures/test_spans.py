"""The trace of a call: which spans it has, how they hang together, and that they say no words."""

from __future__ import annotations

import time
from typing import Any

from aybiza.actors.measures import events, gen_ai
from aybiza.actors.measures.spans import EVENTS, Span, SpanMaker
from aybiza.actors.runtime.telemetry import Event
from aybiza.emulators.bedrock import Fault, use
from aybiza.faults.caller import hangs_up, interrupts, says
from aybiza.faults.world import World, in_world

STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him."
)
ANSWERS = {
    "Your hours?": ["From nine to five, goodbye."],
    "Look it up.": [use("look_up", {"what": "a"}), "Found it, goodbye."],
    "A story, please.": [STORY],
}


def listening(world: World) -> list[Span]:
    """The spans of the world's calls, in the order of their ends."""
    maker, found = SpanMaker(), list[Span]()

    def hear(event: Event, measured: Any, told: Any, _: Any) -> None:
        found.extend(maker.hear(event, measured, told, time.time()))

    for vm in world.vms:
        vm.telemetry.attach_many("spans", list(EVENTS), hear)
    return found


def spans_of(*steps: Any, fault: Fault | None = None, **options: Any) -> list[Span]:
    async def talk(world: World) -> list[Span]:
        found = listening(world)
        if fault is not None:
            world.bedrock.faults.add(fault)
        async with world.call(*steps) as call:
            await call.over()
        return found

    return in_world(talk, answers=ANSWERS, **options)


def test_a_call_is_one_trace_whose_turns_have_their_parts() -> None:
    found = spans_of(says("Look it up."), hangs_up(when="goodbye"))
    assert len({span.trace for span in found}) == 1
    assert len({span.id for span in found}) == len(found)
    (call,) = (span for span in found if not span.parent)
    (greeting, turn) = (span for span in found if span.parent == call.id)
    parts = [span for span in found if span.parent == turn.id]
    assert greeting.name == "tts"
    assert len(parts) + 3 == len(found)
    assert call.name == "call" and turn.name == "turn 1"
    names = sorted(span.name.split()[0] for span in parts)
    assert names == ["chat", "chat", "execute_tool", "stt", "tts"]
    assert call.began <= turn.began <= turn.ended <= call.ended
    for span in parts:
        assert turn.began - 0.001 <= span.began <= span.ended <= turn.ended + 0.001, span.name
    (chat, _) = (span for span in parts if span.name.startswith("chat"))
    assert chat.attributes[gen_ai.PROVIDER] == "aws.bedrock"
    assert chat.attributes[gen_ai.USAGE["output_tokens"]] > 0
    assert chat.attributes[gen_ai.STOP_REASONS] == ["tool_use"]
    assert turn.attributes[gen_ai.OUTCOME] == "answered"
    assert "goodbye" not in repr([span.attributes for span in found])


def test_a_request_that_broke_off_and_one_that_was_cut_short_are_spans_too() -> None:
    throttled = Fault("http_error", code="ThrottlingException", times=1)
    found = spans_of(says("Your hours?"), hangs_up(when="goodbye"), fault=throttled)
    failed = [span for span in found if span.error]
    assert [span.attributes[gen_ai.ERROR] for span in failed] == ["throttling"]
    assert sum(span.name.startswith("chat") for span in found) == 2
    steps = says("A story, please."), interrupts("Your hours?"), hangs_up(when="goodbye")
    found = spans_of(*steps, delta_ms=400.0)
    cut = next(span for span in found if span.name.startswith("chat"))
    assert cut.attributes[gen_ai.STOP_REASONS] == ["interrupted"]
    assert cut.ended > cut.began


def test_two_nodes_that_have_a_call_one_after_another_write_to_the_same_trace() -> None:
    told = {"call_id": "CA1", "turn": 2, "outcome": "answered"}
    found = []
    for turn in (2, 3):
        maker = SpanMaker()
        maker_told = {**told, "turn": turn}
        assert list(maker.hear(events.TURN_ENDED, {}, maker_told, 5.0)) == []
        found += list(maker.hear(events.TURN_ANSWERED, {"seconds": 1.0}, maker_told, 5.5))
    first, second = found
    assert (first.trace, first.parent) == (second.trace, second.parent)
    assert first.id != second.id


def test_what_has_no_call_is_no_span() -> None:
    maker = SpanMaker()
    for event in EVENTS:
        told = events.EVENTS[event]
        measured: dict[str, Any] = dict.fromkeys(told.measurements, 1.0)
        for call_id in (None, ""):
            metadata = {**dict.fromkeys(told.metadata, "x"), "call_id": call_id}
            assert list(maker.hear(event, measured, metadata, 1.0)) == []
