"""The one loop of a node's cluster."""

import asyncio
from typing import Any

from aybiza.actors.cluster.exchange import SLICE, Exchange
from aybiza.actors.runtime import virtual_time


class Recorder:
    """Notes what the exchange does, and does what a test adds to it."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.blamed: list[tuple[Any, str]] = []
        self.leads_to: dict[Any, list[Any]] = {}
        self.puts_in: dict[Any, list[Any]] = {}
        self.work = 1
        self.depth = 0
        self.exchange = Exchange(asyncio.get_running_loop(), self.take, self.perform, self.blame)

    def take(self, event: Any) -> list[Any]:
        if event == "bad event":
            raise ValueError("an event")
        return self.leads_to.get(event, [event])

    def perform(self, effect: Any) -> int:
        self.depth += 1
        assert self.depth == 1, "nested"
        for event in self.puts_in.get(effect, []):
            self.exchange.event(event)
        self.exchange.effects(self.puts_in.get(("effects", effect), []))
        self.depth -= 1
        if effect == "bad effect":
            raise ValueError("an effect")
        self.done.append(effect)
        return self.work

    def blame(self, cause: Any, error: BaseException) -> None:
        self.blamed.append((cause, str(error)))


@virtual_time
async def test_what_an_event_leads_to_is_done_before_the_next_event_and_nothing_is_nested() -> None:
    recorder = Recorder()
    recorder.leads_to = {"a": ["a1", "a2"], "c": ["c1"]}
    recorder.puts_in = {"a1": ["c"], ("effects", "a1"): ["a1x"]}
    recorder.exchange.event("a")
    recorder.exchange.event("b")
    assert recorder.done == []
    await asyncio.sleep(0)
    assert recorder.done == ["a1", "a2", "a1x", "b", "c1"]
    assert recorder.exchange.waiting == 0


@virtual_time
async def test_what_fails_fails_by_itself() -> None:
    recorder = Recorder()
    recorder.leads_to = {"a": ["bad effect", "a2"]}
    for event in ("a", "bad event", "b"):
        recorder.exchange.event(event)
    await asyncio.sleep(0)
    assert recorder.done == ["a2", "b"]
    assert recorder.blamed == [("bad effect", "an effect"), ("bad event", "an event")]


@virtual_time
async def test_the_event_loop_is_given_back_after_a_slice() -> None:
    recorder = Recorder()
    recorder.work = SLICE // 2
    for number in range(5):
        recorder.exchange.event(number)
    turns = []
    while recorder.exchange.waiting:
        await asyncio.sleep(0)
        turns.append(len(recorder.done))
    assert turns == [2, 4, 5]


@virtual_time
async def test_what_is_still_to_be_done_is_done_at_the_end_and_no_event_is_taken() -> None:
    recorder = Recorder()
    recorder.exchange.event("event")
    recorder.exchange.effects(["effect"])
    recorder.exchange.finish()
    recorder.exchange.event("late")
    await asyncio.sleep(0)
    assert recorder.done == ["effect"]
