"""Providers that misbehave in what they say, drawn at random for a plan.

    troubled(chance, plan)      the same call, in which a provider says something wrong

Sockets that break are another matter (`random_plans`). Here the recogniser's words come late, twice
or never, the voice does not say a sentence or does not tell that it has, and the model's answer
trickles, stops in the middle or has nothing in it. Contract: the same chance gives the same plan.
Errors: none.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aybiza.emulators.bedrock.faults import STOP_REASONS
from aybiza.faults.fault import Fault
from aybiza.faults.plan import Plan

_HEARD: Final = (
    "no_final", "late_final", "double_final", "no_finalize", "stale_utterance_end",
    "no_utterance_end", "unknown_word_end", "low_confidence", "repeat_interim",
)  # fmt: skip
_FLUX: Final = ("no_end_of_turn", "late_end_of_turn", "resume", "low_confidence")
_SPOKEN: Final = (
    "refuse_text", "never_say", "skip_text", "slow", "no_flushed", "double_flushed", "no_cleared",
    "early_flushed", "pause",
)  # fmt: skip
_MODEL: Final = (
    "trickle", "stop", "stop", "stop", "cut_tool", "empty_tool_input", "empty_message",
    "unknown_event",
)  # fmt: skip
_TIMES: Final = (1, 1, 1, 2, 3, 0)
_TEXTLESS: Final = ("no_finalize", "stale_utterance_end", "no_utterance_end", "unknown_word_end")
_SECONDS: Final[Mapping[str, tuple[float, float]]] = {
    "late_final": (0.1, 3.0),
    "repeat_interim": (0.2, 2.0),
    "late_end_of_turn": (0.1, 3.0),
    "slow": (0.2, 4.0),
    "early_flushed": (0.1, 0.9),
    "pause": (0.2, 4.0),
    "trickle": (0.1, 3.0),
}

DRAWN: Final = frozenset(
    f"{door}.{kind}"
    for door, kinds in (
        ("listen", _HEARD),
        ("flux", _FLUX),
        ("speak", _SPOKEN),
        ("bedrock", _MODEL),
    )
    for kind in kinds
)
"""All kinds that are drawn here."""


def is_flux(plan: Plan) -> bool:
    """Whether the agent of a plan listens by the door of Flux."""
    return str(plan.agent.get("listen_model", "")).startswith("flux")


def troubled(chance: random.Random, plan: Plan, moment: Mapping[str, Any]) -> Plan:
    """See the module; `moment` is when it begins to."""
    doors = ("flux", "listen")[not is_flux(plan)], "speak", "bedrock"
    door = chance.choice(doors)
    kinds: Sequence[str] = {"listen": _HEARD, "flux": _FLUX, "speak": _SPOKEN, "bedrock": _MODEL}[
        door
    ]
    kind = chance.choice(kinds)
    told: dict[str, Any] = {"what": f"{door}.{kind}", "times": chance.choice(_TIMES)}
    if kind in _SECONDS:
        told["seconds"] = round(chance.uniform(*_SECONDS[kind]), 1)
    if door == "bedrock":
        told |= _of_an_answer(chance, kind)
    elif kind not in (*_TEXTLESS, "no_cleared") and chance.random() < 0.5:
        told["text"] = chance.choice(_words(plan, door))
    return replace(plan, faults=[*plan.faults, Fault(**told, **moment).checked()])


def _of_an_answer(chance: random.Random, kind: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if kind in ("trickle", "stop", "cut_tool", "unknown_event"):
        told["into"] = chance.randint(0, 8)
    if kind == "stop":
        told["code"] = chance.choice(STOP_REASONS)
    return told


def _words(plan: Plan, door: str) -> Sequence[str]:
    """Words that come up in the call: the caller's for a recogniser, the agent's for a voice."""
    if door == "speak":
        replies = (one for given in plan.answers.values() for one in given)
        texts = [one if isinstance(one, str) else one.get("say", "") for one in replies]
        return [word for text in texts for word in text.split()[1:4]] or ["the"]
    return [word.strip("?.,!") for text in plan.answers for word in text.split()] or ["the"]
