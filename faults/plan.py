"""A plan: a call, what breaks in it, and the seed of its chances; in Python, or as a TOML file.

    title = "the speaker dies in mid-sentence"
    seed = 1

    [answers]
    "What are your hours?" = ["We are open from nine to five. On Saturdays we close at noon."]

    [[step]]
    say = "What are your hours?"
    [[step]]
    hang_up = true

    [[fault]]
    what = "kill"
    where = "SpeakerActor"
    after = "SentenceHeard(turn=1, seq=1)"

A step is one of `say`, `interrupt`, `mumble`, `press`, `break_off`, `stay`, `hang_up`, with
`quiet_ms` or `after_ms` for when, and `when`, a pattern for what must have been heard. `mumble` is
how many ms of the agent's speech it waits for, or true. An answer is a text, or a table with the
`tool` to use and `say` before it. `agent` are changes of the front desk's agent; `thinks_ms`,
`delta_ms` the model's pace; `frames` how many of the caller's frames of 20 ms travel together;
`tool_seconds` how long `look_up` takes; `nodes` how many nodes there are; `guardrail` the words
that Bedrock blocks; `parties` who answers at which number: an outcome, or a table
(`aybiza.emulators.phone.flow.Party`). `consents` are the caller's texts that allow a write, each
with what must have been asked before; `phrases`: whether what the agent says word for word is kept
as audio, as on a node that has been up for a while.

Errors: `PlanError` names the file, the place in it, the field and what is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aybiza.config.agents import Agent
from aybiza.config.kinds import refusal
from aybiza.config.text_file import text_of
from aybiza.config.toml_file import TomlError, table_of
from aybiza.emulators.bedrock import Reply, say, use
from aybiza.emulators.phone import Party
from aybiza.emulators.phone.script import ScriptError
from aybiza.faults import caller, vocabulary
from aybiza.faults.desk import AGENT, TOOL_SECONDS, Answers, Desk, agent
from aybiza.faults.fault import Fault, FaultError, fault_of

NODES: Final = ("one", "two", "three")
"""The names of a plan's nodes, if it has several; the node of others is `world`."""

FRAMES: Final = 5
MOST_FRAMES: Final = 25
"""Half a second of audio in one message is late enough."""

_FIELDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "title": str,
    "seed": int,
    "answers": dict,
    "step": list,
    "fault": list,
    "agent": dict,
    "thinks_ms": (int, float),
    "delta_ms": (int, float),
    "frames": int,
    "tool_seconds": (int, float),
    "parties": dict,
    "nodes": int,
    "consents": dict,
    "phrases": bool,
    "guardrail": list,
}
_ACTS: Final = ("say", "interrupt", "mumble", "press", "break_off", "stay", "hang_up")
_MOMENTS: Final = ("quiet_ms", "after_ms")
_TEXTS: Final = ("say", "interrupt", "press", "when")
_SWITCHES: Final = ("break_off", "stay", "hang_up")
_KEYS: Final = frozenset("0123456789*#ABCD")
_USUAL: Final = {
    "thinks_ms": 400.0,
    "delta_ms": 30.0,
    "frames": FRAMES,
    "tool_seconds": TOOL_SECONDS,
    "phrases": False,
}


class PlanError(ValueError):
    """A plan that cannot be used; the text says where and why."""


@dataclass(frozen=True)
class Plan:
    """See the module; `steps` and `answers` as they stand in a file."""

    title: str = "a call"
    steps: Sequence[Mapping[str, Any]] = ()
    faults: Sequence[Fault] = ()
    answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    seed: int = 0
    agent: Mapping[str, Any] = field(default_factory=dict)
    thinks_ms: float = 400.0
    delta_ms: float = 30.0
    frames: int = FRAMES
    tool_seconds: float = TOOL_SECONDS
    parties: Mapping[str, Any] = field(default_factory=dict)
    nodes: int = 1
    consents: Mapping[str, str] = field(default_factory=dict)
    phrases: bool = False
    guardrail: Sequence[str] = ()

    def script(self) -> list[caller.Step]:
        """The caller's steps."""
        return [_step(step) for step in self.steps]

    def replies(self) -> Answers:
        """The model's answers."""
        return {text: [_reply(one) for one in given] for text, given in self.answers.items()}

    def desk(self) -> Agent:
        """The agent that answers."""
        return agent(**self.agent)

    def options(self) -> dict[str, Any]:
        """What a `World` for it is made with."""
        return {
            "seed": self.seed,
            "agent": self.desk(),
            "answers": self.replies(),
            "thinks_ms": self.thinks_ms,
            "delta_ms": self.delta_ms,
            "frames": self.frames,
            "toolbox": Desk(self.tool_seconds),
            "nodes": self.nodes,
            "guardrail": self.guardrail,
            "redis": any(fault.what.startswith("redis.") for fault in self.faults),
            "parties": {number: _party(given) for number, given in self.parties.items()},
        }

    def text(self) -> str:
        """The plan as TOML; `parse` reads it back."""
        lines = [f"title = {_toml(self.title)}", f"seed = {self.seed}"]
        for name, usual in {**_USUAL, "nodes": 1}.items():
            if getattr(self, name) != usual:
                lines.append(f"{name} = {_toml(getattr(self, name))}")
        if self.guardrail:
            lines.append(f"guardrail = {_toml(list(self.guardrail))}")
        for name in ("agent", "answers", "parties", "consents"):
            if table := getattr(self, name):
                lines += ["", f"[{name}]", *_pairs(table)]
        for name, tables in (
            ("step", self.steps),
            ("fault", [fault.as_table() for fault in self.faults]),
        ):
            for table in tables:
                lines += ["", f"[[{name}]]", *_pairs(table)]
        return "\n".join(lines) + "\n"


def load(path: str | Path) -> Plan:
    """The plan of a file. Raises `PlanError`."""
    return parse(text_of(Path(path), PlanError), str(path))


def parse(text: str, name: str = "plan", *, calls: bool = True) -> Plan:
    """The plan that stands in a text; `name` is for errors. Raises `PlanError`.

    `calls`: whether somebody must call in it, which on a running node others do.
    """
    try:
        table = table_of(text, name)
    except TomlError as error:
        raise PlanError(str(error)) from None
    return of_table(table, name, calls=calls)


def of_table(table: Mapping[str, Any], name: str = "plan", *, calls: bool = True) -> Plan:
    """The plan of a parsed file; `name` is for errors. Raises `PlanError`."""
    _check(table, name)
    if calls and not table.get("step"):
        raise PlanError(f"{name}: there is no [[step]], so nobody calls")
    faults = []
    for number, given in enumerate(table.get("fault", []), 1):
        try:
            faults.append(fault_of(given))
        except FaultError as error:
            raise PlanError(f"{name}, fault {number}, {error}") from None
        except TypeError as error:
            raise PlanError(f"{name}, fault {number}: {error}") from None
    if (nodes := table.get("nodes", 1)) > 1:
        _check_nodes(faults, NODES[:nodes], name)
    plan = Plan(
        title=table.get("title", "a call"),
        steps=table.get("step", []),
        faults=faults,
        answers=table.get("answers", {}),
        seed=table.get("seed", 0),
        agent=table.get("agent", {}),
        parties=table.get("parties", {}),
        nodes=table.get("nodes", 1),
        consents=table.get("consents", {}),
        guardrail=table.get("guardrail", []),
        **{key: table.get(key, usual) for key, usual in _USUAL.items()},
    )
    for number, step in enumerate(plan.steps, 1):
        _check_step(step, f"{name}, step {number}")
    try:
        if plan.steps:
            caller.script_of(plan.script())
        plan.replies()
        plan.options()
    except (ScriptError, ValueError, KeyError, TypeError) as error:
        raise PlanError(f"{name}: {error}") from None
    return plan


def _check(table: Mapping[str, Any], name: str) -> None:
    for key, value in table.items():
        if key not in _FIELDS:
            near = vocabulary.nearest(key, _FIELDS)
            raise PlanError(f"{name}: a plan has no field {key!r}; {near}")
        if why := refusal(value, _FIELDS[key]):
            raise PlanError(f"{name}: {key} = {value!r:.80} {why}")
    if not 1 <= (nodes := table.get("nodes", 1)) <= len(NODES):
        raise PlanError(f"{name}: nodes = {nodes} is none of 1 to {len(NODES)}")
    if not 1 <= (frames := table.get("frames", FRAMES)) <= MOST_FRAMES:
        raise PlanError(f"{name}: frames = {frames} is none of 1 to {MOST_FRAMES}")
    if not all(isinstance(w, str) and w.strip() for w in table.get("guardrail", [])):
        raise PlanError(f"{name}: guardrail is a list of the words that are blocked")
    for key in table.get("agent", {}):
        if key not in type(AGENT).model_fields:
            near = vocabulary.nearest(key, type(AGENT).model_fields)
            raise PlanError(f"{name}, agent: an agent has no field {key!r}; {near}")


def _check_nodes(faults: Sequence[Fault], nodes: Sequence[str], name: str) -> None:
    for number, fault in enumerate(faults, 1):
        if not vocabulary.is_known(fault.node, nodes):
            near = vocabulary.nearest(fault.node, nodes)
            raise PlanError(
                f"{name}, fault {number}, node: there is no node {fault.node!r}; {near}"
            )


def _check_step(step: Mapping[str, Any], where: str) -> None:
    known = {*_ACTS, *_MOMENTS, "when"}
    for key in step:
        if key not in known:
            raise PlanError(f"{where}: unknown {key!r}; {vocabulary.nearest(key, known)}")
    acts = [key for key in step if key in _ACTS]
    if len(acts) != 1:
        raise PlanError(f"{where}: does one of {', '.join(_ACTS)}; this one has {acts or 'none'}")
    for key, value in step.items():
        if (wanted := _wanted(key, value)) is not None:
            raise PlanError(f"{where}: {key} = {value!r:.80} must be {wanted}")


def _wanted(key: str, value: Any) -> str | None:
    """What a field of a step must be, if this value is not that."""
    if key in _SWITCHES:
        return None if value is True else "true"
    if key in _TEXTS:
        if not isinstance(value, str) or not value.strip():
            return "a text"
        return "keys: 0-9 * # A-D" if key == "press" and set(value) - _KEYS else None
    if key == "mumble" and value is True:
        return None
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if number and value >= 0 else "a number of milliseconds"


def _step(step: Mapping[str, Any]) -> caller.Step:
    when = {name: step[name] for name in ("quiet_ms", "after_ms", "when") if name in step}
    moment = step.get("after_ms")
    match next(key for key in step if key in _ACTS):
        case "say":
            return caller.says(step["say"], **when)
        case "interrupt":
            return caller.interrupts(step["interrupt"], 800 if moment is None else moment)
        case "mumble":
            into = None if step["mumble"] is True else step["mumble"]
            return caller.mumbles(moment, into_ms=into)
        case "press":
            when.pop("when", None)
            return caller.presses(step["press"], **when)
        case "break_off":
            return caller.breaks_off(500 if moment is None else moment)
        case "stay":
            return caller.stays()
    return caller.hangs_up(**when)


def _party(given: Any) -> Party:
    return Party(**given) if isinstance(given, Mapping) else Party(given)


def _reply(given: Any) -> Reply:
    if isinstance(given, str):
        return say(given)
    if isinstance(given, Mapping):
        known = {"tool", "input", "say", "stop"}
        for key in given:
            if key not in known:
                near = vocabulary.nearest(key, known)
                raise ValueError(f"an answer has no field {key!r}; {near}")
        if "tool" not in given:
            return Reply(say(given.get("say", "")).blocks, given.get("stop"))
        return use(given["tool"], dict(given.get("input", {})), given.get("say", ""))
    raise ValueError(f"an answer is a text, or a table with a tool, not {given!r}")


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_toml(value)}" for name, value in table.items()]


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_pairs(value)) + " }" if value else "{}"
    return "[" + ", ".join(map(_toml, value)) + "]"
