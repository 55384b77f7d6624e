"""`Seeds`: asks the machines that are to be joined for their nodes, for as long as the node lives.

Asking again lets a cluster grow together by itself after a partition that was longer than peers
knock for, and lets a machine be joined that is started later. Who has not answered is asked every
`AGAIN_SECONDS`, also when a node is missed; while all is well the wait doubles up to
`CALM_SECONDS`, for at a thousand nodes a question every 5 s would keep a seed's keeper busy. A new
node asks by itself, so nobody waits for the calm.

A name that does not resolve is logged at most once a minute and asked for again; meanwhile its last
address is used. Looking one up takes a thread of the VM, never the loop.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable, Sequence

import structlog

from aybiza.actors.cluster.carrier import Carrier
from aybiza.actors.cluster.membership import Address
from aybiza.actors.runtime.vm import VM

ALONE_SECONDS = 0.5
"""Between two questions as long as nobody has answered."""
AGAIN_SECONDS = 5.0
CALM_SECONDS = 60.0
RESOLVE_SECONDS = 3.0
"""What a look-up may take before the others are asked without it."""
LOG_SECONDS = 60.0

log = structlog.get_logger(__name__)


class Seeds:
    """See the module. `asked` and `answered` hold machines as "address:port"; `asked` is None
    before the first question."""

    def __init__(
        self, vm: VM, carrier: Carrier, resolve: Callable[[str], str] | None = None
    ) -> None:
        """`resolve` finds the IPv4 address of a host, or raises OSError."""
        self.asked: set[str] | None = None
        self.answered: set[str] = set()
        self._vm = vm
        self._carrier = carrier
        self._resolve = resolve or resolved
        self._addresses: dict[str, str] = {}
        self._logged: dict[str, float] = {}
        self._round: set[str] = set()

    @property
    def all_answered(self) -> bool:
        """Whether all that could be asked have answered at some time."""
        return self.asked is not None and self.asked <= self.answered

    def answer(self, machine: str) -> None:
        """A machine has answered."""
        self.answered.add(machine)
        self._round.add(machine)

    async def ask(self, whole: Callable[[], bool]) -> None:
        """Ask for ever; `whole` says whether every node that is known can be reached."""
        wait = 0.0
        if self._carrier.seeds:
            self._carrier.hello(())  # our own keeper need not wait for a name server
        while True:
            machines = await self._machines()
            self.asked = {f"{host}:{port}" for host, port in machines}
            self.asked.add(self._carrier.card.machine)
            self._round.clear()
            self._carrier.hello(machines)
            # The answers to a question come long before the next one.
            await asyncio.sleep(ALONE_SECONDS)
            calm = whole() and self.asked <= self._round
            calm = calm and len(machines) == len(self._carrier.seeds)
            wait = next_wait(wait, alone=not self.answered, calm=calm)
            await asyncio.sleep(wait - ALONE_SECONDS)

    async def _machines(self) -> Sequence[Address]:
        seeds = self._carrier.seeds
        hosts = await asyncio.gather(*(self._address(host) for host, _ in seeds))
        return [(host, port) for host, (_, port) in zip(hosts, seeds, strict=True) if host]

    async def _address(self, host: str) -> str | None:
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                self._addresses[host] = await self._vm.run_blocking(self._resolve, host)
        except (OSError, TimeoutError) as error:
            now = self._vm.now()
            if now - self._logged.get(host, -math.inf) >= LOG_SECONDS:
                self._logged[host] = now
                log.error(
                    "join_name_not_resolved",
                    host=host,
                    error=str(error) or f"no answer within {RESOLVE_SECONDS:g} s",
                    last_address=self._addresses.get(host),
                    advice="check --join (AYBIZA_JOIN) and the name server; it is tried again",
                )
        return self._addresses.get(host)


def next_wait(wait: float, *, alone: bool, calm: bool) -> float:
    """Seconds from one question to the next, `wait` being those before."""
    if alone:
        return ALONE_SECONDS
    return min(CALM_SECONDS, max(AGAIN_SECONDS, 2 * wait)) if calm else AGAIN_SECONDS


def resolved(host: str) -> str:
    """An IPv4 address of the host; raises OSError."""
    return str(socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
