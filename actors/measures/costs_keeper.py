"""`CostsKeeper`: what the calls have cost outlives the node, in a small file.

    file = CostsFile(path)
    await restore(vm, quotas, file)                      once, before the tree starts
    child(CostsKeeper, file, name=COSTS_KEEPER)          in the tree, behind the calls' supervisor

The totals are written when they have changed, at most once in `SAVE_SECONDS`, in a thread, beside
the old file and then over it: who dies in between leaves the old one. A node that is stopped in
order writes them once more; one that is killed has lost at most the last second of them.

Errors: none reach a call. A file that cannot be read is put aside as `….damaged`, one that cannot
be written is logged and tried again.
Source: specification 000, "Phase 5" (quota management, cost tracking).
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import structlog

from aybiza.actors.measures import costs
from aybiza.actors.runtime import NORMAL, VM, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.config.private_files import private_file, taken

SAVE_SECONDS = 1.0
RETRY_SECONDS = 60.0
MOST_OF_A_NAME = 99

log = structlog.get_logger(__name__)


class CostsFile:
    """The file. Its methods block: they are for threads, and take turns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changes = 0
        """Up to which of the ledger's changes the file has them."""
        self._lock = threading.Lock()
        self._held: int | None = None

    def take(self) -> None:
        """Have the file for oneself, until `let_go` or the end of the process: where another node
        of this name has it, the one with the next number. Raises OSError."""
        own = self.path
        for number in range(1, MOST_OF_A_NAME + 1):
            self.path = own if number == 1 else own.with_name(f"{own.stem}-{number}{own.suffix}")
            self._held = taken(self.path)
            if self._held is None:
                continue
            if number > 1:
                log.warning("costs_kept_apart", path=str(self.path), why="two nodes have one name")
            return
        raise OSError(f"{own}: {MOST_OF_A_NAME} nodes have this name; give each its own")

    def let_go(self) -> None:
        """Others may have the file. Idempotent."""
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def read(self, quotas: Quotas) -> Ledger | None:
        """The ledger that was kept, None if there is none. One that cannot be read is put aside."""
        try:
            return Ledger.restored(quotas, json.loads(self.path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            with contextlib.suppress(OSError):
                os.replace(self.path, self.path.with_name(f"{self.path.name}.damaged"))
            log.error("costs_not_restored", path=str(self.path), reason=str(error))
            return None

    def write(self, ledger: Ledger) -> None:
        """Keep the totals of this ledger, unless later ones are kept. Raises OSError."""
        with self._lock:
            if ledger.changes <= self.changes:
                return
            new = self.path.with_name(f"{self.path.name}.new")
            private_file(new)
            with open(new, "w", encoding="ascii") as file:
                # Piece by piece, so that other threads have their turn in between.
                json.dump(ledger.snapshot(), file)
            os.replace(new, self.path)
            self.changes = ledger.changes


async def restore(vm: VM, quotas: Quotas, file: CostsFile) -> Ledger:
    """Lay the node's ledger, with what was kept of it."""
    kept = await vm.run_blocking(file.read, quotas)
    return costs.lay(vm, kept or Ledger(quotas))


class CostsKeeper(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, file: CostsFile) -> None:
        self._file = file
        self._writer: Pid | None = None
        self.send_after("look", SAVE_SECONDS)

    async def handle_info(self, message: Any) -> None:
        match message:
            case "look":
                ledger = costs.ledger(self.vm)
                if ledger.changes == self._file.changes:
                    self.send_after("look", SAVE_SECONDS)
                else:
                    self._writer = Task.start(self.vm, self._write, ledger.copy()).pid
            case Exit(pid, reason) if pid == self._writer:
                self._writer = None
                if reason != NORMAL:
                    log.error("costs_not_kept", path=str(self._file.path), reason=str(reason))
                self.send_after("look", SAVE_SECONDS if reason == NORMAL else RETRY_SECONDS)

    async def _write(self, ledger: Ledger) -> None:
        try:
            await self.vm.run_blocking(self._file.write, ledger)
        except OSError as error:
            raise Stop(Shutdown(str(error))) from None

    async def terminate(self, reason: Any) -> None:
        with contextlib.suppress(OSError):
            await self.vm.run_blocking(self._file.write, costs.ledger(self.vm).copy())
