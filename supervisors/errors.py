"""What a supervisor refuses, with OTP's own term for it."""

from __future__ import annotations

from typing import Any

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
        tag = self.term[0] if isinstance(self.term, tuple) and self.term else self.term
        meaning = _MEANING.get(tag) if isinstance(tag, str) else None
        return f"{self.term!r}: {meaning}" if meaning else f"the child did not start: {self.term!r}"
