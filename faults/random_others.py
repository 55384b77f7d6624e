"""A second voice, a voice of another provider, a last model: drawn at random for a plan.

    with_others(chance, plan, moment)      the same call, on which another provider has to help out

What the other provider takes over from fails for a while or for good, and sometimes the other one
fails as well, or in its place. Contract: the same chance gives the same plan. Errors: none.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aybiza.emulators.streamed.faults import KINDS, REFUSALS
from aybiza.faults.fault import Fault
from aybiza.faults.plan import Plan

AURA: Final = "aura-2-thalia-en"
ELEVEN: Final = "elevenlabs:JBFqnCBsd6RMkjVDRZzb"
MODEL: Final = "openai:gpt-4o-mini"

_VOICES: Final[tuple[Mapping[str, str], ...]] = (
    {"voice": AURA, "second_voice": ELEVEN},
    {"voice": ELEVEN, "second_voice": AURA},
    {"voice": ELEVEN},
)
_FAILS: Final = {
    "speak": ("refuse", "abort", "stall", "refuse_text", "never_say"),
    "bedrock": ("http_error", "no_answer", "stream_error"),
}
DRAWN: Final = frozenset(
    [f"{door}.{kind}" for door, kinds in _FAILS.items() for kind in kinds]
    + [f"{door}.{kind}" for door in ("elevenlabs", "openai") for kind in KINDS]
)
"""All kinds that are drawn here."""
_TIMES: Final = (1, 2, 6, 0)


def with_others(chance: random.Random, plan: Plan, moment: Mapping[str, Any]) -> Plan:
    """See the module; `moment` is when it begins."""
    if chance.random() < 0.5:
        agent: Mapping[str, str] = chance.choice(_VOICES)
        first, other = "speak", "elevenlabs"
    else:
        agent, first, other = {"last_model": MODEL}, "bedrock", "openai"
    struck = chance.choice(((first,), (first, other), (other,)))
    drawn = {first: _first, other: _other}
    faults = [Fault(**drawn[door](chance, door), **moment).checked() for door in struck]
    return replace(plan, agent={**plan.agent, **agent}, faults=[*plan.faults, *faults])


def _first(chance: random.Random, door: str) -> dict[str, Any]:
    return {"what": f"{door}.{chance.choice(_FAILS[door])}", "times": chance.choice(_TIMES)}


def _other(chance: random.Random, door: str) -> dict[str, Any]:
    name = chance.choice(sorted(KINDS))
    told: dict[str, Any] = {"what": f"{door}.{name}", "times": chance.choice(_TIMES)}
    takes = KINDS[name].parameters
    if "code" in takes:
        told["code"] = chance.choice(REFUSALS)
    if "into" in takes:
        told["into"] = chance.randint(0, 6)
    if "seconds" in takes:
        told["seconds"] = round(chance.uniform(0.2, 20.0), 1)
    return told
