"""`PartitionSupervisor`: the same child several times, chosen by a key, as Elixir's.

    child(PartitionSupervisor, child(DynamicSupervisor), partitions=4, name="workers")

    dest = PartitionSupervisor.via(vm, "workers", call_id)
    await DynamicSupervisor.start_child(vm, dest, spec)

One child a partition, with the ids 0, 1, …; the same key always leads to the same one. It needs
a name: under it stands the table of the partitions, and `Via(name, partition)` is a destination
wherever a pid is one.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from aybiza.actors.runtime import NOPROC, VM, CallExit, Pid, Registry, Stop, Via
from aybiza.supervisors.child_spec import ChildSpec, Start, StartLink, StartResult
from aybiza.supervisors.supervisor import Supervisor

PARTITIONS = "partitions"


class PartitionSupervisor(Supervisor):
    """See the module."""

    async def init(  # type: ignore[override]
        self,
        spec: ChildSpec,
        *,
        partitions: int | None = None,
        with_arguments: Callable[[tuple[Any, ...], int], tuple[Any, ...]] | None = None,
        strategy: str = "one_for_one",
        max_restarts: int = 3,
        max_seconds: int = 5,
    ) -> Any:
        """Start `spec` once a partition; as many as processors if `partitions` is left out.

        `with_arguments(arguments, partition)` gives the arguments of each, for specs made by
        `child`. Its own start fails with `"missing_name"` or `("invalid_partitions", value)`.
        """
        name = self.vm.name_of(self._process)
        if name is None:
            raise Stop("missing_name")
        count = (os.cpu_count() or 1) if partitions is None else partitions
        if type(count) is not int or count < 1:
            raise Stop(("invalid_partitions", partitions))
        table = Registry(name, meta={PARTITIONS: count})
        table.belong_to(self._process)
        await super().init(
            [_partition(spec, name, number, with_arguments) for number in range(count)],
            strategy=strategy,
            max_restarts=max_restarts,
            max_seconds=max_seconds,
        )

    @staticmethod
    def via(vm: VM, name: str, key: Hashable) -> Via:
        """The destination for `key`. Raises `CallExit(NOPROC)` when there are no partitions."""
        return Via(name, partition_of(key, PartitionSupervisor.partitions(vm, name)))

    @staticmethod
    def partitions(vm: VM, name: str) -> int:
        """How many partitions. Raises `CallExit(NOPROC)` when there are none."""
        table = vm.registries.get(name)
        count: int | None = table.meta(PARTITIONS) if table else None
        if count is None:
            raise CallExit(NOPROC, name)
        return count


def partition_of(key: Hashable, partitions: int) -> int:
    """The partition of `key`: whole numbers in turn, other keys by a hash of their `repr`."""
    if isinstance(key, int):
        return abs(key) % partitions
    return zlib.crc32(repr(key).encode()) % partitions


@dataclass(frozen=True, slots=True)
class _Entered:
    """A start function whose process is entered into the table of the partitions."""

    start: Start
    table: str
    partition: int

    async def __call__(self, vm: VM, *more: Any) -> StartResult:
        result = await self.start(vm, *more)
        pid = result if isinstance(result, Pid) else result[0] if result else None
        process = vm.find(pid) if pid else None
        if process is not None:
            vm.registries[self.table].register(process, self.partition, None)
        return result


def _partition(
    spec: ChildSpec,
    table: str,
    number: int,
    with_arguments: Callable[[tuple[Any, ...], int], tuple[Any, ...]] | None,
) -> ChildSpec:
    start = spec.start
    if with_arguments is not None and isinstance(start, StartLink):
        start = replace(start, arguments=with_arguments(start.arguments, number))
    return replace(spec, id=number, start=_Entered(start, table, number))
