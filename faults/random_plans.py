"""Random plans: calls as people make them, and faults as the world has them.

`plan_of(seed, number)` is the plan of that number; the same numbers give the same plan on every
machine. Sentences are unique in a plan, so each can be found again in what was heard. Messages
inside a node are not lost or reordered here: a VM guarantees that they are not. Each third plan is
aimed at a phase of the call and a kind of fault (`random_aims.py`), so that all pairs come up.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aybiza.faults import random_others, random_providers
from aybiza.faults.fault import Fault
from aybiza.faults.plan import FRAMES, Plan
from aybiza.faults.random_aims import aim, aimed
from aybiza.faults.random_others import with_others
from aybiza.faults.random_providers import is_flux, troubled
from aybiza.faults.random_turns import varied

TOPICS: Final = (
    "parking", "breakfast", "garden", "museum", "harbour", "theatre", "library", "bakery",
    "station", "market", "island", "castle", "bridge", "river", "tower", "chapel",
)  # fmt: skip
_SENTENCES: Final = (
    "The {0} opens at nine in the morning.",
    "For the {0} you need a ticket.",
    "Children love the {0} in summer.",
    "The way to the {0} is signposted.",
    "Late in the evening the {0} is closed.",
)
# Words that allow nothing, though some have a yes in them.
_NO_CONSENTS: Final = (
    "No, do not book the {0}.",
    "Absolutely not the {0}.",
    "Yes, but how far is the {0}?",
)

ACTORS: Final = (
    "CallActor", "SpeakerActor", "TranscriberActor", "AnswerActor", "CallSession", "MediaStream",
    "MediaWriter", "MemoryActor", "RegistryActor", "MetricsActor", "ModelSupervisor",
    "ToolSupervisor", "CallSupervisor", "CircuitBreakerActor", "CircuitBreakerSupervisor",
    "PlacementActor", "DrainActor", "Task answer", "Task Wire._carry", "Task MediaStream._read",
)  # fmt: skip
# Those in which most happens are struck more often.
_WEIGHTS: Final = (8, 6, 6, 6, 3, 3, 2, 3, 2, 1, 2, 2, 2, 1, 1, 1, 1, 3, 4, 1)
_IN_CALLBACK: Final = ("crash", "raise", "hang", "block")
_ENTRIES: Final = ("CallerTurn", "AgentSentence", "SentenceHeard", "AnswerComplete", "Interrupted")
MESSAGES: Final[Mapping[str, Sequence[str]]] = {
    "CallActor": ("inbox", "AnswerSentence", "AnswerFinished", "TimerFired", "ToolsUsed"),
    "SpeakerActor": ("_Said", "Speak", "Finish", "_Opened", "time"),
    "TranscriberActor": ("_Said", "audio", "hearing", "_Opened"),
    "AnswerActor": ("AnswerSentence", "AnswerFinished", "attach", "Taken", "ToolsUsed"),
    "MediaStream": ("Mark", "Start"),
    "MemoryActor": ("write", "Keep", "Claim"),
    "ModelSupervisor": ("BeginAnswer",),
}
"""What these actors are told in a call: one can be struck while it deals with that."""

_PHASES: Final = (
    "greeting",
    "listening",
    "eager",
    "thinking",
    "speaking",
    "interrupted",
    "closing",
)
_BEDROCK: Final = (
    "http_error", "slow_header", "no_answer", "stream_exception", "stream_error", "fin", "rst",
    "stall", "silent_end", "bad_crc", "garbage_tool_json",
)  # fmt: skip
CLUSTERS: Final = 0.08
"""So many of the plans are about several nodes."""

VARIED: Final = 0.5
"""In so many something else comes about than questions and answers."""

TROUBLED: Final = 0.3
"""In so many a provider says something wrong, beside what breaks."""

OTHERS: Final = 0.15
"""In so many another provider's voice or model is there to help out."""

BUNCHED: Final = 0.8
"""In so many the caller's audio comes 200 ms at a time, as by a bad line: it costs a fifth less."""

_REDIS: Final = ("redis.gone", "redis.slow", "redis.empty")
_SOCKET: Final = ("refuse", "close", "abort", "stall", "unknown", "malformed")
_PROCESS: Final = ("kill", "kill", "crash", "raise", "exit", "hang", "block")
_LINE: Final = ("drop", "deaf", "mute", "no_marks")
_NODES: Final = ("node.lost", "node.part", "node.drain", "node.freeze")
_MACHINE: Final = ("disk.full", "disk.slow", "clock.jump", *_REDIS)


@functools.cache
def drawn() -> frozenset[str]:
    """All kinds of faults that the search has plans of."""
    sockets = (f"{door}.{kind}" for door in ("listen", "flux", "speak") for kind in _SOCKET)
    bedrock = (f"bedrock.{kind}" for kind in _BEDROCK)
    lines = (f"line.{kind}" for kind in _LINE)
    said = (*random_providers.DRAWN, *random_others.DRAWN)
    return frozenset({*_PROCESS, *sockets, *bedrock, *lines, *_MACHINE, *_NODES, *said})


def plan_of(seed: int, number: int) -> Plan:
    """See the module."""
    chance = random.Random(f"plan:{seed}:{number}")
    steps, answers, consents = _call(chance)
    faults = [_fault(chance) for _ in range(chance.choices((0, 1, 2, 3), (1, 5, 3, 1))[0])]
    plan = Plan(
        title=f"plan {number} of seed {seed}",
        steps=steps,
        faults=faults,
        answers=answers,
        seed=number,
        thinks_ms=float(chance.choice((200, 400, 400, 900))),
        delta_ms=float(chance.choice((10, 30, 80))),
        consents=consents,
        phrases=chance.random() < 0.5,
    )
    plan = _in_cluster(chance, plan) if chance.random() < CLUSTERS else plan
    # By a chance of its own: the call beneath is the same with it or without.
    more = random.Random(f"varied:{seed}:{number}")
    plan = varied(more, plan) if more.random() < VARIED else plan
    wrong = random.Random(f"troubled:{seed}:{number}")
    if wrong.random() < TROUBLED:
        plan = troubled(wrong, plan, _moment(wrong))
    help_out = random.Random(f"others:{seed}:{number}")
    if help_out.random() < OTHERS:
        plan = with_others(help_out, plan, _moment(help_out))
    if (wanted := aim(seed, number, drawn())) is not None:
        plan = aimed(random.Random(f"aimed:{seed}:{number}"), plan, *wanted)
    if random.Random(f"frames:{seed}:{number}").random() < BUNCHED:
        plan = replace(plan, frames=2 * FRAMES)
    return _at_its_door(plan) if is_flux(plan) else plan


def _at_its_door(plan: Plan) -> Plan:
    """What breaks a recogniser's socket breaks it at the door that the agent listens by."""
    faults = [replace(fault, what=fault.what.replace("listen.", "flux.")) for fault in plan.faults]
    return replace(plan, faults=faults)


def _in_cluster(chance: random.Random, plan: Plan) -> Plan:
    """The same call, with nothing broken but the nodes."""
    what = chance.choice(_NODES)
    given: dict[str, Any] = {"what": what, "node": chance.choice(("one", "one", "two"))}
    if what != "node.lost":
        longest = {"node.part": 20.0, "node.drain": 0.0, "node.freeze": 3.0}[what]
        given["seconds"] = round(chance.uniform(0.0, longest), 1)
    faults = [Fault(**given, **_moment(chance)).checked()]
    if what == "node.drain" and chance.random() < 0.5:
        parted: dict[str, Any] = {"node": "one"}
        parted["seconds"] = round(chance.uniform(0.5, 20.0), 1)
        faults.append(Fault("node.part", **parted, **_moment(chance)).checked())
    return replace(plan, nodes=chance.choice((2, 2, 3)), faults=faults)


Call = tuple[list[dict[str, Any]], dict[str, list[Any]], dict[str, str]]


def _call(chance: random.Random) -> Call:
    topics = chance.sample(TOPICS, chance.randint(1, 5))
    steps: list[dict[str, Any]] = []
    answers: dict[str, list[Any]] = {}
    consents: dict[str, str] = {}
    for topic in topics:
        question = f"What about the {topic}?"
        answers[question] = _answer(chance, topic)
        steps += _question(chance, question, first=not steps)
        if chance.random() < 0.25:
            steps.append(_aside(chance))
        if chance.random() < 0.2:
            steps += _booking(chance, topic, answers, consents)
    steps.append(_end(chance))
    return steps, answers, consents


def _booking(
    chance: random.Random, topic: str, answers: dict[str, list[Any]], consents: dict[str, str]
) -> list[dict[str, Any]]:
    """A write: the model asks, and does it whatever the caller answers."""
    wish, asked = f"Please book the {topic}.", f"Shall I book the {topic} for you?"
    use = {"tool": "book", "input": {"what": topic}, "say": ""}
    consent = f"Yes, please book the {topic}."
    reply = chance.choice((consent, consent, *(text.format(topic) for text in _NO_CONSENTS)))
    answers[wish] = [use, asked]
    answers[reply] = [use, f"That was about the {topic}."]
    if reply == consent:
        consents[consent] = asked
    steps = [*_question(chance, wish, first=False), *_question(chance, reply, first=False)]
    return steps


def _question(chance: random.Random, question: str, *, first: bool) -> list[dict[str, Any]]:
    kind = chance.random()
    if kind < 0.2 and not first:
        return [{"interrupt": question, "after_ms": chance.randrange(200, 4000, 100)}]
    if kind < 0.35:
        half = question.index(" the ")
        pause = chance.randrange(200, 1500, 100)
        return [
            {"say": question[:half]},
            {"say": question[half + 1 :], "after_ms": pause},
        ]
    quiet = chance.choice((300, 700, 700, 1500, 6000))
    return [{"say": question, "quiet_ms": quiet}]


def _aside(chance: random.Random) -> dict[str, Any]:
    kind = chance.random()
    if kind < 0.5:
        return {"mumble": chance.randrange(200, 3000, 100)}
    if kind < 0.8:
        return {"press": chance.choice(("1", "42#", "0")), "after_ms": chance.randrange(500, 4000)}
    return {"break_off": True, "after_ms": chance.randrange(200, 6000, 100)}


def _end(chance: random.Random) -> dict[str, Any]:
    kind = chance.random()
    if kind < 0.2:
        return {"hang_up": True, "after_ms": chance.randrange(100, 6000, 100)}
    if kind < 0.3:
        return {"stay": True}
    return {"hang_up": True, "quiet_ms": chance.choice((1000, 2500))}


def _answer(chance: random.Random, topic: str) -> list[Any]:
    texts = [one.format(topic) for one in chance.sample(_SENTENCES, chance.randint(1, 4))]
    said = " ".join(texts)
    kind = chance.random()
    if kind < 0.65:
        return [said]
    preface = f"Let me look up the {topic}." if chance.random() < 0.7 else ""
    tool = "break_down" if chance.random() < 0.2 else "look_up"
    return [{"tool": tool, "input": {"what": topic}, "say": preface}, said]


def _fault(chance: random.Random) -> Fault:
    groups: tuple[Callable[[random.Random], dict[str, Any]], ...]
    groups = (_process, _listen, _speak, _bedrock, _line, _node)
    given = chance.choices(groups, (45, 12, 13, 20, 5, 5))[0](chance)
    if "message" not in given and "state" not in given:
        given |= _moment(chance)
    return Fault(**given).checked()


def _moment(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.4:
        return {"at": round(chance.uniform(0.0, 40.0), 2)}
    told: dict[str, Any] = {"after": chance.choice(_ENTRIES), "nth": chance.randint(1, 6)}
    if chance.random() < 0.6:
        told["delay"] = round(chance.uniform(0.01, 1.5), 2)
    return told


def _process(chance: random.Random) -> dict[str, Any]:
    where = chance.choices(ACTORS, _WEIGHTS)[0]
    what = chance.choice(_PROCESS)
    if what in _IN_CALLBACK and (where.startswith("Task") or where == "MediaWriter"):
        what = "kill"
    told: dict[str, Any] = {"what": what, "where": where, "times": chance.choice((1, 1, 1, 2, 3))}
    if what in ("hang", "block"):
        told["seconds"] = round(chance.uniform(0.05, 0.9), 2)
    kind = chance.random()
    if kind < 0.25 and what in _IN_CALLBACK and where in MESSAGES:
        told |= {"message": chance.choice(MESSAGES[where]), "nth": chance.randint(1, 8)}
    elif kind < 0.35:
        told |= {"state": f"phase={chance.choice(_PHASES)}", "where": "CallActor"}
    return told


def _socket(chance: random.Random, door: str) -> dict[str, Any]:
    told: dict[str, Any] = {"what": f"{door}.{chance.choice(_SOCKET)}"}
    told["times"] = chance.choice((1, 1, 2, 3, 6, 0))
    if chance.random() < 0.4 and not told["what"].endswith("refuse"):
        told["into"] = round(chance.uniform(0.0, 3.0), 2)
    return told


def _listen(chance: random.Random) -> dict[str, Any]:
    return _socket(chance, "listen")


def _speak(chance: random.Random) -> dict[str, Any]:
    return _socket(chance, "speak")


def _bedrock(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(_BEDROCK)
    told: dict[str, Any] = {"what": f"bedrock.{kind}", "times": chance.choice((1, 1, 2, 4, 0))}
    if kind in ("stall", "slow_header"):
        told["seconds"] = round(chance.uniform(0.5, 20.0), 1)
    if kind not in ("http_error", "slow_header", "no_answer", "garbage_tool_json"):
        told["into"] = chance.randint(0, 6)
    return told


def _line(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(_LINE)
    if kind == "drop":
        return {"what": "line.drop"}
    return {"what": f"line.{kind}", "seconds": round(chance.uniform(0.2, 6.0), 1)}


def _node(chance: random.Random) -> dict[str, Any]:
    kind = chance.choice(_MACHINE)
    if kind == "redis.empty":
        return {"what": kind}
    if kind == "clock.jump":
        return {"what": kind, "seconds": chance.choice((-7200.0, -60.0, 3600.0, 90_000.0))}
    return {"what": kind, "seconds": round(chance.uniform(0.1, 5.0), 2)}
