"""A call of hours in virtual time: what a model is asked, and what of that it has in its cache.

    told = talked(turns=500, seconds=7200.0)
    told.figures()          one each, with its limit

The caller says a name, a number and a wish in the first minute, then talks on about many matters;
every tenth of them is looked up by a tool. The model's answers are as long as people bear on the
telephone. What is kept of a request's beginning is counted as Bedrock counts it
(`aybiza.emulators.bedrock.prefix_cache`). Memory is what the node's own code holds, not that of the
emulators: with `memory` the call takes about twice its time.

Errors: AssertionError when the call does not come to its end.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from aybiza.benchmarks.runtime import Figure
from aybiza.dialogue.prompt import SUMMARY_PROMPT
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.bedrock.continuation import Body, text_of
from aybiza.faults.caller import Step, hangs_up, says
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

WISHES: Final = (
    "My name is Philippa Garrowby.",
    "My number is four four two seven nine one.",
    "I want to move my appointment to the third of May.",
)
FACTS: Final = ("Philippa Garrowby", "four four two seven nine one", "the third of May")
MATTERS: Final = (
    "What does a visit cost?",
    "Which bus stops at your door?",
    "Can I bring my daughter along?",
    "How long does it take as a rule?",
    "Do you open on holidays?",
    "Where do I leave my bicycle?",
    "Who will see me on that day?",
)
ANSWER: Final = (
    "That is a good question, and I am glad that you ask. For matter number {number} the answer "
    "is that it depends on the day, but as a rule you need not do anything about it. If it "
    "changes, we send you a short message beforehand, so that you can plan for it. "
)
SUMMARY: Final = "The caller has asked about many matters; each depends on the day."
TOOL_EVERY: Final = 10
LOOKED_UP: Final = "Please look up matter number"

MISSED_PERCENT: Final = 20.0
LARGEST_TOKENS: Final = 40_000
# What is said stays in the memory of the call until it is over.
GROWTH_KB: Final = 24.0
_NODE: Final = ("actors", "claude", "config", "dialogue", "gateway", "speech", "supervisors")
_SETTLED_SHARE: Final = 0.2


@dataclass
class LongCall:
    """See the module. `tokens`: of each of the last 512 requests, all of it, what was read from the
    cache, and what was written; `forgotten`: facts that the last request has not;
    `summaries`: how many requests were for a summary of the call's beginning."""

    turns: int
    seconds: float
    tokens: list[tuple[int, int, int]] = field(default_factory=list)
    answered: int = 0
    forgotten: list[str] = field(default_factory=list)
    condensed: bool = False
    summaries: int = 0
    growth_kb: float | None = None

    @property
    def cache_share(self) -> float:
        """How much of all that was read by models came from the cache."""
        whole = sum(whole for whole, _, _ in self.tokens)
        return sum(read for _, read, _ in self.tokens) / whole if whole else 0.0

    def figures(self) -> list[Figure]:
        """What it comes to."""
        largest = max(whole for whole, _, _ in self.tokens)
        missed = 100.0 * (1 - self.cache_share)
        figures = [
            Figure("length of the call", self.seconds / 60, "min"),
            Figure("requests", len(self.tokens), ""),
            Figure("of these for summaries", self.summaries, ""),
            Figure("turns without an answer", self.turns - self.answered, "", 0),
            Figure("largest request", largest, "tok", LARGEST_TOKENS),
            Figure("not read from the cache", missed, "%", MISSED_PERCENT),
            Figure("facts forgotten", len(self.forgotten), "", 0),
        ]
        if self.growth_kb is not None:
            figures.append(Figure("memory a turn", self.growth_kb, "KB", GROWTH_KB))
        return figures


def talked(turns: int, seconds: float, *, memory: bool = False, **agents: Any) -> LongCall:
    """A call of so many turns in so many seconds; `agents`: changes of the front desk's agent."""
    told = LongCall(turns, seconds)
    bodies: list[str] = []
    who = agent(max_duration_s=14_400.0, silence_timeout_s=120.0, **agents)
    quiet_ms = 1000.0 * max(0.7, seconds / turns - _SPOKEN_SECONDS)
    steps = [*_steps(turns, quiet_ms), hangs_up()]

    async def run(world: World) -> None:
        began = world.vm.now()
        async with world.call(*steps, limit_s=2 * seconds + 600) as call:
            growing = _Growth() if memory else None
            for turn in (int(turns * _SETTLED_SHARE), turns):
                await call.until(partial(_reached, call, turn), 2 * seconds + 600)
                if growing is not None:
                    growing.look()
            report = await call.over(2 * seconds + 600)
            told.seconds = world.vm.now() - began
        assert report.ok, report.failure
        told.answered = len(report.response_times_ms)
        if growing is not None:
            told.growth_kb = growing.kb / (turns * (1 - _SETTLED_SHARE))
        records = [one for one in world.bedrock.journal.records if one.usage]
        body = bodies[-1]
        for one in records:
            usage = one.usage
            read, written = usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]
            told.tokens.append((usage["inputTokens"] + read + written, read, written))
        told.forgotten = [fact for fact in FACTS if fact not in body]
        told.condensed = "Earlier in this call" in body

    def answer(body: Body) -> Reply:
        if any(SUMMARY_PROMPT in block.get("text", "") for block in body.get("system", ())):
            told.summaries += 1
            return say(SUMMARY)
        bodies[:] = [str(body["messages"])]
        return _answer(body)

    in_world(run, agent=who, responder=answer, frames=5)
    return told


# What a turn takes beside the quiet: a question, an answer of some 45 words.
_SPOKEN_SECONDS: Final = 18.0


def _reached(call: PlacedCall, turn: int) -> bool:
    return int(call.state.get("turn") or 0) >= turn


def _steps(turns: int, quiet_ms: float) -> Iterator[Step]:
    for number in range(1, turns + 1):
        yield says(_said(number), quiet_ms=quiet_ms)


def _said(number: int) -> str:
    if number <= len(WISHES):
        return WISHES[number - 1]
    if number % TOOL_EVERY == 0:
        return f"{LOOKED_UP} {number}."
    return f"{MATTERS[number % len(MATTERS)]} I ask for the time number {number}."


def _answer(body: Body) -> Reply:
    said = text_of(body["messages"][-1])
    number = "".join(filter(str.isdigit, said)) or "one"
    if said.startswith(LOOKED_UP):
        return use("look_up", {"what": number}, "Let me look that up for you.")
    return say(ANSWER.format(number=number))


class _Growth:
    """How much more memory the node's own code holds at the second look than at the first."""

    def __init__(self) -> None:
        root = Path(__file__).parent.parent
        self._filters = [tracemalloc.Filter(True, f"{root}/{name}/*") for name in _NODE]
        self._sizes: list[int] = []
        tracemalloc.start()

    def look(self) -> None:
        gc.collect()
        shot = tracemalloc.take_snapshot().filter_traces(self._filters)
        self._sizes.append(sum(trace.size for trace in shot.traces))
        if len(self._sizes) > 1:
            tracemalloc.stop()

    @property
    def kb(self) -> float:
        return (self._sizes[-1] - self._sizes[0]) / 1024
