"""Calls are analysed when they are over: whole calls in virtual time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.measures import costs
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.config.analysis import Analysis, Offer
from aybiza.dialogue.analysis_request import ANSWER_TOKENS, MORE_TOKENS
from aybiza.dialogue.journal import Analysed, LineMeasured, TurnJudged
from aybiza.emulators.bedrock import Reply, say
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.emulators.bedrock.reader import reading
from aybiza.emulators.bedrock.responder import respond
from aybiza.faults.caller import Step, breaks_off, hangs_up, interrupts, says
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

SCHEMA = {
    "type": "object",
    "properties": {"seats": {"type": "integer"}},
    "required": ["seats"],
}
FOUND = {"summary": "A table for two is wanted.", "data": {"seats": 2}}
FULL = Analysis(
    data=SCHEMA,
    sentiment=True,
    intents={"booking": ("table",), "complaint": ("complain", "terrible")},
    offers=(
        Offer(when="unhappy", offer="to put the caller through to a person"),
        Offer(when="repeats", offer="to spell it"),
    ),
)
TALK = (
    says("I want a table for two, please."),
    says("This is terrible, I am very angry."),
    says("And when are you open?"),
    hangs_up(),
)


class Model:
    """Answers turns with what was said, and the analysis with its answers in turn."""

    def __init__(self, *answers: str) -> None:
        self.answers = [*answers] or [json.dumps(FOUND)]
        self.asked: list[Body] = []
        self.turns: list[Body] = []

    async def __call__(self, body: Body) -> Reply:
        if "JSON Schema" in str(body.get("system")):
            self.asked.append(body)
            return say(self.answers[min(len(self.asked), len(self.answers)) - 1])
        self.turns.append(body)
        return say(f"You said: {text_of(body['messages'][-1])}")


def analysed(
    *steps: Step,
    analysis: Analysis | None = FULL,
    model: Model | None = None,
    prepare: Any = lambda world: None,
    **fields: Any,
) -> tuple[PlacedCall, dict[str, Any] | None]:
    """The call, and what was made of it."""
    own = agent(analysis=analysis, **fields)

    async def talk(world: World) -> PlacedCall:
        prepare(world)
        async with world.call(*steps) as call:
            await call.over()
        await asyncio.sleep(60)
        return call

    call = in_world(talk, agent=own, responder=model or Model(), frames=1)
    made = [entry.analysis for entry in call.journal if isinstance(entry, Analysed)]
    assert len(made) <= 1
    return call, made[0] if made else None


def test_a_call_that_is_over_has_its_summary_data_turns_figures_and_score() -> None:
    model = Model()
    call, made = analysed(*TALK, model=model)
    assert call.report.ok and made is not None
    assert {key: made[key] for key in FOUND} == FOUND
    assert [(turn, mood < -40, intent) for turn, mood, intent in made["turns"]] == [
        (1, False, "booking"),
        (2, True, "complaint"),
        (3, False, ""),
    ]
    figures = made["figures"]
    assert (figures["turns"], figures["interruptions"], figures["responses"]) == (3, 0, 3)
    assert 0.4 < figures["response_p50"] < 3
    assert figures["agent_s"] > 5 and figures["caller_s"] > 2
    assert figures["mos"] > 4
    assert set(made["score"]["parts"]) >= {"response", "sound", "mood", "ending"}
    assert 0 < made["score"]["score"] < 100
    assert "Caller: I want a table for two, please." in str(model.asked[0]["messages"])


def test_data_that_does_not_fit_is_asked_for_once_more_with_what_was_wrong() -> None:
    model = Model('{"summary": "Two.", "data": {"seats": "two"}}', json.dumps(FOUND))
    _, made = analysed(*TALK, model=model)
    assert made is not None and made["data"] == {"seats": 2}
    again = text_of(model.asked[1]["messages"][-1])
    assert "seats: 'two' is not of type 'integer'" in again
    model = Model("I do not know.")
    _, made = analysed(*TALK, model=model)
    assert made is not None and len(model.asked) == 2
    assert made["missing"] == "the model's answers do not fit the schema"
    assert "summary" not in made and made["score"]["score"] > 0


def test_an_answer_that_was_cut_off_is_asked_for_again_with_more_room() -> None:
    class Long(Model):
        async def __call__(self, body: Body) -> Reply:
            reply = await super().__call__(body)
            return replace(reply, stop_reason="max_tokens") if len(self.asked) == 1 else reply

    model = Long('{"summary": "A table', json.dumps(FOUND))
    _, made = analysed(*TALK[:1], hangs_up(), model=model)
    assert made is not None and made["data"] == FOUND["data"]
    rooms = [body["inferenceConfig"]["maxTokens"] for body in model.asked]
    assert rooms == [ANSWER_TOKENS, MORE_TOKENS]
    assert "That was cut off. Say less" in text_of(model.asked[1]["messages"][-1])


def test_data_of_a_call_in_which_nothing_of_it_was_said_is_an_empty_object() -> None:
    own = Analysis(summary=False, data={"type": "object"})
    _, made = analysed(*TALK[:1], hangs_up(), analysis=own, model=Model('{"data": {}}'))
    assert made is not None and made["data"] == {} and "missing" not in made


def test_the_stand_in_of_an_emulated_node_sums_calls_up() -> None:
    _, made = analysed(*TALK, model=reading(respond))  # type: ignore[arg-type]
    assert made is not None and made["data"] == {"seats": 2} and "missing" not in made
    assert made["summary"].startswith("The caller spoke 3 times and began with: I want a table")


def spent(world: World) -> None:
    costs.lay(world.vm, Ledger(Quotas(day=0, action="degrade")))


def test_where_no_money_is_left_the_figures_are_there_all_the_same() -> None:
    model = Model()
    _, made = analysed(*TALK, model=model, prepare=spent)
    assert model.asked == [] and made is not None
    assert made["missing"] == "a quota is reached" and made["figures"]["turns"] == 3


def test_what_is_offered_follows_what_the_caller_says() -> None:
    model = Model()
    steps = (*TALK[:3], says("And when are you open now?"), hangs_up())
    analysed(*steps, model=model)
    told = [str(body["system"]) for body in model.turns]
    assert ["a person" in one for one in told] == [False, False, True, False]
    assert ["to spell it" in one for one in told] == [False, False, False, True]


def test_no_turn_is_slower_for_it_and_without_a_table_nothing_is_measured() -> None:
    with_it, made = analysed(*TALK)
    without, none = analysed(*TALK, analysis=None)
    assert made is not None and none is None
    assert with_it.heard == without.heard
    moments = [turn.start_ms for turn in without.report.turns]
    assert [turn.start_ms for turn in with_it.report.turns] == moments
    kinds = {type(entry) for entry in without.journal}
    assert not kinds & {TurnJudged, LineMeasured, Analysed}


def test_a_caller_who_comes_back_is_measured_on_both_lines_and_analysed_once() -> None:
    steps = (says("I want a table for two."), breaks_off(), says("On Friday."), hangs_up())
    call, made = analysed(*steps)
    measured = [entry for entry in call.journal if isinstance(entry, LineMeasured)]
    assert len(call.report.streams) == len(measured) == 2
    assert made is not None and made["figures"]["turns"] == 2
    assert made["figures"]["agent_s"] == pytest.approx(
        sum(one.figures["agent_s"] for one in measured), abs=0.01
    )


def test_an_interruption_is_counted_and_talk_over_measured() -> None:
    long = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
    _, made = analysed(says(long), interrupts("Stop it now, please.", after_ms=800), hangs_up())
    assert made is not None
    assert made["figures"]["interruptions"] == 1
    assert made["figures"]["talk_overs"] >= 1


def test_with_health_data_there_are_figures_and_no_words_anywhere() -> None:
    model = Model()
    analysis = Analysis(summary=False)
    call, made = analysed(*TALK, analysis=analysis, model=model, health_data=True)
    assert model.asked == [] and made is not None
    assert set(made) == {"figures", "score"}
    assert not any(isinstance(entry, TurnJudged) for entry in call.journal)


def test_a_call_whose_judge_dies_goes_on_and_is_analysed() -> None:
    async def talk(world: World) -> PlacedCall:
        async with world.call(*TALK) as call:
            await call.until(lambda: call.has_heard(1, 1))
            pid = world.vm.whereis(names.ANALYSES)
            assert pid is not None
            world.vm.exit(pid, "kill")
            report = await call.over()
            assert report.ok, report.failure
        await asyncio.sleep(60)
        return call

    call = in_world(talk, agent=agent(analysis=FULL), responder=Model())
    assert sum(isinstance(entry, Analysed) for entry in call.journal) == 1
