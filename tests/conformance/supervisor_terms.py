"""The words of supervisor scenarios: their JSON terms to this runtime's values, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from aybiza.actors.runtime import BadReturnValue, CallFailed, Crashed, Pid, Shutdown
from aybiza.supervisors import ChildSpec

TERMINATE_FIRST = {"terminate": 0, "down": 1}

# What Elixir's DynamicSupervisor raises in its caller, where this one raises these.
RAISED = {TypeError: "ArgumentError", ValueError: "CaseClauseError"}


@dataclass(frozen=True)
class Observation:
    """What a stimulus returned and caused, and who lives then.

    The ends of `unordered` labels, of children that end all at once, have no mutual order.
    """

    returned: Any
    events: list[Any]
    live: list[str]
    unordered: Container[str]


class Attempts:
    """The scripted outcome of each start attempt of an id."""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def next(self, fields: Mapping[str, Any]) -> tuple[str, Any]:
        """The label of this attempt, and its outcome."""
        id = fields["id"]
        self._made[id] += 1
        script = fields.get("init") or ["ok"]
        return f"{id}#{self._made[id]}", script[min(self._made[id], len(script)) - 1]


def gives_process(outcome: Any) -> bool:
    """Whether a scripted outcome gives a process."""
    return outcome == "ok" or kind(outcome) == "ok_extra"


def kind(outcome: Any) -> str:
    """The first word of a scripted outcome."""
    return str(outcome if isinstance(outcome, str) else outcome[0])


def reason(term: Any) -> Any:
    """A JSON exit reason as this runtime's."""
    if isinstance(term, list):
        if len(term) == 2 and term[0] == "shutdown":
            return Shutdown(reason(term[1]))
        return tuple(map(reason, term))
    return term


def flags(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a supervisor, with OTP's defaults where Elixir's differ."""
    if tree.get("kind") == "dynamic":
        names = ("strategy", "max_restarts", "max_seconds", "max_children")
        return {name: tree[name] for name in names if name in tree}
    defaults = {"max_restarts": 1}
    names = ("strategy", "max_restarts", "max_seconds", "auto_shutdown")
    return defaults | {name: tree[name] for name in names if name in tree}


def seconds(shutdown: Any) -> Any:
    """A shutdown time of a file, in milliseconds, as seconds."""
    if isinstance(shutdown, int | float) and not isinstance(shutdown, bool):
        return shutdown / 1000
    return shutdown


def spec(given: Any, start: Callable[[Mapping[str, Any]], Any]) -> Any:
    """The child specification that `given` describes; `start` makes its start function."""
    if not isinstance(given, Mapping):
        return given
    names = ("id", "restart", "significant", "type", "modules")
    made = {name: given[name] for name in names if name in given}
    if "shutdown" in given:
        made["shutdown"] = seconds(given["shutdown"])
    if not given.get("omit_start"):
        made["start"] = given["start"] if "start" in given else start(given)
    return made


def term(value: Any, label: Callable[[Pid], str]) -> Any:
    """A value of this runtime as the JSON term of the files."""
    match value:
        case Pid():
            return label(value)
        case Shutdown(detail):
            return ["shutdown", term(detail, label)]
        case Crashed(exception):
            return ["raise", type(exception).__name__]
        case CallFailed(why):
            return term(why, label)
        case BadReturnValue(returned):
            return ["bad_return", ["Oracle.Sup", "init", term(returned, label)]]
        case ChildSpec():
            return ["child", value.id]
        case ("invalid_shutdown", time):
            return ["invalid_shutdown", _milliseconds(time)]
        case Mapping():
            shown = {k: v for k, v in value.items() if k not in ("start", "modules")}
            if "shutdown" in shown:
                shown["shutdown"] = _milliseconds(shown["shutdown"])
            return shown
        case tuple() | list():
            return [term(each, label) for each in value]
    return value


def answer(operation: str, value: Any, label: Callable[[Pid], str]) -> Any:
    """What a supervisor answered to `operation`, as the files have it."""
    match operation:
        case "which_children":
            return [
                [_shown(child.id), _shown(term(child.pid, label)), child.type] for child in value
            ]
        case "count_children":
            return value._asdict()
        case "get_childspec":
            names = ("id", "restart", "shutdown", "significant", "type")
            shown = {name: getattr(value, name) for name in names}
            return ["ok", shown | {"shutdown": _milliseconds(value.shutdown)}]
        case "terminate_child" | "delete_child":
            return "ok"
    if value is None:
        return ["ok", "undefined"]
    return ["ok", *term([value] if isinstance(value, Pid) else value, label)]


def _shown(value: Any) -> Any:
    return "undefined" if value is None else value


def in_order(events: list[Any], unordered: Container[str]) -> list[Any]:
    """`events` with each run of ends of `unordered` labels sorted, as the files have them."""
    result: list[Any] = []
    run: list[Any] = []
    for event in events:
        if event[0] in TERMINATE_FIRST and event[1] in unordered:
            run.append(event)
            continue
        result += _sorted(run)
        run = []
        result.append(event)
    return result + _sorted(run)


def _sorted(run: list[Any]) -> list[Any]:
    return sorted(run, key=lambda event: (event[1], TERMINATE_FIRST[event[0]]))


def _milliseconds(shutdown: Any) -> Any:
    if isinstance(shutdown, int | float) and not isinstance(shutdown, bool):
        return round(shutdown * 1000)
    return shutdown
