"""The process of a `Registry` that a supervisor starts: its table lives and dies with it.

As in Elixir, who is in the table is linked to its process, and ends with it, unless it traps exits.
A process that leaves the table is unlinked. Under its name the process itself is found too:
`vm.whereis("rooms")`; `sys.get_state` shows how much the table holds. A start fails with
`("name_taken", name)` where a registry of that name belongs to the VM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aybiza.actors.runtime.errors import Stop
from aybiza.actors.runtime.gen_server import GenServer
from aybiza.actors.runtime.messages import Exit
from aybiza.actors.runtime.pid import Pid
from aybiza.actors.runtime.process import Process, link_both
from aybiza.actors.runtime.vm import VM


class Kept(Protocol):
    """The table of a registry, for the process that keeps it."""

    name: str

    def belong_to(
        self, owner: Process, entered: Callable[[Process], None], left: Callable[[Process], None]
    ) -> None:
        """Stand in the VM's registries until `owner` ends."""

    def statistics(self) -> Any:
        """How much it holds, as a named tuple."""


async def start_link(vm: VM, table: Kept) -> Pid:
    """Start the process of `table`, linked to the caller; see `Registry.start_link`."""
    pid = await vm.start(RegistryServer, table, name=table.name, link=True)
    assert pid is not None
    return pid


class RegistryServer(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, table: Kept) -> None:
        if table.name in self.vm.registries:
            raise Stop(("name_taken", table.name))
        self._table = table
        table.belong_to(self._process, self._link, self._unlink)

    async def handle_info(self, message: Any) -> None:
        if not isinstance(message, Exit):
            await super().handle_info(message)

    def _link(self, process: Process) -> None:
        link_both(self._process, process)

    def _unlink(self, process: Process) -> None:
        for one, other in ((self._process, process), (process, self._process)):
            if one.links:
                one.links.pop(other, None)

    def get_state(self) -> dict[str, Any]:
        """How much the table holds."""
        return dict(self._table.statistics()._asdict())
