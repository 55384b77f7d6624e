"""`Remote`: what a VM asks for the processes of other nodes, once it has joined a cluster.

The VM looks for a process of its own first; what it does not find it hands to its `remote`. A VM
that is alone has none, and knows nobody but its own processes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Protocol

from aybiza.actors.runtime.reasons import Reason

if TYPE_CHECKING:
    import asyncio

    from aybiza.actors.runtime.messages import Call
    from aybiza.actors.runtime.pid import Pid
    from aybiza.actors.runtime.process import Process
    from aybiza.actors.runtime.task_debt import Debt

Place = Any
"""Where something is that is not here; only the `Remote` that made it looks into it."""


class Owed(Protocol):
    """What a task on another node owes a process of this one; it travels there as a `From`."""

    def answer(self, value: Any) -> None:
        """The task has its value."""

    def fail(self, error: BaseException) -> None:
        """The task has ended; `error` is a `CallExit` with its reason."""

    def started(self, pid: Pid) -> None:
        """The task runs as `pid`; its debt is told of the end, or the loss of its node."""

    def drop(self) -> None:
        """The task did not start."""


class Remote(Protocol):
    """The other nodes, as the VM sees them. Functions without `async` never wait."""

    def find(self, dest: Any) -> Process | None:
        """The local process that a cluster-wide address stands for."""

    def shares(self, name: Any) -> bool:
        """Whether `name` is one that is unique in the cluster."""

    def whereis(self, name: Hashable) -> Pid | None:
        """Who has such a name, on whichever node; `name` without its registry."""

    async def claim(self, name: Any, process: Process) -> None:
        """Give a local process that is being started such a name; raises `NameTaken` and
        TimeoutError."""

    def place(self, dest: Any) -> Place | None:
        """Where `dest` is, if it is an address on another node; None for all others."""

    def reaches(self, place: Place) -> bool:
        """Whether the node of this place can be reached now."""

    def send(self, place: Place, message: Any) -> None:
        """`VM.send`; raises `RemoteBusy` and what pickling the message raises."""

    def cast(self, place: Place, request: Any) -> None:
        """`VM.cast`; raises like `send`."""

    async def request(
        self,
        place: Place,
        request: Any,
        envelope: Callable[[Pid | None, asyncio.Future[Any], Any], Call],
        timeout: float | None,
    ) -> Any:
        """`VM.request`; a node that goes down raises `CallExit(NOCONNECTION)`."""

    async def join_process(self, place: Place, timeout: float | None) -> Reason:
        """`VM.join`."""

    async def stop(self, place: Place, reason: Reason, timeout: float | None) -> Reason:
        """Ask a server to end, wait until it has, and return the reason; raises TimeoutError."""

    def exit(self, place: Place, reason: Reason) -> None:
        """`VM.exit`."""

    def owe(self, debt: Debt) -> Owed:
        """What a task on another node is to owe the owner of `debt`; it can be sent there."""

    def link(self, process: Process, place: Place) -> None:
        """`VM.link` for a local process."""

    def unlink(self, process: Process, place: Place) -> None:
        """`VM.unlink` for a local process."""

    def monitor(self, watcher: Process, ref: int, dest: Any, place: Place) -> None:
        """`VM.monitor` for a local process."""

    def demonitor(self, ref: int) -> None:
        """End a monitor of another node's process; without effect on other refs."""

    def nodes(self) -> list[str]:
        """The other nodes that can be reached now."""

    def members(self) -> list[dict[str, Any]]:
        """All nodes that are known, this one first, as JSON data for people."""

    def monitor_nodes(self, process: Process, on: bool) -> None:
        """Tell a local process by `NodeUp` and `NodeDown` messages, or no longer."""
