"""A trial: one plan tried in a world of its own, and all that can be judged of it.

    outcome = tried(plan)
    outcome.broken          what did not hold, a line each; empty if all is well

A trial takes some tens of milliseconds and gives the same outcome every time. `trace` has all
messages too if they are asked for.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aybiza.actors.call import kept_phrases
from aybiza.actors.measures import costs
from aybiza.actors.runtime import CallExit
from aybiza.actors.runtime.reasons import Crashed
from aybiza.claude.ledger import day_of
from aybiza.config.agents import Agent
from aybiza.dialogue.answer_cache import AnswerCache
from aybiza.dialogue.journal import Entry
from aybiza.dialogue.toolbox import ToolRun
from aybiza.emulators.bedrock.journal import Record
from aybiza.emulators.phone import Report
from aybiza.emulators.textaudio import encode
from aybiza.faults import invariants
from aybiza.faults.bill import Bill
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.deepgram import BYTES_PER_CHAR
from aybiza.faults.desk import Desk
from aybiza.faults.fed import fed
from aybiza.faults.injector import Injector, Strike
from aybiza.faults.level import Level
from aybiza.faults.plan import Plan
from aybiza.faults.trace import Happened
from aybiza.faults.transitions import Row, noted
from aybiza.faults.world import World, in_world
from aybiza.faults.world_loop import Deadlock

LONGEST_SECONDS = 700.0
# What ends by its own limits after a call does so within this time.
SETTLE_SECONDS = 40.0
LOOK_SECONDS = 1.0
# A Redis that is back has been told what was spent.
SHARED_SECONDS = 30.0


@dataclass
class Outcome:
    """What became of a trial. Times are seconds of the world's clock; those of `report`
    milliseconds since `zero`."""

    plan: Plan
    report: Report
    zero: float
    over: bool = False
    """Whether the caller's side came to its end by itself."""
    entries: list[tuple[float, Entry]] = field(default_factory=list)
    requests: list[Record] = field(default_factory=list)
    opened: list[tuple[float, str, str]] = field(default_factory=list)
    """Connections to providers: when, which door, which call."""
    documents: list[str] = field(default_factory=list)
    written: list[ToolRun] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Texts that a voice has left out of several that it was given in one, and those of which it
    has not said the end and called it whole: nobody can know."""
    strikes: list[Strike] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """What of the call is still there when it should be gone."""
    spent: tuple[int, int] = (0, 0)
    """Micro-USD: what the ledger says, and the sum of all that was told as charged."""
    answers: tuple[int, int] = (0, 0)
    """Micro-USD: what was charged for whole answers, and what these have cost."""
    shared: tuple[int, int] = (0, 0)
    """Micro-USD of the day: what the nodes' Redis knows of, and what they have spent."""
    charged_s: float = 0.0
    """For so many seconds of the caller's audio the call was charged."""
    restarts: list[float] = field(default_factory=list)
    fed: set[str] = field(default_factory=set)
    """The metrics that its nodes' events have fed."""
    rows: Counter[Row] = field(default_factory=Counter)
    """The rows of the turn machine's table that it went through, and how often."""
    problem: str = ""
    """What kept the trial from its end, if anything did."""
    happened: list[Happened] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @functools.cached_property
    def agent(self) -> Agent:
        """The agent that answered."""
        return self.plan.desk()

    @property
    def heard(self) -> str:
        """All that the caller heard."""
        return self.report.heard_text

    @property
    def trace(self) -> str:
        """What happened, a line an event."""
        return "".join(f"{event}\n" for event in self.happened)


def tried(plan: Plan, *, messages: bool = False) -> Outcome:
    """The outcome of `plan`; see the module."""
    injector = Injector(plan.faults, plan.seed)
    outcome = Outcome(plan, Report(plan.title, "CA1"), 0.0)
    main = partial(_talk, outcome=outcome, injector=injector)
    options = {**plan.options(), "watcher": injector, "messages": messages}
    before = _machine()
    with noted() as outcome.rows:
        try:
            in_world(main, **options)
        except Deadlock as error:
            outcome.problem = str(error)
    held = zip(("descriptors", "threads"), before, _machine(), strict=True)
    outcome.left += [f"{now - then} more {what}" for what, then, now in held if now > then]
    outcome.broken = invariants.broken(outcome)
    return outcome


def _machine() -> tuple[int, int]:
    """How many descriptors and threads the process has."""
    return len(os.listdir("/proc/self/fd")), threading.active_count()


async def _talk(world: World, outcome: Outcome, injector: Injector) -> None:
    if outcome.plan.phrases:
        _keep_phrases(world)
    bill = Bill(world.vms)
    if world.has_redis:
        await _ask_before(world, outcome.plan)
        bill.heard_s = 0.0
    before = Level(world)
    injector.begin(world)
    try:
        async with world.call(*outcome.plan.script(), limit_s=LONGEST_SECONDS) as call:
            outcome.report = call.report
            try:
                await call.over(LONGEST_SECONDS + 60.0)
                outcome.over = True
            except TimeoutError:
                outcome.problem = "the call never came to its end"
        outcome.zero = call.phone.zero or call.began
        outcome.documents = call.phone.documents
        await _settled(world, before)
        outcome.left = before.left(world)
        if world.has_redis:
            outcome.shared = await _shared(world)
    finally:
        _note(world, outcome, injector, bill)


def _keep_phrases(world: World) -> None:
    """As a node does that has been up for a while."""
    table, voice = kept_phrases.table(world.vm), world.agent.voice
    for text in sorted(kept_phrases.fixed(world.agent)):
        table.keep(voice, text, encode(f"{text} ", BYTES_PER_CHAR))


async def _ask_before(world: World, plan: Plan) -> None:
    """Another node has answered the caller's first question, and has told so in Redis."""
    asked = next((step["say"] for step in plan.steps if "say" in step), None)
    if asked is None:
        return
    before = Level(world)
    async with world.call(says(asked), hangs_up(quiet_ms=2000.0), call_id="CA0") as call:
        await call.over(LONGEST_SECONDS)
    await _settled(world, before)
    assert world.answers is not None
    world.answers.cache = AnswerCache()
    world.calls.clear()
    world.deepgram.opened.clear()
    for opened in (world.asked.opened, world.chat_line.opened, world.eleven_line.opened):
        opened.clear()
    world.bedrock.journal.clear()


async def _shared(world: World) -> tuple[int, int]:
    """What Redis knows that the nodes have spent today, when it has been there for a while, and
    what they have. Of a node that is lost nobody knows what it was about to tell."""
    told = known = 0

    def agree() -> bool:
        nonlocal told, known
        day = day_of(time.time())
        days = world.redis.client.hash(f"aybiza:spent:{day}")
        living = {vm.node for vm in world.vms}
        told = sum(int(n) for who, n in days.items() if who.partition("\n")[0] in living)
        ledgers = (costs.ledger(vm).tenant_days for vm in world.vms)
        known = sum(n for days in ledgers for (of, _), n in days.items() if of == day)
        return told == known

    loop: Any = asyncio.get_running_loop()
    await loop.until(agree, SHARED_SECONDS)
    return told, known


async def _settled(world: World, before: Level) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + SETTLE_SECONDS
    await asyncio.sleep(LOOK_SECONDS)
    while before.left(world) and loop.time() < until:  # noqa: ASYNC110
        # Nothing tells that there is nothing left.
        await asyncio.sleep(LOOK_SECONDS)


def _note(world: World, outcome: Outcome, injector: Injector, bill: Bill) -> None:
    outcome.entries = world.journals.written.get("CA1", [])
    outcome.requests = world.bedrock.journal.records
    skipped = world.deepgram.service.journal.entries("skipped")
    outcome.left_out = [entry["text"] for entry in skipped if not entry["alone"]]
    outcome.left_out += world.eleven.shortened
    doors = {
        "bedrock": world.asked.opened,
        "openai": world.chat_line.opened,
        "elevenlabs": world.eleven_line.opened,
    }
    asked = [(at, door, "CA1") for door, opened in doors.items() for at in opened]
    outcome.opened = sorted([*world.deepgram.opened, *asked])
    outcome.written = world.toolbox.written if isinstance(world.toolbox, Desk) else []
    outcome.strikes = injector.strikes
    outcome.crashes = [f"{who}: {reason.exception!r}" for who, reason in _crashes(injector)]
    outcome.restarts = sorted(at for node in world.nodes for at, _ in node.vm.replaced)
    spent = sum(sum(costs.ledger(node.vm).days.values()) for node in world.nodes)
    outcome.spent = (spent, bill.told)
    outcome.answers = (bill.answers, world.asked.owed(world.policy))
    outcome.charged_s = bill.heard_s
    outcome.fed = set().union(*(fed(node.vm) for node in world.nodes))
    outcome.happened = list(world.trace)


def _crashes(injector: Injector) -> list[tuple[str, Any]]:
    """Crashes of one's own; one that waited for what the plan had struck may crash with it."""
    return [
        (who, reason)
        for who, reason in injector.crashes
        if not (isinstance(reason, Crashed) and isinstance(reason.exception, CallExit))
    ]
