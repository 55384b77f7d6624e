"""When Bedrock does not answer, the agent's last model does: whole calls in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.config.agents import Agent
from aybiza.emulators.bedrock import Fault, use
from aybiza.emulators.streamed.faults import Fault as ChatFault
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.desk import AGENT, Answers, agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

MODEL = "openai:gpt-4o-mini"
ASK = "Tell me a story, please."
STORY = "There was a lighthouse. One night a storm took the light. He rowed to the shore."
LOOK = "Will you look something up?"
FOUND = "I have found it for you."
ANSWERS: Answers = {ASK: [STORY], LOOK: [use("look_up", {"what": "it"}), FOUND]}
END = r"shore\.|for you\.|say that again"
DOWN = Fault("http_error", "ServiceUnavailableException", times=None)


charged: list[dict[str, Any]] = []
"""What the last call was charged for."""


def called(
    *questions: str,
    last: str | None = MODEL,
    faults: Any = (),
    chat: Any = (),
    open_breakers: bool = False,
) -> tuple[PlacedCall, World]:
    """The call of somebody who asks these, on a node whose Bedrock has these faults."""
    own: Agent = agent(last_model=last)

    async def talk(world: World) -> tuple[PlacedCall, World]:
        charged.clear()
        world.vm.telemetry.attach(
            "test", events.COST, lambda _, paid, about, __: charged.append({**paid, **about})
        )
        for fault in faults:
            world.bedrock.faults.add(fault)
        for model in world.policy.ids if open_breakers else ():
            for _ in range(5):
                world.vm.cast(names.breaker(model), "failure")
        for fault in chat:
            world.chat.faults.add(fault)
        steps = [
            says(one, when=when) for one, when in zip(questions, (r"today\?", END), strict=False)
        ]
        async with world.call(*steps, hangs_up(when=END)) as call:
            await call.over()
        return call, world

    return in_world(talk, agent=own, answers=ANSWERS)


def heard(call: PlacedCall) -> str:
    """What the caller heard behind the greeting, without fillers."""
    said = " ".join(call.heard.split()).removeprefix(AGENT.greeting)
    return " ".join(said.replace(AGENT.filler, "").split())


def test_a_last_model_answers_where_bedrock_does_not_and_uses_tools_as_ever() -> None:
    call, world = called(ASK, LOOK, faults=[DOWN])
    assert call.report.ok and heard(call) == f"{STORY} {FOUND}"
    body = world.chat.asked[-1]
    assert body["model"] == "gpt-4o-mini" and body["stream"] is True
    assert [message["role"] for message in body["messages"][-3:]] == ["user", "assistant", "tool"]
    assert {tool["function"]["name"] for tool in body["tools"]} >= {"look_up", "end_call"}
    assert "error" not in str(body["messages"][-1])


def test_it_is_not_asked_while_bedrock_answers() -> None:
    call, world = called(ASK)
    assert heard(call) == STORY and not world.chat.asked


def test_its_answers_are_charged_for_by_the_table_of_prices() -> None:
    call, _ = called(ASK, faults=[DOWN])
    assert heard(call) == STORY
    (paid,) = [each for each in charged if each["what"] == "model"]
    assert paid["model"] == MODEL and not paid.get("estimated")
    read, said = paid["input_tokens"], paid["output_tokens"]
    assert paid["micro_usd"] == round(read * 0.15) + round(said * 0.60) > 0


def test_it_answers_at_once_where_the_breakers_of_all_others_are_open() -> None:
    call, world = called(ASK, open_breakers=True)
    assert heard(call) == STORY and not call.requests()
    assert len(world.chat.asked) == 1


def test_a_story_that_bedrock_began_is_gone_on_with_and_nothing_said_twice() -> None:
    cut = Fault("rst", after=6, times=None)
    call, world = called(ASK, faults=[cut])
    assert heard(call) == STORY and world.chat.asked


@pytest.mark.parametrize(
    "fault",
    [ChatFault("cut", into=6), ChatFault("hang_up"), ChatFault("refuse", code=503)],
    ids=lambda fault: fault.kind,
)
def test_a_fault_of_it_is_not_heard_where_bedrock_is_back(fault: ChatFault) -> None:
    few = Fault("http_error", "ThrottlingException", times=4)
    call, world = called(ASK, faults=[few], chat=[fault])
    assert heard(call) == STORY and not world.bedrock.faults.waiting()


def test_who_has_no_last_model_hears_the_words_for_an_error() -> None:
    call, world = called(ASK, last=None, faults=[DOWN])
    assert heard(call).endswith(AGENT.error) and not world.chat.asked
