"""A fault: what breaks, where, when, and how often.

    Fault("kill", where="SpeakerActor", after="SentenceHeard(turn=1, seq=1)")
    Fault("delay", where="CallActor", message="AnswerSentence", nth=2, seconds=0.5)
    Fault("listen.close", at=4.0, times=0)

`KINDS` says what there is; a kind's own parameters are given by their names. When: `at` seconds of
the first call; at the `nth` `message` of a type that reaches the place; when its `state` becomes
that; `after` an event, and not if `before` has happened; or with a `probability` at each message.
`delay` seconds later, if it says so. It strikes `times` times, 0 for always.

Errors: `FaultError` names the field, what is wrong with it and the nearest name that is known.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, cast, get_args, get_type_hints

from aybiza.dialogue.conversation import Phase
from aybiza.emulators.bedrock import faults as bedrock
from aybiza.emulators.deepgram import faults as deepgram
from aybiza.emulators.streamed import faults as streamed
from aybiza.faults import vocabulary

Group = Literal[
    "process",
    "message",
    "listen",
    "flux",
    "speak",
    "bedrock",
    "openai",
    "elevenlabs",
    "line",
    "node",
]


class FaultError(ValueError):
    """A fault that there cannot be; `field` is what is wrong of it."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field


@dataclass(frozen=True, slots=True)
class Kind:
    """What a fault does: its group, its parameters, and a line for people.

    `only`: `world` if it can be done in virtual time alone, `live` if on a running node alone.
    """

    group: Group
    parameters: tuple[str, ...]
    meaning: str
    only: Literal["", "world", "live"] = ""


def _kinds() -> dict[str, Kind]:
    kinds = {
        "crash": Kind("process", ("reason",), "ends by itself in a callback with `reason`"),
        "raise": Kind("process", ("text",), "a callback raises RuntimeError(`text`)"),
        "exit": Kind("process", ("reason",), "is sent an exit signal with `reason`"),
        "kill": Kind("process", (), "is killed"),
        "hang": Kind("process", ("seconds",), "a callback does not go on for `seconds`"),
        "block": Kind("process", ("seconds",), "a callback holds the loop for `seconds`"),
        "fill": Kind("process", ("count",), "gets `count` messages that mean nothing"),
        "delay": Kind("message", ("seconds",), "the message comes `seconds` later"),
        "drop": Kind("message", (), "the message does not come"),
        "duplicate": Kind("message", (), "the message comes twice"),
        "reorder": Kind("message", (), "the message comes behind the next one"),
        "line.drop": Kind("line", (), "the carrier's connection breaks; the caller stays", "world"),
        "line.deaf": Kind("line", ("seconds",), "the carrier reads nothing for `seconds`", "world"),
        "line.mute": Kind("line", ("seconds",), "the carrier sends nothing for `seconds`", "world"),
        "line.no_marks": Kind("line", ("seconds",), "no mark comes back for `seconds`", "world"),
        "disk.full": Kind(
            "node", ("seconds",), "the memory's disk takes nothing for `seconds`", "world"
        ),
        "disk.slow": Kind(
            "node", ("seconds",), "a write to the memory's disk takes `seconds`", "world"
        ),
        "redis.gone": Kind("node", ("seconds",), "nobody reaches Redis for `seconds`", "world"),
        "redis.slow": Kind(
            "node", ("seconds",), "for ten seconds an answer of Redis takes `seconds`", "world"
        ),
        "redis.empty": Kind("node", (), "Redis has lost all that it had", "world"),
        "clock.jump": Kind(
            "node", ("seconds",), "the wall clock is set `seconds` on, or back", "world"
        ),
        "node.freeze": Kind("node", ("seconds",), "nothing of the node runs for `seconds`"),
        "node.lost": Kind("node", (), "the machine is gone, and nobody is told", "world"),
        "node.part": Kind(
            "node", ("seconds",), "no other node hears it, or is heard, for `seconds`", "world"
        ),
        "node.drain": Kind(
            "node", ("seconds",), "hands its calls over to other nodes after `seconds`", "world"
        ),
        "node.kill": Kind("node", (), "the node's process is killed", "live"),
    }
    doors: tuple[Literal["listen", "flux", "speak"], ...] = ("listen", "flux", "speak")
    for door in doors:
        kinds[f"{door}.deaf"] = Kind(door, ("into",), "Deepgram: reads nothing any more", "world")
        for name, kind in deepgram.KINDS.items():
            if door in kind.doors:
                told = tuple("into" if one == "after" else one for one in kind.parameters)
                kinds[f"{door}.{name}"] = Kind(door, told, f"Deepgram: {kind.meaning}")
    for name, failure in bedrock.KINDS.items():
        more = ("code", "into", "text", "seconds", "model")
        kinds[f"bedrock.{name}"] = Kind("bedrock", more, f"Bedrock: {failure.meaning}")
    streamed_groups: tuple[Literal["openai", "elevenlabs"], ...] = ("openai", "elevenlabs")
    for group in streamed_groups:
        for name, struck in streamed.KINDS.items():
            meaning = f"{_NAMED[group]}: {struck.meaning}"
            kinds[f"{group}.{name}"] = Kind(group, struck.parameters, meaning, "world")
    return kinds


_NAMED: Final = {"openai": "OpenAI", "elevenlabs": "ElevenLabs"}
KINDS: Final[dict[str, Kind]] = _kinds()

_TRIGGERS = ("at", "message", "state", "after", "probability")


@dataclass(frozen=True, slots=True)
class Event:
    """A pattern for what happens: the type's name, and values of its fields."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, where: str) -> Event:
        """The pattern that is written as a call: `SentenceHeard(turn=1, seq=2)`, `audio`."""
        name, bracket, rest = text.partition("(")
        if not bracket:
            return cls(name.strip())
        try:
            call = ast.parse(f"f({rest}", mode="eval").body
            assert isinstance(call, ast.Call) and not call.args
            values = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
        except (SyntaxError, ValueError, AssertionError):
            raise FaultError(where, f"{text!r} is not written as Type(field=value, …)") from None
        return cls(name.strip(), values)

    def fits(self, name: str, value: Any) -> bool:
        """Whether it happened."""
        # Most names are no patterns.
        if self.name != name and (self.name.isidentifier() or not fnmatchcase(name, self.name)):
            return False
        return all(getattr(value, key, _ABSENT) == one for key, one in self.values.items())


_ABSENT = object()
PROVIDERS: Final = ("listen", "flux", "speak", "bedrock", "openai", "elevenlabs")
"""The groups of faults that strike a provider's emulator."""
LARGEST: Final = 1e12
"""No time, number or count of a fault is as large."""


@dataclass(frozen=True, slots=True)
class Fault:
    """See the module. `where` is an actor class, a name, a pid (`#41`) or a pattern of one; `call`
    and `node` are patterns for whose it is."""

    what: str
    where: str = "*"
    call: str = "*"
    node: str = "*"
    at: float | None = None
    message: str | None = None
    nth: int = 1
    state: str | None = None
    after: str | None = None
    before: str | None = None
    probability: float | None = None
    delay: float = 0.0
    times: int = 1
    reason: str = "broken on purpose"
    seconds: float = 1.0
    count: int = 1000
    code: int | str | None = None
    into: float = 0.0
    text: str = ""
    model: str = "*"
    value: float = 0.0

    @property
    def kind(self) -> Kind:
        """What it does."""
        return KINDS[self.what]

    def __str__(self) -> str:
        shown = self.as_table()
        what = shown.pop("what")
        return " ".join([what, *(f"{key}={value!r}" for key, value in shown.items())])

    def as_table(self) -> dict[str, Any]:
        """What differs from the defaults, for a file."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            one.name: told[one.name]
            for one in fields(self)
            if one.name == "what" or told[one.name] != one.default
        }

    def checked(self) -> Fault:
        """The same fault; raises `FaultError` if it names what there is not."""
        _check_types(self)
        _check_kind(self)
        _check_trigger(self)
        _check_names(self)
        _check_numbers(self)
        return self


def fault_of(table: Mapping[str, Any]) -> Fault:
    """The fault of a table of a file; raises `FaultError`."""
    known = {one.name for one in fields(Fault)}
    for name in table:
        if name not in known:
            raise FaultError(name, f"a fault has no such field; {vocabulary.nearest(name, known)}")
    if "what" not in table:
        raise FaultError("what", f"is missing; {vocabulary.nearest('', KINDS)}")
    return Fault(**table).checked()


_HINTS: Final = {name: get_args(hint) or (hint,) for name, hint in get_type_hints(Fault).items()}


def _check_types(fault: Fault) -> None:
    for name, hinted in _HINTS.items():
        value = getattr(fault, name)
        kinds = (*hinted, int) if float in hinted else hinted
        if isinstance(value, bool) or not isinstance(value, kinds):
            meant = "a text" if str in kinds else "a number"
            raise FaultError(name, f"is {value!r:.60}, must be {meant}")
        if isinstance(value, int | float) and not -LARGEST < value < LARGEST:
            raise FaultError(name, f"is {value!r:.60}, must be a number that is finite")


def _check_kind(fault: Fault) -> None:
    if fault.what not in KINDS:
        near = vocabulary.nearest(str(fault.what), KINDS)
        raise FaultError("what", f"there is no fault {fault.what!r}; {near}")
    own = {"reason", "seconds", "count", "code", "into", "text", "model", "value"}
    foreign = own & set(fault.as_table()) - set(fault.kind.parameters)
    if foreign:
        name = min(foreign)
        takes = ", ".join(fault.kind.parameters) or "none"
        raise FaultError(name, f"{fault.what} has no such parameter; it takes: {takes}")


def _check_trigger(fault: Fault) -> None:
    given = [name for name in _TRIGGERS if getattr(fault, name) is not None]
    if fault.kind.group == "message":
        if not {"message", "probability"} & set(given):
            raise FaultError("message", f"{fault.what} needs a message, or a probability")
    elif not given:
        raise FaultError("at", f"says not when; give one of {', '.join(_TRIGGERS)}")
    single = [name for name in given if name != "probability"]
    if len(single) > 1:
        raise FaultError(single[1], f"a fault has one moment; {single[0]} is another")
    if fault.before is not None and fault.after is None:
        raise FaultError("before", "stands beside `after`, which is missing")


def _check_names(fault: Fault) -> None:
    place = fault.where.split("#")[0].split(":")[0]
    if place not in ("", "*") and not vocabulary.is_known(place, vocabulary.actors()):
        near = vocabulary.nearest(place, vocabulary.actors())
        raise FaultError("where", f"there is no actor {place!r}; {near}")
    for name in ("message", "after", "before"):
        text = getattr(fault, name)
        if text is None:
            continue
        event = Event.parse(text, name)
        known = vocabulary.messages()
        if not vocabulary.is_known(event.name, known):
            near = vocabulary.nearest(event.name, known)
            raise FaultError(name, f"there is no message {event.name!r}; {near}")
        fields_of = vocabulary.members(event.name) if event.values else None
        for key in event.values:
            if fields_of is not None and key not in fields_of:
                near = vocabulary.nearest(key, fields_of)
                raise FaultError(name, f"{event.name} has no field {key!r}; {near}")
    if fault.state is None:
        return
    name, equals, value = fault.state.partition("=")
    if not equals:
        raise FaultError("state", f"{fault.state!r} is not written as field=value")
    phases = [phase.value for phase in Phase]
    if name == "phase" and value not in phases:
        near = vocabulary.nearest(value, phases)
        raise FaultError("state", f"there is no phase {value!r}; {near}")


def _check_numbers(fault: Fault) -> None:
    for name, least in (("at", 0.0), ("delay", 0.0), ("nth", 1), ("times", 0), ("count", 1)):
        value = getattr(fault, name)
        if value is not None and (isinstance(value, bool | str) or value < least):
            raise FaultError(name, f"is {value!r}, must be a number from {least:g}")
    if isinstance(fault.seconds, str):
        raise FaultError("seconds", f"is {fault.seconds!r}, must be a number")
    chance = fault.probability
    if chance is not None and (isinstance(chance, str) or not 0 < chance <= 1):
        raise FaultError("probability", f"is {chance!r}, must be above 0 and at most 1")
    if fault.kind.group in PROVIDERS and not fault.what.endswith(".deaf"):
        try:
            provider_fault(fault)
        except (ValueError, TypeError) as error:
            raise FaultError("what", str(error)) from None


def provider_fault(fault: Fault) -> Any:
    """The emulator's own fault that this one stands for; ValueError if it cannot be."""
    door, _, kind = fault.what.partition(".")
    given = fault.as_table()
    if door in _NAMED:
        status = 429 if fault.code is None else int(fault.code)
        return streamed.Fault(kind, status, int(fault.into), fault.seconds, fault.times or None)
    if door == "bedrock":
        seconds = fault.seconds if "seconds" in given else None
        times = fault.times or None
        return bedrock.Fault(
            kind,
            code=str(fault.code or ""),
            message=fault.text,
            after=int(fault.into),
            seconds=seconds,
            model=fault.model,
            call=fault.call,
            times=times,
        )
    code: Any = fault.code
    if code is None:
        code = deepgram.REFUSAL_STATUS if kind == "refuse" else deepgram.CLOSE_CODE
    return deepgram.Fault(
        cast(deepgram.Door, door),
        kind,
        code=int(code),
        after=fault.into,
        text=fault.text,
        seconds=fault.seconds,
        value=fault.value,
        times=fault.times or None,
        session=fault.call,
    )
