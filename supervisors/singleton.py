"""`Singleton`: one server in the whole cluster, taken over by another node when its own is lost.

    singleton(Billing, "billing", settings)    a child of a supervisor on each node that may run it

Each of these nodes has a Singleton. It starts the server under `Via("cluster", key)`; where the
name is taken it stands by, with a monitor on the owner, and starts the server as soon as that is
gone: some milliseconds after a crash, an orderly end or `kill -9` of the node, at most the 2 s of
`NodeDown` after a freeze or a pulled cable. This is what OTP does with `global` and a distributed
application.

A server that crashes ends its Singleton with the same reason, so that the supervisor above counts
and restarts; whichever node is first goes on with the server. While a cluster is parted each side
has one; when it heals the older registration stays, and the other server is shut down with a
`NameConflict` (`terminate` runs) and stood by for.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import structlog

from aybiza.actors.cluster.names import NameConflict
from aybiza.actors.cluster.shared import CLUSTER
from aybiza.actors.runtime import (
    IGNORE,
    KILL,
    SHUTDOWN,
    Down,
    Exit,
    GenServer,
    Pid,
    Reason,
    StartError,
    Stop,
    Via,
)
from aybiza.supervisors.child_spec import BRUTAL_KILL, INFINITY, WORKER_SHUTDOWN, ChildSpec, child

log = structlog.get_logger(__name__)

KILL_SECONDS = 5.0
"""What a killed server gets to be gone."""


class Singleton(GenServer):
    """See the module. Its state says where the server is."""

    traps_exits = True
    child_type = "supervisor"

    async def init(self, spec: ChildSpec) -> Any:
        self._spec = spec
        self._server: Pid | None = None
        self._owner: Pid | None = None
        self._watch: int | None = None
        return await self._start()

    async def handle_info(self, message: Any) -> None:
        match message:
            case Down(ref=ref) if ref == self._watch:
                self._watch = self._owner = None
                await self._go_on()
            case Exit(pid=pid, reason=NameConflict()) if pid == self._server:
                self._server = None
                await self._go_on()
            case Exit(pid=pid, reason=reason) if pid == self._server:
                self._server = None
                raise Stop(reason)
            case _:
                self.vm.report_unexpected(self._process, message)

    async def terminate(self, reason: Reason) -> None:
        server, limit = self._server, self._spec.shutdown
        if server is None:
            return
        if limit != BRUTAL_KILL:
            self.vm.exit(server, SHUTDOWN)
            try:
                await self.vm.join(server, None if limit == INFINITY else float(limit))
                return
            except TimeoutError:
                pass
        self.vm.exit(server, KILL)
        await self.vm.join(server, KILL_SECONDS)

    def get_state(self) -> dict[str, Any]:
        """`server`: the server, if it runs here; `owner`: the one that is stood by for."""
        return {"server": self._server, "owner": self._owner}

    async def _go_on(self) -> None:
        if self.vm.remote is None:
            # This node has left the cluster, and ends: there is nothing to take over.
            return
        try:
            await self._start()
        except StartError as error:
            raise Stop(error.reason) from error

    async def _start(self) -> Any:
        try:
            started = await self._spec.start(self.vm)
        except StartError as error:
            match error.reason:
                case ("already_started", Pid() as owner):
                    self._owner = owner
                    self._watch = self.vm.monitor(owner)
                    return None
            raise
        if started is None:
            return IGNORE
        # A Pid is a tuple, too.
        self._server = started if isinstance(started, Pid) else started[0]
        log.info("singleton_started", name=str(self._spec.id), pid=str(self._server))
        return None


def singleton(
    server: type[GenServer],
    key: Hashable,
    *arguments: Any,
    shutdown: float = WORKER_SHUTDOWN,
    timeout: float | None = None,
    **options: Any,
) -> ChildSpec:
    """The spec of a server that is to run once in the cluster, as `Via("cluster", key)`.

    `shutdown` and `timeout` as in `child`; the server is restarted whatever it ends with.
    """
    name = Via(CLUSTER, key)
    inner = child(server, *arguments, id=key, name=name, shutdown=shutdown, **options)
    return child(Singleton, inner, id=("singleton", key), shutdown=INFINITY, timeout=timeout)
