"""Exit reasons: why a process ended, as values that links and monitors carry.

Erlang's atoms are strings here, so a reason prints, compares and pickles as itself. A reason
may be any value; these have a meaning to the runtime and to supervisors:

=====================  =====================================================================
`NORMAL`               the process did its work; links are not disturbed
`SHUTDOWN`             ordered by its supervisor
`Shutdown(detail)`     Erlang's `{shutdown, Detail}`: an orderly end that says why
`KILL` / `KILLED`      the untrappable signal, and what everyone else sees of it
`Crashed(exception)`   a callback raised; Erlang's `{exception, stack}`
`NOPROC`               nobody lives at that address
`NOCONNECTION`         the node of that address cannot be reached
=====================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Reason: TypeAlias = Any

NORMAL: Final = "normal"
SHUTDOWN: Final = "shutdown"
KILL: Final = "kill"
KILLED: Final = "killed"
NOPROC: Final = "noproc"
NOCONNECTION: Final = "noconnection"
TIMEOUT: Final = "timeout"
CALLING_SELF: Final = "calling_self"
BAD_RETURN_VALUE: Final = "bad_return_value"
FUNCTION_CLAUSE: Final = "function_clause"


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Erlang's `{shutdown, Detail}`: as orderly as `SHUTDOWN`, with a detail for the observer."""

    detail: Hashable


@dataclass(frozen=True, slots=True)
class Crashed:
    """A callback raised `exception` (its traceback is on it)."""

    exception: BaseException

    def __str__(self) -> str:
        return f"crashed with {type(self.exception).__name__}: {_text(self.exception)}"

    def __reduce__(self) -> tuple[Any, ...]:
        if type(self.exception) is RemoteCrash:
            return Crashed, (self.exception,)
        return _rebuild_crashed, (type(self.exception).__name__, _text(self.exception))


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The process ended because a call of its own failed with `reason`, and nobody caught it.

    Erlang's `{Reason, {gen_server, call, Arguments}}`: never an orderly reason, even when the
    callee ended with `NORMAL`.
    """

    reason: Reason
    dest: Any


@dataclass(frozen=True, slots=True)
class BadReturnValue:
    """A callback returned `value`, which has no meaning there: `{bad_return_value, Value}`."""

    value: Any


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException as failure:
        return f"<not shown: its text raises {type(failure).__name__}>"


def is_same(reason: Reason, other: Reason) -> bool:
    """Whether two reasons are equal; two that cannot be compared are not."""
    if reason is other:
        return True
    try:
        return bool(reason == other)
    except BaseException:
        return False


def is_orderly(reason: Reason) -> bool:
    """Whether a transient child that ends with `reason` has done its work."""
    return reason in (NORMAL, SHUTDOWN) if isinstance(reason, str) else type(reason) is Shutdown


class RemoteCrash(Exception):
    """Stands for an exception that was raised on another node and does not travel itself."""


def _rebuild_crashed(kind: str, text: str) -> Crashed:
    return Crashed(RemoteCrash(f"{kind}: {text}"))
