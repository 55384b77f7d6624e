"""Calls brought into a phase, and what the turn machine orders most often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aybiza.config.agents import Agent
from aybiza.dialogue.conversation import Phase
from aybiza.dialogue.events import (
    CallerFinished,
    CallerInterim,
    CallerSaid,
    Event,
    HungUp,
    Started,
    StartTimer,
    StopTimer,
    TimerFired,
)
from aybiza.dialogue.turn_policy import TurnPolicy
from tests.dialogue.call_world import AGENT, CallWorld

POLICY = TurnPolicy.of(AGENT)
AWAIT_CALLER = [StopTimer("silence"), StartTimer("endpoint", POLICY.endpoint)]
SILENCE = StartTimer("silence", 10.0)
SILENCE_AGAIN = StartTimer("silence", 20.0)
CLOSE = StartTimer("closing", POLICY.closing)
TAKE_TURN = [StopTimer("endpoint"), StopTimer("silence")]
QUIET = TimerFired("endpoint")
SILENT = TimerFired("silence")
TOO_LONG = TimerFired("duration")

LIVE = [Phase.LISTENING, Phase.THINKING, Phase.SPEAKING, Phase.INTERRUPTED]


def call(phase: Phase, who: Agent = AGENT) -> CallWorld:
    """A call in this phase of turn 1, of which sentence 1 of 2 was heard where there are any."""
    world = CallWorld(who)
    world.tell(Started())
    world.hear()
    if phase is Phase.LISTENING:
        return world
    world.tell(CallerSaid("a question"))
    world.tell(CallerFinished())
    if phase is Phase.THINKING:
        return world
    world.answer("sentence")
    world.answer("sentence")
    world.play()
    world.mark()
    if phase is Phase.INTERRUPTED:
        world.tell(CallerInterim("wait"))
    if phase is Phase.ENDED:
        world.tell(HungUp())
    assert world.machine.phase is phase
    return world


def handle(world: CallWorld, event: Event) -> Sequence[Any]:
    """What the machine orders, but for the watch, which has tests of its own."""
    return without_watch(world.machine.handle(event))


def without_watch(commands: Sequence[Any]) -> list[Any]:
    return [one for one in commands if getattr(one, "name", None) != "wait"]


def tell(world: CallWorld, *events: Event) -> CallWorld:
    for event in events:
        world.tell(event)
    return world
