"""`DynamicSupervisor`: children that come and go, as Elixir's.

    await vm.start(DynamicSupervisor, max_children=200, name="calls", link=True)
    pid = await DynamicSupervisor.start_child(vm, "calls", child(CallSession, call))

It starts empty. Its one strategy is one_for_one; children are known by their pids, the ids of
their specs have no meaning. It ends all its children at once.

Starting raises `StartError` with `("supervisor_data", term)`. The functions raise
`SupervisorError` with Elixir's term and `CallExit` like `VM.call`; `timeout` is in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from aybiza.actors.runtime import VM, Dest, From, Pid, Stop
from aybiza.supervisors.base import OPERATION_SECONDS, BaseSupervisor, Operation, ask, hashable
from aybiza.supervisors.child_spec import (
    INFINITY,
    AnySpec,
    ChildSpec,
    Start,
    StartLink,
    StartResult,
    checked_dynamic,
)
from aybiza.supervisors.dynamic_children import DynamicChildren
from aybiza.supervisors.errors import SupervisorError
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import ChildCounts, ChildInfo


def decide(
    *,
    strategy: Any = "one_for_one",
    max_restarts: Any = 3,
    max_seconds: Any = 5,
    max_children: Any = INFINITY,
) -> DynamicChildren:
    """What will decide about the children, of which there are none yet.

    Raises `SupervisorError` with the reason for which such a supervisor does not start.
    """
    try:
        if strategy != "one_for_one":
            raise SupervisorError(("invalid_strategy", strategy))
        return DynamicChildren(Intensity(max_restarts, max_seconds), max_children)
    except SupervisorError as error:
        raise SupervisorError(("supervisor_data", error.term)) from None


class DynamicSupervisor(BaseSupervisor):
    """See the module."""

    operations: ClassVar[frozenset[str]] = frozenset(
        {"start_child", "terminate_child", "which_children", "count_children"}
    )

    async def init(
        self,
        *,
        strategy: str = "one_for_one",
        max_restarts: int = 3,
        max_seconds: int = 5,
        max_children: Any = INFINITY,
        extra_arguments: Sequence[Any] = (),
    ) -> Any:
        """`extra_arguments` come before each child's own."""
        try:
            self._children = decide(
                strategy=strategy,
                max_restarts=max_restarts,
                max_seconds=max_seconds,
                max_children=max_children,
            )
            if not isinstance(extra_arguments, tuple | list):
                refusal = ("invalid_extra_arguments", extra_arguments)
                raise SupervisorError(("supervisor_data", refusal))
        except SupervisorError as error:
            raise Stop(error.term) from None
        self._extra_arguments = tuple(extra_arguments)

    async def handle_call(self, request: Any, from_: From) -> Any:
        extra = self._extra_arguments
        if extra and isinstance(request, Operation) and request.name == "start_child":
            spec = _with_arguments(request.arguments[0], extra)
            request = replace(request, arguments=(spec,))
        return await super().handle_call(request, from_)

    @staticmethod
    async def start_child(
        vm: VM, supervisor: Dest, spec: AnySpec, *, timeout: float | None = OPERATION_SECONDS
    ) -> Pid | tuple[Pid, Any] | None:
        """Start a child; its pid, or None when its start was ignored.

        Refusals: `"max_children"`, a term about a bad spec, and the reason when it did not
        start.
        """
        started: Pid | tuple[Pid, Any] | None = await ask(
            vm, supervisor, "start_child", checked_dynamic(spec), timeout=timeout
        )
        return started

    @staticmethod
    async def terminate_child(
        vm: VM, supervisor: Dest, pid: Pid, *, timeout: float | None = OPERATION_SECONDS
    ) -> None:
        """End the child `pid`. Refusal: `"not_found"`."""
        await ask(vm, supervisor, "terminate_child", hashable(pid), timeout=timeout)

    @staticmethod
    async def which_children(
        vm: VM, supervisor: Dest, *, timeout: float | None = OPERATION_SECONDS
    ) -> list[ChildInfo]:
        """All children; their ids are None, their order has no meaning."""
        children: list[ChildInfo] = await ask(vm, supervisor, "which_children", timeout=timeout)
        return children

    @staticmethod
    async def count_children(
        vm: VM, supervisor: Dest, *, timeout: float | None = OPERATION_SECONDS
    ) -> ChildCounts:
        """How many children, those that run, supervisors and workers."""
        counts: ChildCounts = await ask(vm, supervisor, "count_children", timeout=timeout)
        return counts


@dataclass(frozen=True, slots=True)
class _WithArguments:
    """A start function that gets `arguments` behind the VM."""

    start: Start
    arguments: tuple[Any, ...]

    async def __call__(self, vm: VM, *more: Any) -> StartResult:
        return await self.start(vm, *self.arguments, *more)


def _with_arguments(spec: ChildSpec, arguments: tuple[Any, ...]) -> ChildSpec:
    start = spec.start
    if isinstance(start, StartLink):
        return replace(spec, start=replace(start, arguments=(*arguments, *start.arguments)))
    return replace(spec, start=_WithArguments(start, arguments))
