"""Exceptions of the runtime.

`ExitError` and its kin make the process that does not catch them end with their `reason`;
every other exception makes it end with `Crashed(exception)`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from aybiza.actors.runtime.reasons import NORMAL, CallFailed, Crashed, Reason
from aybiza.actors.runtime.teaching import explained, users_line

UNSET: Any = object()

# Everything else that code raises is a crash of its process and of nothing else: SystemExit, a
# cancellation that no exit signal asked for, and whatever libraries derive from BaseException.
PROGRAM_ENDS: Final = (KeyboardInterrupt, GeneratorExit)

Advice = Callable[[], str]
"""What an error has to say besides, made when somebody reads it."""

_HERE = os.path.dirname(__file__) + os.sep


class ExitError(Exception):
    """Ends the process that raises it with `reason`: Erlang's `exit(Reason)`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason

    def exit_reason(self) -> Reason:
        """What links and monitors of the process see."""
        return self.reason


class Stop(ExitError):
    """Raised in a callback: stop this server with `reason`; `terminate` runs first.

    In `handle_call` a `reply` answers the caller: `{:stop, reason, reply, state}`.
    """

    def __init__(self, reason: Reason, *, reply: Any = UNSET) -> None:
        super().__init__(reason)
        self.reply = reply


class CallExit(ExitError):
    """A `call` got no reply: the callee ended with `reason`, does not live, or was too slow."""

    def __init__(
        self, reason: Reason, dest: Any, request: Any = None, advice: Advice | None = None
    ) -> None:
        super().__init__(reason)
        self.dest = dest
        self.request = request
        self._advice = advice

    @property
    def told(self) -> str:
        """What its text begins with: the reason, and nothing of who else lives here."""
        return f"call to {self.dest} failed: {self.reason}"

    def __str__(self) -> str:
        return _taught(self, self._advice)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason, self.dest, self.request)

    def exit_reason(self) -> Reason:
        return CallFailed(self.reason, self.dest)


class StartError(Exception):
    """A process did not start: `{:error, reason}` of `start_link`.

    `reason` is `("already_started", pid)` when the name is taken, `"timeout"` when `init` took
    too long, and otherwise what `init` stopped, exited or crashed with.
    """

    def __init__(self, reason: Reason, advice: Advice | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self._advice = advice

    @property
    def told(self) -> str:
        """What its text begins with: the reason, and nothing of who else lives here."""
        return f"process did not start: {self.reason}"

    def __str__(self) -> str:
        return _taught(self, self._advice)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason,)


class NameTaken(Exception):
    """The name already belongs to the living process `pid`."""

    def __init__(self, name: Any, pid: Any) -> None:
        super().__init__(f"{name!r} is registered to {pid}")
        self.name = name
        self.pid = pid


class UnknownName(LookupError):
    """No process is registered as `name`."""

    def __init__(self, name: Any, advice: Advice | None = None) -> None:
        super().__init__(name)
        self.name = name
        self._advice = advice

    @property
    def told(self) -> str:
        """What its text begins with: the reason, and nothing of who else lives here."""
        return f"no process is registered as {self.name!r}"

    def __str__(self) -> str:
        return _taught(self, self._advice)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name,)


class RemoteBusy(Exception):
    """Too much waits to be sent to the node `node`; the message was not taken."""

    def __init__(self, node: str) -> None:
        super().__init__(f"too many messages wait for the node {node!r}")
        self.node = node


class VMClosed(RuntimeError):
    """The VM is not open: use it inside `async with VM() as vm`."""


def _taught(error: Any, advice: Advice | None) -> str:
    """What an error tells, what there is to say of it, and the user's line that met it."""
    more = advice() if advice is not None else explained(getattr(error, "reason", None))
    told: str = error.told
    if not more:
        return told
    line = users_line(error.__traceback__)
    return f"{told}: {more}" + (f"; at {line}" if line else "")


def reason_of(error: BaseException | None) -> Reason:
    """The exit reason of a process whose body ended with `error`."""
    if error is None:
        return NORMAL
    return error.exit_reason() if isinstance(error, ExitError) else Crashed(error)


def own_traceback(error: BaseException | None) -> None:
    """Cut the runtime's frames off the top of `error`'s traceback: it begins in the server."""
    if error is not None:
        traceback = error.__traceback__
        while traceback and traceback.tb_frame.f_code.co_filename.startswith(_HERE):
            traceback = traceback.tb_next
        error.__traceback__ = traceback
