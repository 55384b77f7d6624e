"""Answers that are begun early, in whole calls: so much sooner, and the same answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aybiza.actors.measures import costs
from aybiza.dialogue.journal import CallerTurn
from aybiza.emulators.bedrock import use
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.desk import Desk, agent
from aybiza.faults.phone_script import load as script
from aybiza.faults.phone_script import longest_response, names, parse
from aybiza.faults.plan import Plan
from aybiza.faults.trial import Outcome, tried
from aybiza.faults.world import World, in_world

FLUX = {"listen_model": "flux-general-en"}
# What is cut off at a moment of the clock is cut elsewhere in an answer that comes sooner.
CUT_BY_THE_CLOCK = {"hangs_up_in_mid_answer", "interrupts_early", "line_breaks"}
MEASURED = [
    "flux_asks",
    "flux_coughs",
    "flux_interrupts",
    "flux_is_cut",
    "flux_is_done_late",
    "flux_is_hardly_sure",
]


def both(plan: Plan) -> tuple[Outcome, Outcome]:
    """The call with no answer that is begun early, and with such; no filler comes before either."""
    agents = ({**plan.agent, "filler_after_ms": 3000, "eager_answers": eager} for eager in (0, 1))
    late, early = (tried(replace(plan, agent=agent, frames=1)) for agent in agents)
    return late, early


def turns(outcome: Outcome) -> list[str]:
    return [entry.text for _, entry in outcome.entries if isinstance(entry, CallerTurn)]


@pytest.mark.parametrize("name", MEASURED)
def test_what_flux_tells_early_is_answered_200_ms_earlier(name: str) -> None:
    late, early = (longest_response(outcome.report) for outcome in both(script(name).plan))
    assert late is not None and early is not None
    assert late - early >= 200 - 1e-6


NUMBER = """
[answers]
"I have a question." = ["What is your account number?"]
[[step]]
say = "I have a question."
[[step]]
say = "Four four two seven nine."
[[step]]
hang_up = true
"""


def test_who_is_heard_out_waits_no_longer_for_that() -> None:
    late, early = (longest_response(one.report) for one in both(parse(NUMBER).plan))
    assert late is not None and early is not None
    assert late - early >= 380
    assert early <= 1250


def test_words_that_end_late_are_answered_when_they_end() -> None:
    late, early = (longest_response(one.report) for one in both(script("final_comes_late").plan))
    assert late is not None and early is not None and late - early >= 400


# A third of them; who changes something of it tries all.
ALIKE = [*names()[::4], "corrects_themselves", "pauses_inside_a_number", "agrees_to_a_booking"]


@pytest.mark.parametrize("name", sorted({*ALIKE} - {*MEASURED}))
def test_the_caller_is_understood_and_answered_alike(name: str) -> None:
    late, early = both(script(name).plan)
    assert early.broken == late.broken == []
    assert turns(early) == turns(late)
    assert len(early.requests) <= len(late.requests) + len(turns(early))
    assert len(early.written) == len(late.written)
    if name not in CUT_BY_THE_CLOCK:
        assert early.heard.split() == late.heard.split()


def test_a_tool_runs_when_it_is_sure_that_the_caller_is_done_and_not_before() -> None:
    began: list[float] = []
    sure: list[float] = []

    class Watched(Desk):
        async def run(self, use: Any) -> dict[str, Any]:
            began.append(world_time())
            return await super().run(use)

    world_time: Any = None

    async def talk(world: World) -> str:
        nonlocal world_time
        world_time = world.vm.now
        async with world.call(says("Is there a room?"), hangs_up(when="Yes")) as call:

            def is_sure() -> bool:
                return any(isinstance(e, CallerTurn) and e.text for e in call.journal)

            await call.until(is_sure)
            sure.append(world.vm.now())
            await call.over()
            return call.heard

    answers = {"Is there a room?": [use("look_up", {"what": "a room"}), "Yes, there is."]}
    heard = in_world(
        talk, answers=answers, toolbox=Watched(), agent=agent(**FLUX), thinks_ms=20.0, delta_ms=1.0
    )
    assert "Yes, there is." in heard
    assert began[0] >= sure[0] - 0.001


def test_what_comes_to_nothing_is_paid_for_counted_and_leaves_no_trace() -> None:
    steps: list[dict[str, Any]] = [
        {"say": "My name is Ann Miller."},
        {"say": "My number is five five five.", "after_ms": 260},
        {"hang_up": True},
    ]
    _, outcome = both(Plan(steps=steps, agent=FLUX, thinks_ms=20.0, delta_ms=1.0))
    assert outcome.broken == []
    assert len(outcome.requests) == 2 and turns(outcome) == [
        "My name is Ann Miller. My number is five five five."
    ]
    assert "You said, My name is Ann Miller. My number" in outcome.heard
    told, owed = outcome.spent
    assert told == owed > 0


def test_no_answer_is_begun_early_when_the_money_is_nearly_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdict = costs.verdict

    def short(*given: Any, **more: Any) -> Any:
        return replace(verdict(*given, **more), action="degrade")

    monkeypatch.setattr(costs, "verdict", short)
    steps: list[dict[str, Any]] = [
        {"say": "Hello."},
        {"say": "Hello again.", "after_ms": 260},
        {"hang_up": True},
    ]
    outcome = tried(Plan(steps=steps, agent=FLUX, frames=1))
    assert len(outcome.requests) == 1
