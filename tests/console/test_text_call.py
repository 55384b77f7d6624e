"""A conversation by text: turns, tools and their consents as on a call, and nothing left behind."""

from __future__ import annotations

import asyncio

from aybiza.actors.switchboard import Answering
from aybiza.config.settings import load
from aybiza.console.text_call import TextCall
from aybiza.emulators.bedrock import Pace, use
from aybiza.emulators.bedrock.service import Bedrock
from aybiza.faults.bedrock import MemoryBedrock
from aybiza.faults.desk import Answers, Desk, agent, answering
from tests.gateway.kit import POLICY

BOOK = use("book", {"what": "a table"})
ANSWERS: Answers = {
    "Hello.": ["Good morning. What may I do?"],
    "A table, please.": [BOOK, "Shall I book it?"],
    "Yes.": [BOOK, "It is booked."],
    "Goodbye.": [use("end_call", {}, "Goodbye then."), "Bye."],
}


def call(desk: Desk, answers: Answers = ANSWERS, **settings: str) -> TextCall:
    clock = asyncio.get_running_loop().time
    service = Bedrock(responder=answering(answers), pace=Pace(0.0, 0.0), clock=clock)
    model = MemoryBedrock(service, "us-east-1", lambda *_, **__: None)
    return TextCall(Answering(agent(), desk, POLICY, "Desk"), load(settings), model)


async def test_each_line_is_answered_and_a_write_waits_for_a_yes() -> None:
    desk = Desk()
    async with call(desk) as talk:
        assert await talk.begun() == ["Welcome to the front desk, how can I help you today?"]
        assert await talk.say("Hello.") == ["Good morning.", "What may I do?"]
        assert await talk.say("A table, please.") == ["Shall I book it?"]
        assert desk.written == []
        assert await talk.say("Yes.") == ["It is booked."]
        assert [one.name for one in desk.written] == ["book"]
        assert talk.happened == ["book: asked", "book: ok"]
        assert talk.ended is None
        assert "Goodbye then." in " ".join(await talk.say("Goodbye."))
        assert talk.ended == "goodbye"


async def test_who_leaves_in_the_middle_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    async with call(Desk()) as talk:
        await talk.begun()
        vm = talk.vm
    assert vm.processes() == []
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_model_that_fails_is_told() -> None:
    async with call(Desk(), {"Hello.": []}, AYBIZA_TURN_DEADLINE_MS="1000") as talk:
        await talk.begun()
        assert await talk.say("Hello.")
        assert any("failed" in what for what in talk.happened)
