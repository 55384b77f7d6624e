"""What a supervisor refuses, with OTP's own term for it."""

from __future__ import annotations

import inspect
from typing import Any

from aybiza.actors.runtime import GenServer, Shutdown
from aybiza.actors.runtime.teaching import (
    EXPLANATIONS,
    choice,
    explained,
    line_of,
    nearest,
    short,
    users_line,
)

STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one")
RESTARTS = ("permanent", "transient", "temporary")
TYPES = ("worker", "supervisor")
AUTO_SHUTDOWNS = ("never", "any_significant", "all_significant")

_MEANING = {
    "already_present": "a child with this id is kept without a process: restart or delete it",
    "already_started": "a child with this id runs",
    "bad_combination": "these settings exclude each other",
    "badarg": "this is to be a list",
    "duplicate_child_name": "two children have this id",
    "invalid_auto_shutdown": "auto_shutdown is never, any_significant or all_significant",
    "invalid_child_id": "a child's id is hashable",
    "invalid_child_spec": "this is not a child specification",
    "invalid_child_type": "a child's type is worker or supervisor",
    "invalid_extra_arguments": "extra_arguments is a tuple or a list",
    "invalid_intensity": "max_restarts is a whole number, at least 0",
    "invalid_max_children": "max_children is a whole number, at least 0, or INFINITY",
    "invalid_mfa": "start is an async function that is given the VM",
    "invalid_module": "modules names modules",
    "invalid_modules": "modules is a list of modules, or dynamic",
    "invalid_period": "max_seconds is a whole number, at least 1",
    "invalid_restart_type": "restart is permanent, transient or temporary",
    "invalid_shutdown": "shutdown is a time in seconds, BRUTAL_KILL or INFINITY",
    "invalid_significant": "significant is True or False",
    "invalid_strategy": "no such strategy here",
    "max_children": "the supervisor has all the children that it may have",
    "missing_id": "a child specification has an id",
    "missing_start": "a child specification has a start function",
    "not_found": "no such child",
    "restarting": "the child is being restarted",
    "running": "the child runs: terminate it first",
    "simple_one_for_one": "a simple_one_for_one supervisor knows its children by pid only",
}


class SupervisorError(Exception):
    """`{:error, term}` of a supervisor's function; `term` is OTP's, atoms being strings."""

    def __init__(self, term: Any) -> None:
        super().__init__(term)
        self.term = term

    def __str__(self) -> str:
        meaning = meaning_of(self.term)
        if not meaning:
            return f"the child did not start: {self.term!r}"
        line = users_line(self.__traceback__)
        return f"{self.term!r}: {meaning}" + (f"; at {line}" if line else "")


_SETTINGS = {
    "invalid_auto_shutdown": AUTO_SHUTDOWNS,
    "invalid_child_type": TYPES,
    "invalid_restart_type": RESTARTS,
    "invalid_strategy": STRATEGIES,
}


def meaning_of(term: Any) -> str:
    """What a refusal means and what to do about it; empty for a reason that is not ours."""
    match term:
        case (str(tag), value) if tag in _SETTINGS:
            name = tag.removeprefix("invalid_").removeprefix("child_").removesuffix("_type")
            return f"{name} {value!r}: {choice(value, _SETTINGS[tag])}"
        case ("invalid_child_spec", given):
            return f"{_MEANING['invalid_child_spec']}: {_spec_meant(given)}"
        case ("invalid_mfa", start):
            return f"{_MEANING['invalid_mfa']}: {_spec_meant(start)}"
        case ("invalid_shutdown", str(word)):
            meant = nearest(word, ("brutal_kill", "infinity"))
            return _MEANING["invalid_shutdown"] + (f"; {meant}" if meant else "")
        case ("duplicate_child_name", id):
            return f"two children have the id {id!r}: give one of them another, child(…, id=…)"
        case ("badarg", given):
            return f"children are a list of child specifications, [child(…), …], not {short(given)}"
        case ("supervisor_data" | "start_spec", inner):
            return meaning_of(inner)
    tag = term[0] if isinstance(term, tuple) and term else term
    return _MEANING.get(tag, "") if isinstance(tag, str) else ""


def _spec_meant(given: Any) -> str:
    if isinstance(given, type):
        return f"{given.__name__} is a class, write child({given.__name__}, …)"
    if isinstance(given, GenServer):
        name = type(given).__name__
        return f"it is an instance of {name}, and each start makes its own: write child({name}, …)"
    if isinstance(given, tuple | list) and given and isinstance(given[0], type):
        arguments = ", ".join([given[0].__name__, *map(repr, given[1:])])
        return f"write child({arguments})"
    if inspect.iscoroutine(given):
        given.close()
        return f"it is the coroutine {given.__qualname__}, which nobody awaits"
    if inspect.isfunction(given):
        return f"it is the function {given.__qualname__} at {line_of(given.__code__)}"
    return f"{given!r} is neither made by child(Class, …) nor a mapping with id and start"


def explanation(reason: Any) -> str:
    """The reason for which a supervisor did not start, in words."""
    match reason:
        case ("supervisor_data" | "start_spec", _):
            return meaning_of(reason)
        case Shutdown(("failed_to_start_child", id, why)):
            more = explained(why)
            return f"its child {id!r} did not start: {why}" + (f": {more}" if more else "")
    return ""


EXPLANATIONS.append(explanation)
