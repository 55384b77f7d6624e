"""Evals: a persona calls an agent many times in virtual time, and each call is judged.

    result = evaluated(persona, agent, toolbox_of, responder, n=100, ask=None)
    result.reached, result.calls[0].wrong
    junit(result)                                the same as XML

A call is judged by its goal, its length, its tools, the caller's consent to what was written, and
the silences that the caller sat through. Each call has a node of its own, fresh tools, and a seed
of its own, by which it can be repeated alone: `seed` of the first, counted up. `ask` has the words
of a persona's [model] (`aybiza.faults.persona_words`), within `budget`; where it gives nobody any
more, no further call is placed, and `stopped` says why.

Errors: none; a call that cannot be carried on is one that has not reached its goal.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.config.agents import Agent
from aybiza.dialogue.journal import CallerTurn, Ended, Entry, ToolExchange
from aybiza.dialogue.toolbox import Toolbox
from aybiza.dialogue.turn_policy import TurnPolicy
from aybiza.emulators.bedrock.continuation import Responder
from aybiza.faults.caller import stays
from aybiza.faults.persona import Drawn, Persona
from aybiza.faults.persona_mind import Ask, Budget
from aybiza.faults.persona_player import PersonaPlayer
from aybiza.faults.phone_script import longest_silence
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

AFTER_SECONDS: Final = 30.0
"""A call is broken off so long behind its limit."""


@dataclass(frozen=True, slots=True)
class Used:
    """A tool's use that did something, in the turn of the caller `turn`."""

    name: str
    input: dict[str, Any]
    turn: int


@dataclass(slots=True)
class Judged:
    """A call: what was wrong with it, by kind, and what there was to hear."""

    seed: int
    seconds: float = 0.0
    turns: int = 0
    silence_ms: float = 0.0
    tools: list[str] = field(default_factory=list)
    ended: str = ""
    heard: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong with it."""
        return not self.wrong


@dataclass(slots=True)
class Result:
    """All calls of a persona."""

    title: str
    agent: str
    threshold: float
    calls: list[Judged]
    stopped: str = ""
    """Why fewer calls were placed than were asked for."""

    @property
    def reached(self) -> int:
        """How many calls were as they should be."""
        return sum(call.ok for call in self.calls)

    @property
    def share(self) -> float:
        """Which share of all."""
        return self.reached / len(self.calls) if self.calls else 0.0

    @property
    def ok(self) -> bool:
        """Whether enough were, and all were placed."""
        return self.share >= self.threshold and not self.stopped

    def wrong(self) -> dict[str, int]:
        """How often each kind of fault came up."""
        kinds: dict[str, int] = {}
        for call in self.calls:
            for kind in call.wrong:
                kinds[kind] = kinds.get(kind, 0) + 1
        return kinds


def evaluated(
    persona: Persona,
    agent: Agent,
    toolbox_of: Callable[[], Toolbox],
    responder: Responder,
    *,
    n: int = 20,
    seed: int = 1,
    tell: Callable[[Judged], None] = lambda _: None,
    ask: Ask | None = None,
    budget: Budget | None = None,
) -> Result:
    """See the module. `toolbox_of` makes the tools of a call; `tell` is told of each."""
    calls: list[Judged] = []
    budget = budget or Budget(persona.model.most_usd if persona.model is not None else 0.0)
    words = budget.guarded(ask) if ask is not None else None
    for number in range(seed, seed + n):
        calls.append(_called(persona, agent, toolbox_of, responder, number, words))
        tell(calls[-1])
        if budget.stopped:
            break
    return Result(persona.title, agent.name, persona.threshold, calls, budget.stopped)


def _called(
    persona: Persona,
    agent: Agent,
    toolbox_of: Callable[[], Toolbox],
    responder: Responder,
    seed: int,
    ask: Ask | None,
) -> Judged:
    caller = persona.drawn(seed)
    mind = caller.mind(ask) if ask is not None else None
    player = PersonaPlayer(caller, TurnPolicy.of(agent).fillers, mind)
    limit = persona.limits.seconds + AFTER_SECONDS

    async def talk(world: World) -> PlacedCall:
        number = persona.persona.number
        placed = world.call(stays(), limit_s=limit, player=player, from_number=number)
        async with placed as call:
            await call.over(limit + AFTER_SECONDS)
        return call

    toolbox = toolbox_of()
    try:
        call = in_world(talk, seed=seed, agent=agent, toolbox=toolbox, responder=responder)
    except TimeoutError:
        return Judged(seed, seconds=limit, wrong={"length": f"not over after {limit:g} s"})
    return judged(caller, player, call, toolbox, seed)


def judged(
    caller: Drawn, player: PersonaPlayer, call: PlacedCall, toolbox: Toolbox, seed: int
) -> Judged:
    """The verdict on a call."""
    journal, report = call.journal, call.report
    used = list(uses(journal))
    found = Judged(
        seed=seed,
        seconds=round(report.duration_ms / 1000, 1),
        turns=sum(isinstance(entry, CallerTurn) and bool(entry.text) for entry in journal),
        silence_ms=round(longest_silence(report)),
        tools=[use.name for use in used],
        ended=next((e.reason for e in reversed(journal) if isinstance(e, Ended)), ""),
        heard=report.heard_text,
    )
    if player.speechless:
        # What else is wrong follows from it.
        found.wrong = {"caller": player.speechless}
        return found
    wrong = {
        "line": report.failure,
        "goal": "; ".join(_unreached(caller, found, used)),
        "length": "; ".join(_too_long(caller.persona, found)),
        "consent": "; ".join(_unasked(caller.persona, player, journal, used, toolbox)),
        "silence": _silence(caller.persona, found),
    }
    found.wrong = {kind: told for kind, told in wrong.items() if told}
    return found


def uses(journal: list[Entry]) -> Iterator[Used]:
    """The uses of tools that did something."""
    seen: set[str] = set()
    for entry in journal:
        if not isinstance(entry, ToolExchange):
            continue
        results = {
            block["toolResult"]["toolUseId"]: block["toolResult"]
            for block in entry.results
            if "toolResult" in block
        }
        for block in entry.uses:
            use = block.get("toolUse")
            if use is None or use["toolUseId"] in seen:
                continue
            result = results.get(use["toolUseId"])
            if result is not None and _did_something(result):
                seen.add(use["toolUseId"])
                yield Used(use["name"], dict(use.get("input") or {}), entry.turn)


def _did_something(result: dict[str, Any]) -> bool:
    told = [block["json"] for block in result.get("content", []) if "json" in block]
    refused = any({"error", "needs_confirmation"} & set(each) for each in told)
    return result.get("status") != "error" and not refused


def _unreached(caller: Drawn, found: Judged, used: list[Used]) -> Iterator[str]:
    goal = caller.persona.goal
    for name in goal.tools:
        if name not in found.tools:
            yield f"{name} did nothing"
    for name in goal.not_tools:
        if name in found.tools:
            yield f"{name} did something"
    for name, members in goal.input.items():
        given = [use.input for use in used if use.name == name]
        fitting = [
            one
            for one in given
            if all(caller.fits(text, str(one.get(key, ""))) for key, text in members.items())
        ]
        if given and not fitting:
            yield f"{name} was used with {given[-1]}"
    heard = " ".join(found.heard.split())
    for pattern in goal.heard:
        if not caller.fits(pattern, heard):
            yield f"not heard: {caller.filled(pattern)}"
    for pattern in goal.not_heard:
        if caller.fits(pattern, heard):
            yield f"heard: {caller.filled(pattern)}"
    if goal.ended and found.ended not in goal.ended:
        yield f"ended by {found.ended or 'nothing'}"


def _too_long(persona: Persona, found: Judged) -> Iterator[str]:
    limits = persona.limits
    if found.seconds > limits.seconds:
        yield f"{found.seconds:g} s, at most {limits.seconds:g} are allowed"
    if found.turns > limits.turns:
        yield f"{found.turns} turns, at most {limits.turns} are allowed"


def _unasked(
    persona: Persona,
    player: PersonaPlayer,
    journal: list[Entry],
    used: list[Used],
    toolbox: Toolbox,
) -> Iterator[str]:
    """The writes to which the caller had not said yes."""
    if not persona.limits.consent:
        return
    said = {entry.turn: entry.text for entry in journal if isinstance(entry, CallerTurn)}
    for use in used:
        words = said.get(use.turn, "")
        if toolbox.effect(use.name) == "write" and not any(
            _plain(yes) in _plain(words) for yes in player.agreed
        ):
            yield f"{use.name} was done to {words!r}"


def _silence(persona: Persona, found: Judged) -> str:
    limit = persona.limits.silence_ms
    silent = f"{found.silence_ms:g} ms, at most {limit:g} are allowed"
    return silent if found.silence_ms > limit else ""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def junit(result: Result) -> str:
    """The result as JUnit's XML: a case a call."""
    failed = len(result.calls) - result.reached
    seconds = f"{sum(call.seconds for call in result.calls):.1f}"
    stopped = int(bool(result.stopped))
    tests = str(len(result.calls) + stopped)
    about = {"name": result.title, "tests": tests, "failures": str(failed)}
    suite = ET.Element("testsuite", {**about, "errors": str(stopped), "time": seconds})
    for call in result.calls:
        name = {"classname": result.agent, "name": f"seed {call.seed}"}
        case = ET.SubElement(suite, "testcase", {**name, "time": f"{call.seconds:g}"})
        if call.wrong:
            told = "; ".join(f"{kind}: {text}" for kind, text in call.wrong.items())
            failure = ET.SubElement(case, "failure", {"message": _xml(told)})
            failure.text = _xml(call.heard)
    if result.stopped:
        case = ET.SubElement(suite, "testcase", {"classname": result.agent, "name": "all calls"})
        ET.SubElement(case, "error", {"message": _xml(result.stopped)})
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or c >= " ")
