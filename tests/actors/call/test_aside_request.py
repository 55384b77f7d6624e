"""A request beside a call: none where money or threads are short, and each is charged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aybiza.actors.call.aside_request import NO_QUOTA, NO_ROOM, Answer, asked, refusal
from aybiza.actors.measures import costs
from aybiza.claude.converse import converse_request
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.claude.stream import Finished
from aybiza.emulators.bedrock import Fault
from tests.actors.call.answer_kit import Stage, stage


async def ask(place: Stage, said: str = "Hello.") -> Answer:
    context = replace(place.context, call_id="CA7")
    profile = context.policy.cheapest
    request = converse_request(
        profile, [{"role": "user", "content": [{"text": said}]}], call_id="CA7"
    )
    region = context.policy.region_of(profile, context.policy.region)
    return await asked(place.vm, context, "trial", request, profile, region, seconds=10.0)


async def test_an_answer_is_had_whole_and_charged_to_its_call() -> None:
    async with stage(answers={"Hello.": ["Hi there. How are you?"]}) as place:
        answer = await ask(place)
        assert (answer.text, answer.why) == ("Hi there. How are you?", "")
        assert answer.sentences == ["Hi there.", "How are you?"]
        assert costs.ledger(place.vm).calls["CA7"] > 0


async def test_a_model_that_fails_is_told() -> None:
    async with stage(answers={}) as place:
        place.bedrock.faults.add(Fault("http_error"))
        answer = await ask(place)
        assert answer.why and answer.text == "" and answer.finished is None


class _NoRoom:
    def has_room(self) -> bool:
        return False


async def test_without_money_or_room_none_is_made() -> None:
    async with stage(answers={}) as place:
        assert refusal(place.vm, place.context) == ""
        without: Any = _NoRoom()
        assert refusal(place.vm, replace(place.context, bedrock=without)) == NO_ROOM
        costs.lay(place.vm, Ledger(Quotas(day=0, action="degrade")))
        assert refusal(place.vm, place.context) == NO_QUOTA


@pytest.mark.parametrize(
    ("stop_reason", "text"),
    [("end_turn", "One.\nTwo"), ("max_tokens", "One."), ("guardrail_intervened", "")],
)
def test_of_a_text_that_was_too_long_the_whole_lines_are_taken(stop_reason: str, text: str) -> None:
    fields = Finished.__dataclass_fields__
    values: dict[str, Any] = dict.fromkeys(fields)
    values |= {"content": [{"text": "One.\nTwo"}], "stop_reason": stop_reason}
    assert Answer(Finished(**values)).text == text
