"""Every fault of a model ends in something said, and nothing is said twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.dialogue.conversation import CONTINUE
from aybiza.emulators.bedrock import Fault, Pace, use
from aybiza.faults.desk import Answers
from tests.actors.call.answer_kit import AWAY, HAIKU, HOME, SONNET, Stage, Told, stage
from tests.call.kit import AGENT

ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
SENTENCES = [f"{part.strip()}." for part in STORY.split(".") if part.strip()]
LOOK = "Will you look something up?"
FOUND = "I have found it for you."
ANSWERS: Answers = {ASK: [STORY], LOOK: [use("look_up", {"what": "it"}), FOUND]}
PACE = Pace(first_token_ms=2, per_delta_ms=2)

HTTP = {
    "ThrottlingException": (SONNET, HOME),
    "ModelNotReadyException": (SONNET, HOME),
    "ServiceUnavailableException": (HAIKU, AWAY),
    "InternalServerException": (HAIKU, AWAY),
    "ModelTimeoutException": (HAIKU, AWAY),
    "ModelErrorException": (SONNET, HOME),
    "ValidationException": (HAIKU, HOME),
    "AccessDeniedException": (SONNET, HOME),
    "ResourceNotFoundException": (SONNET, HOME),
}
IN_STREAM = (
    "throttlingException",
    "internalServerException",
    "modelStreamErrorException",
    "serviceUnavailableException",
    "validationException",
)

# The first sentence takes two or three pieces of text, the whole story about ten.
BEFORE, AFTER = 1, 6
FAULTS: dict[str, list[dict[str, Any]]] = {
    **{code: [{"kind": "http_error", "code": code}] for code in HTTP},
    "throttled by both models": [{"kind": "http_error", "times": 2}],
    "no answer": [{"kind": "no_answer"}],
    "no answer twice": [{"kind": "no_answer", "times": 2}],
    "late header": [{"kind": "slow_header", "seconds": 60}],
    **{
        f"{code} {when}": [{"kind": "stream_exception", "code": code, "after": after}]
        for code in IN_STREAM
        for when, after in (("at once", 0), ("before", BEFORE), ("after", AFTER))
    },
    **{
        f"{kind} {when}": [{"kind": kind, "after": after}]
        for kind in ("stream_error", "fin", "rst", "stall", "silent_end", "bad_crc")
        for when, after in (("at once", 0), ("before", BEFORE), ("after", AFTER))
    },
    "one fault after the other": [
        {"kind": "fin", "after": AFTER},
        {"kind": "http_error"},
        {"kind": "rst", "after": BEFORE},
    ],
}


async def struck(place: Stage, name: str, said: str = ASK) -> Told:
    call_id = f"CA-{name.replace(' ', '-')}"
    for fault in FAULTS.get(name, []):
        place.bedrock.faults.add(Fault(**fault, call=call_id))
    return await place.answer(said, call_id=call_id)


async def test_every_fault_ends_in_the_whole_answer_said_once() -> None:
    async with stage(ANSWERS, pace=PACE, seconds=4.0) as place:
        answers = await asyncio.gather(*(struck(place, name) for name in FAULTS))
        for name, told in zip(FAULTS, answers, strict=True):
            assert told.said == SENTENCES, name
            assert told.stop_reason == "end_turn", name
            assert told.ended is None, name
            assert len(place.requests(told)) > 1, name
        assert len(place.bedrock.faults) == 0, "every fault has struck"
        async with asyncio.timeout(1):
            await place.free()


async def test_a_model_that_goes_on_is_told_what_was_said() -> None:
    async with stage(ANSWERS, pace=PACE) as place:
        told = await struck(place, "fin after")
        *_, asked, said, go_on = place.conversation(told)
        assert told.said == SENTENCES
    assert asked == ("user", ASK)
    assert said[0] == "assistant"
    assert STORY.startswith(said[1])
    assert go_on == ("user", CONTINUE)


async def test_an_http_error_goes_where_the_ladder_says() -> None:
    async with stage(ANSWERS) as place:
        for code, (model, region) in HTTP.items():
            told = await struck(place, code)
            last = place.requests(told)[-1]
            assert (last.model_id, last.region) == (model, region), code


@pytest.mark.parametrize("kind", ["http_error", "no_answer", "fin", "stall"])
async def test_a_fault_that_stays_ends_in_words_too(kind: str) -> None:
    code = "AccessDeniedException" if kind == "http_error" else ""
    async with stage(ANSWERS, seconds=1.5) as place:
        place.bedrock.faults.add(Fault(kind, code, times=None))
        told = await place.answer(ASK)
        assert told.said == [AGENT.error]
        assert told.stop_reason == "error"


async def test_a_model_that_breaks_off_for_good_is_apologised_for_once() -> None:
    async with stage(ANSWERS, pace=PACE, seconds=3.0) as place:
        place.bedrock.faults.add(Fault("fin", after=AFTER), Fault("http_error", times=None))
        told = await place.answer(ASK)
    said = told.said
    assert said[-1] == AGENT.error
    assert said[:-1] == SENTENCES[: len(said) - 1]
    assert len(said) > 1


async def test_garbage_tool_input_is_told_to_the_model_and_the_answer_goes_on() -> None:
    async with stage(ANSWERS) as place:
        place.bedrock.faults.add(Fault("garbage_tool_json"))
        told = await place.answer(LOOK)
        assert told.said == [FOUND]
        assert place.desk.runs == []


async def test_when_no_model_is_left_an_answer_from_before_is_given() -> None:
    async with stage(ANSWERS, cache=KnownAnswers()) as place:
        assert (await place.answer(ASK)).said == SENTENCES
        place.bedrock.faults.add(Fault("http_error", code="AccessDeniedException", times=None))
        told = await place.answer(ASK.lower())
        assert (told.said, told.stop_reason) == (SENTENCES, "cached")
        assert (await place.answer("Another question?")).said == [AGENT.error]


async def test_an_open_breaker_leads_to_the_other_model_without_a_request() -> None:
    async with stage(ANSWERS, failures=2) as place:
        fault = Fault("http_error", code="ThrottlingException", model=HAIKU, times=None)
        place.bedrock.faults.add(fault)
        for _ in range(2):
            await place.answer(ASK)
        told = await place.answer(ASK)
        assert told.said == SENTENCES
        assert place.models(told) == [SONNET]


async def test_a_pool_without_a_free_thread_is_waited_for_and_blames_nobody() -> None:
    async with stage(ANSWERS, pace=Pace(per_delta_ms=15), pool_size=1, failures=1) as place:
        answers = await asyncio.gather(*(place.answer(ASK) for _ in range(2)))
        for told in answers:
            assert told.said == SENTENCES
        assert place.context.bedrock.statistics().refused > 0
        statistics = await place.vm.call(names.breaker(HAIKU), "statistics")
        assert (statistics["state"], statistics["failure"]) == ("closed", 0)
