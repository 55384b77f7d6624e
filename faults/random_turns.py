"""What calls come to beside questions and answers, drawn at random for a plan.

    varied(chance, plan)      the same call, in which one of these comes about, or two

Callers are put through to a number of the agent, where somebody answers, is busy, or does not; they
speak into the greeting, enter keys, and are seen off by the model, by the longest call, or by the
hour; a guardrail blocks a word; and agents have other manners. Contract: the same chance gives the
same plan. Errors: none.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aybiza.faults.plan import Plan

NUMBER: Final = "+15550100200"
_PARTIES: Final[Sequence[Mapping[str, Any]]] = (
    {"outcome": "completed", "talk_s": 3.0},
    {"outcome": "completed", "talk_s": 3.0, "key": "1"},
    {"outcome": "busy"},
    {"outcome": "no-answer", "ring_s": 6.0},
    {"outcome": "declined"},
    {"outcome": "failed", "ring_s": 0.2},
)
_MANNERS: Final[Sequence[Mapping[str, Any]]] = (
    {"barge_in": False},
    {"greeting_yields": False},
    {"protected": ["Welcome to the front desk, how can I help you today?"]},
    {"barge_in_words": 0},
    {"barge_in_words": 2},
    {"barge_in_voice_ms": 400},
    {"eager_answers": 0},
    {"eager_answers": 3},
    {"patience_ms": 0},
    {"patience_ms": 1500},
    {"filler_after_ms": 700},
    {"silence_timeout_s": 4.0, "silence_again_s": 4.0},
    {"utterance_end_ms": 2000},
    {"health_data": True},
)
_LISTENING: Final = ("Mm-hm.", "Uh-huh.", "Okay.")
_SECOND_THOUGHTS: Final = "Wait, there is one more thing."

Steps = list[Mapping[str, Any]]


def varied(chance: random.Random, plan: Plan) -> Plan:
    """See the module."""
    for act in chance.sample(_VARIATIONS, chance.choice((1, 1, 1, 2))):
        plan = act(chance, plan)
    return plan


def _before_the_end(plan: Plan, *steps: Mapping[str, Any]) -> Steps:
    return [*plan.steps[:-1], *steps, *plan.steps[-1:]]


def _asked(chance: random.Random, words: str) -> dict[str, Any]:
    return {"say": words, "quiet_ms": chance.choice((300, 700, 1500))}


def _put_through(chance: random.Random, plan: Plan) -> Plan:
    wish = "Please put me through to sales."
    use = {"tool": "transfer", "input": {"what": chance.choice(("sales", "sales", "the moon"))}}
    words = {"say": chance.choice(("", "I put you through to sales."))}
    behind = chance.choice(({"say": ""}, "The people of sales are next."))
    step = _asked(chance, wish)
    first = chance.random() < 0.4
    return replace(
        plan,
        steps=[step, *plan.steps] if first else _before_the_end(plan, step),
        answers={**plan.answers, wish: [{**use, **words}, behind]},
        agent={
            **plan.agent,
            "transfer_numbers": {"sales": NUMBER},
            "transfer_timeout_s": 5,
            "transfer_style": chance.choice(("cold", "summary", "accept")),
        },
        parties={NUMBER: dict(chance.choice(_PARTIES))},
    )


def _seen_off(chance: random.Random, plan: Plan) -> Plan:
    """The model ends the call, and the caller lets it, or has something else to say."""
    wish = "That is all, thank you."
    use = {"tool": "end_call", "input": {}, "say": chance.choice(("", "It was a pleasure."))}
    behind = chance.choice(({"say": ""}, "Have a good day."))
    steps: Steps = [_asked(chance, wish)]
    if chance.random() < 0.5:
        after = chance.randrange(100, 1500, 100)
        steps.append({"interrupt": _SECOND_THOUGHTS, "after_ms": after})
    elif chance.random() < 0.3:
        steps.append({"press": "1", "after_ms": chance.randrange(500, 2500, 100)})
    answers = {**plan.answers, wish: [use, behind]}
    return replace(plan, steps=_before_the_end(plan, *steps), answers=answers)


def _short(chance: random.Random, plan: Plan) -> Plan:
    return _with(plan, max_duration_s=float(chance.randint(10, 45)))


def _closed(chance: random.Random, plan: Plan) -> Plan:
    """A world begins on a Monday."""
    return _with(plan, hours={"tuesday": ["09:00-17:00"]})


def _keyed(chance: random.Random, plan: Plan) -> Plan:
    """The caller enters a number, by the keys that the agent has for it."""
    number = "".join(str(chance.randrange(10)) for _ in range(chance.randint(1, 6)))
    keys = number + chance.choice(("#", "#", ""))
    moment = chance.choice(({"quiet_ms": 700}, {"after_ms": chance.randrange(200, 3000, 100)}))
    given: dict[str, Any] = {"keys_masked": chance.random() < 0.7}
    given["keys_end"] = chance.choice(("#", "#", ""))
    if chance.random() < 0.5:
        given["keys_most"] = chance.randint(2, 5)
    if chance.random() < 0.5:
        given["keys_wait_ms"] = chance.choice((500, 1500, 4000))
    at = chance.randrange(len(plan.steps))
    steps = [*plan.steps[:at], {"press": keys, **moment}, *plan.steps[at:]]
    return replace(_with(plan, **given), steps=steps)


def _guarded(chance: random.Random, plan: Plan) -> Plan:
    """Bedrock blocks what one of the caller's questions is about, or what an answer to it has."""
    texts = [text for text in plan.answers if text.startswith("What about the ")]
    topic = chance.choice(texts).rstrip("?").rpartition(" ")[2]
    return replace(plan, guardrail=[chance.choice((topic, "signposted", "ticket"))])


def _mannered(chance: random.Random, plan: Plan) -> Plan:
    return _with(plan, **chance.choice(_MANNERS))


def _in_turns(chance: random.Random, plan: Plan) -> Plan:
    """The recogniser tells where turns end."""
    return _with(plan, listen_model="flux-general-en")


def _over_the_greeting(chance: random.Random, plan: Plan) -> Plan:
    """The caller does not wait for the end of the greeting."""
    after = {"after_ms": chance.randrange(100, 2000, 100)}
    what = chance.choice(("interrupt", "mumble", "press", "listen", "hang_up"))
    acts: dict[str, dict[str, Any]] = {
        "interrupt": {"interrupt": "Hello, I have a question.", **after},
        "mumble": {"mumble": after["after_ms"]},
        "press": {"press": "1", **after},
        "listen": {"interrupt": chance.choice(_LISTENING), **after},
        "hang_up": {"hang_up": True, **after},
    }
    if what == "hang_up":
        return replace(plan, steps=[acts[what]])
    return replace(plan, steps=[acts[what], *plan.steps])


def _heard_out(chance: random.Random, plan: Plan) -> Plan:
    """The caller shows that they listen, while the agent speaks or thinks."""
    words, after = chance.choice(_LISTENING), chance.randrange(100, 2500, 100)
    kinds = ({"interrupt": words, "after_ms": after}, {"say": words, "after_ms": after})
    at = chance.randint(1, len(plan.steps) - 1) if len(plan.steps) > 1 else 0
    return replace(plan, steps=[*plan.steps[:at], chance.choice(kinds), *plan.steps[at:]])


def _with(plan: Plan, **given: Any) -> Plan:
    return replace(plan, agent={**plan.agent, **given})


_VARIATIONS: Final[Sequence[Callable[[random.Random, Plan], Plan]]] = (
    _put_through,
    _seen_off,
    _short,
    _closed,
    _keyed,
    _guarded,
    _mannered,
    _in_turns,
    _over_the_greeting,
    _heard_out,
)
