"""Random providers say everything wrong that the emulators know how to."""

import random

from aybiza.emulators.bedrock.faults import KINDS, STOP_REASONS
from aybiza.emulators.deepgram import faults as deepgram
from aybiza.faults.plan import Plan
from aybiza.faults.random_plans import plan_of
from aybiza.faults.random_providers import is_flux, troubled


def test_everything_that_a_provider_may_say_wrong_is_drawn() -> None:
    questions = {"Where is it?": ["It is near the river."]}
    callers = [Plan(answers=questions, agent={"listen_model": m}) for m in ("nova-3", "flux-x")]
    plans = [troubled(random.Random(n), plan, {"at": 1.0}) for plan in callers for n in range(700)]
    drawn = {fault.what for plan in plans for fault in plan.faults}
    said = {
        f"{door}.{name}"
        for name, kind in deepgram.KINDS.items()
        for door in kind.doors
        if kind.group == "said"
    }
    assert said - drawn == set()
    answers = {f"bedrock.{name}" for name, kind in KINDS.items() if kind.where == "answer"}
    assert answers | {"bedrock.trickle"} <= drawn
    stops = {f.code for plan in plans for f in plan.faults if f.what == "bedrock.stop"}
    assert stops == set(STOP_REASONS)


def test_a_recogniser_breaks_at_the_door_that_the_agent_listens_by() -> None:
    flux = [plan for number in range(300) if is_flux(plan := plan_of(1, number))]
    whats = [fault.what for plan in flux for fault in plan.faults]
    assert any(what.startswith("flux.") for what in whats)
    assert not any(what.startswith("listen.") for what in whats)
    assert not is_flux(Plan())
