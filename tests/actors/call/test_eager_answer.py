"""The one answer that a call has begun early: taken or dropped, counted, and affordable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aybiza.actors.measures import costs, events
from aybiza.dialogue.journal import CallerTurn
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.desk import agent
from aybiza.faults.world import World, in_world

FLUX = agent(listen_model="flux-general-en")


def counted(*steps: Any, **options: Any) -> tuple[list[str], World]:
    """What became of the answers that were begun early in a call."""
    outcomes: list[str] = []

    async def talk(world: World) -> World:
        def note(event: Any, measurements: Any, metadata: Any, _: Any) -> None:
            outcomes.append(metadata["outcome"])

        world.vm.telemetry.attach_many("eager", [events.EAGER_ANSWER], note)
        async with world.call(*steps, hangs_up()) as call:
            await call.over()
            assert any(isinstance(entry, CallerTurn) for entry in call.journal)
        return world

    return outcomes, in_world(talk, **{"agent": FLUX, **options})


def test_one_that_is_taken_and_one_that_comes_to_nothing_are_counted() -> None:
    assert counted(says("Hello."))[0] == ["taken"]
    assert counted(says("Hello."), says("Hello again.", after_ms=260))[0] == ["dropped"]


def test_none_is_begun_where_a_quota_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = costs.verdict

    def short(*given: Any, **more: Any) -> Any:
        return replace(verdict(*given, **more), action="degrade")

    monkeypatch.setattr(costs, "verdict", short)
    assert counted(says("Hello."))[0] == []


def test_a_call_is_answered_though_none_could_be_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aybiza.actors.call.eager_answer.BEGIN_SECONDS", 0.0)
    outcomes, world = counted(says("Hello."))
    assert outcomes == []
    assert "You said, Hello." in world.calls[0].heard
