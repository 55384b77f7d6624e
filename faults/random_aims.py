"""Plans that are aimed: a kind of fault that strikes in a phase of the call in which few would.

    kind, phase = aim(seed, number, kinds)
    aimed(chance, plan, kind, phase)      the same call, in which that comes about

Most calls think and speak most of the time, so faults that are drawn at random strike there. The
aims of a seed are all pairs of a kind and a phase, in an order of its own, again and again; the
call is made to come to the phase. Contract: the same numbers give the same plan. Errors: none.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aybiza.dialogue.conversation import Phase
from aybiza.emulators.bedrock.faults import STOP_REASONS
from aybiza.emulators.streamed.faults import REFUSALS
from aybiza.faults.fault import KINDS, Fault
from aybiza.faults.plan import Plan

EVERY: Final = 3
"""Each so manieth plan is aimed."""

PHASES: Final = tuple(phase.value for phase in Phase if phase is not Phase.ENDED)

_LONGEST: Final[Mapping[str, float]] = {
    "hang": 0.9,
    "block": 0.9,
    # What comes behind an end, and long after it, nobody can wait for.
    "early_flushed": 0.9,
    "node.part": 20.0,
    "node.drain": 0.0,
    "slow_header": 20.0,
    "stall": 20.0,
}
_SECONDS: Final = 3.0
_JUMPS: Final = (-7200.0, -60.0, 3600.0, 90_000.0)
_COUNTED: Final = 6
_IN_SECONDS: Final = 3.0
_VOICE: Final = "elevenlabs:JBFqnCBsd6RMkjVDRZzb"
_AGENTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "openai": {"last_model": "openai:gpt-4o-mini"},
    "elevenlabs": {"voice": _VOICE},
    "flux": {"listen_model": "flux-general-en"},
}
"""What an agent needs for these providers to be asked."""


@functools.lru_cache(maxsize=8)
def _pairs(seed: int, kinds: frozenset[str]) -> Sequence[tuple[str, str]]:
    pairs = [(kind, phase) for kind in sorted(kinds) for phase in PHASES]
    random.Random(f"aims:{seed}").shuffle(pairs)
    return pairs


def aim(seed: int, number: int, kinds: Collection[str]) -> tuple[str, str] | None:
    """The pair that the plan of this number is aimed at; None for those that are not."""
    turn, rest = divmod(number, EVERY)
    pairs = _pairs(seed, frozenset(kinds))
    return None if rest else pairs[turn % len(pairs)]


def aimed(chance: random.Random, plan: Plan, kind: str, phase: str) -> Plan:
    """See the module. Of what breaks beside, half of the plans keep one."""
    group = KINDS[kind].group
    agent = {**plan.agent, **_AGENTS.get(group, {})}
    if group == "listen":
        agent.pop("listen_model", None)
    elif phase == Phase.EAGER.value:
        agent |= _AGENTS["flux"]
    same_door = agent.get("listen_model") == plan.agent.get("listen_model")
    nodes = 2 if kind.startswith("node.") else 1
    beside = list(plan.faults[:1]) if same_door and nodes == plan.nodes else []
    times = chance.choice((1, 1, 2)) if phase in _OFTEN else 1
    fault = Fault(kind, state=f"phase={phase}", nth=times, **_more(chance, kind))
    faults = [fault.checked(), *(beside if chance.random() < 0.5 else ())]
    plan = replace(plan, agent=agent, nodes=nodes, faults=faults)
    return _come_to(chance, plan, phase) if phase in _ON_PURPOSE else plan


def _more(chance: random.Random, kind: str) -> dict[str, Any]:
    """What else is to be said of the fault."""
    known, (door, _, name) = KINDS[kind], kind.rpartition(".")
    told: dict[str, Any] = {}
    if known.group == "process":
        told |= {"where": "CallActor", "times": chance.choice((1, 1, 2))}
    elif door not in ("line", "node", "disk", "redis", "clock"):
        told["times"] = chance.choice((1, 1, 2, 6, 0))
    if known.group == "node" and door == "node":
        told["node"] = chance.choice(("one", "two"))
    if kind == "clock.jump":
        told["seconds"] = chance.choice(_JUMPS)
    elif "seconds" in known.parameters:
        longest = _LONGEST.get(kind, _LONGEST.get(name, _SECONDS))
        told["seconds"] = round(chance.uniform(0.1, longest), 1) if longest else 0.0
    if "into" in known.parameters:
        counted = known.group in ("bedrock", "openai", "elevenlabs")
        most = round(chance.uniform(0.0, _IN_SECONDS), 1)
        told["into"] = chance.randint(0, _COUNTED) if counted else most
    if kind == "bedrock.stop":
        told["code"] = chance.choice(STOP_REASONS)
    elif known.group in ("openai", "elevenlabs") and "code" in known.parameters:
        told["code"] = chance.choice(REFUSALS)
    return told


def _come_to(chance: random.Random, plan: Plan, phase: str) -> Plan:
    """Have the call come to a phase to which few come by themselves."""
    if phase == Phase.EAGER.value:
        return replace(plan, agent={**plan.agent, "eager_answers": 3})
    if phase == Phase.INTERRUPTED.value:
        question, again = "Tell me about the whole town.", "Stop, what about the mill?"
        said = "The town is old. It has many houses. The people like it. The walls are high."
        steps = [
            {"say": question, "quiet_ms": 700},
            {"interrupt": again, "after_ms": chance.randrange(900, 3000, 100)},
        ]
        answers = {**plan.answers, question: [said], again: ["The mill is open all day."]}
    else:
        wish = "That is all, thank you."
        use = {"tool": "end_call", "input": {}, "say": "It was a pleasure."}
        steps = [{"say": wish, "quiet_ms": 700}]
        answers = {**plan.answers, wish: [use, "Have a good day."]}
    return replace(plan, steps=[*plan.steps[:-1], *steps, *plan.steps[-1:]], answers=answers)


_OFTEN: Final = frozenset({Phase.LISTENING.value, Phase.THINKING.value, Phase.SPEAKING.value})
_ON_PURPOSE: Final = frozenset({Phase.EAGER.value, Phase.INTERRUPTED.value, Phase.CLOSING.value})
