"""`Supervisor`: keeps a fixed set of children running, as Erlang's `supervisor`.

    await vm.start(
        Supervisor,
        [child(Registry, name="registry"), child(Metrics, name="metrics")],
        strategy="rest_for_one",
        name="top",
    )

or as a module of its own that reads like a table of contents:

    class Application(Supervisor):
        async def init(self, settings):
            await super().init(
                [
                    child(Registry, name="registry"),
                    child(CallSupervisor, settings, name="calls"),
                ]
            )

The children start in order and end in reverse order. Defaults are Elixir's: one_for_one, 3
restarts in 5 seconds. Under the strategy simple_one_for_one the only child is a template.

Starting raises `StartError` with `Shutdown(("failed_to_start_child", id, reason))`,
`("start_spec", term)`, `("supervisor_data", term)` or `("bad_start_spec", children)`. The
functions raise `SupervisorError` with OTP's term, and `CallExit` like `VM.call`; `timeout` is
in seconds, None waits without limit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

from aybiza.actors.runtime import VM, Dest, Pid, Shutdown, Stop
from aybiza.supervisors.base import OPERATION_SECONDS, BaseSupervisor, ask, hashable
from aybiza.supervisors.child_spec import AnySpec, ChildSpec, check_childspecs
from aybiza.supervisors.errors import SupervisorError
from aybiza.supervisors.intensity import Intensity
from aybiza.supervisors.plan import ChildCounts, ChildInfo
from aybiza.supervisors.simple_one_for_one import SimpleOneForOne
from aybiza.supervisors.strategy import COVERS, Strategy


def decide(
    children: Iterable[AnySpec],
    *,
    strategy: str = "one_for_one",
    max_restarts: Any = 3,
    max_seconds: Any = 5,
    auto_shutdown: Any = "never",
    alive: Callable[[Pid], bool],
) -> Strategy | SimpleOneForOne:
    """What will decide about `children`, none of them started.

    Raises `SupervisorError` with the reason for which a supervisor of them does not start.
    """
    simple = strategy == "simple_one_for_one"
    try:
        if not simple and strategy not in COVERS:
            raise SupervisorError(("invalid_strategy", strategy))
        intensity = Intensity(max_restarts, max_seconds)
        if auto_shutdown not in ("never", "any_significant", "all_significant"):
            raise SupervisorError(("invalid_auto_shutdown", auto_shutdown))
    except SupervisorError as error:
        raise SupervisorError(("supervisor_data", error.term)) from None
    try:
        children = list(children)
    except TypeError:
        raise SupervisorError(("start_spec", ("badarg", children))) from None
    if simple and len(children) != 1:
        raise SupervisorError(("bad_start_spec", children))
    try:
        specs = check_childspecs(children, auto_shutdown)
    except SupervisorError as error:
        raise SupervisorError(("start_spec", error.term)) from None
    if simple:
        return SimpleOneForOne(specs[0], intensity, auto_shutdown, alive)
    return Strategy(specs, strategy, intensity, auto_shutdown, alive)


class Supervisor(BaseSupervisor):
    """See the module."""

    operations: ClassVar[frozenset[str]] = frozenset(
        {
            "start_child",
            "restart_child",
            "terminate_child",
            "delete_child",
            "get_childspec",
            "which_children",
            "count_children",
        }
    )

    async def init(
        self,
        children: Iterable[AnySpec] = (),
        *,
        strategy: str = "one_for_one",
        max_restarts: int = 3,
        max_seconds: int = 5,
        auto_shutdown: Any = "never",
    ) -> Any:
        """Start `children` in their order."""
        try:
            self._children = decisions = decide(
                children,
                strategy=strategy,
                max_restarts=max_restarts,
                max_seconds=max_seconds,
                auto_shutdown=auto_shutdown,
                alive=self.vm.alive,
            )
        except SupervisorError as error:
            raise Stop(error.term) from None
        if isinstance(decisions, Strategy):
            failed = await self._carry_out(decisions.start_all())
            if failed is not None:
                raise Stop(Shutdown(failed))

    @staticmethod
    async def start_child(
        vm: VM, supervisor: Dest, spec: Any, *, timeout: float | None = OPERATION_SECONDS
    ) -> Pid | tuple[Pid, Any] | None:
        """Add a child and start it; its pid, or None when its start was ignored.

        Under simple_one_for_one `spec` is the list of arguments that follow the template's.
        Refusals: `("already_started", pid)`, `"already_present"`, a term about a bad spec, and
        `(reason, spec)` when it did not start (under simple_one_for_one `reason` alone).
        """
        started: Pid | tuple[Pid, Any] | None = await ask(
            vm, supervisor, "start_child", spec, timeout=timeout
        )
        return started

    @staticmethod
    async def restart_child(
        vm: VM, supervisor: Dest, id: Hashable, *, timeout: float | None = OPERATION_SECONDS
    ) -> Pid | tuple[Pid, Any] | None:
        """Start a child that has no process; its pid, or None when its start was ignored.

        Refusals: `"running"`, `"restarting"`, `"not_found"`, `"simple_one_for_one"`, and the
        reason when it did not start. It does not count as a restart.
        """
        started: Pid | tuple[Pid, Any] | None = await ask(
            vm, supervisor, "restart_child", hashable(id), timeout=timeout
        )
        return started

    @staticmethod
    async def terminate_child(
        vm: VM, supervisor: Dest, id: Hashable, *, timeout: float | None = OPERATION_SECONDS
    ) -> None:
        """End a child; its spec stays unless it is temporary. No restart, no auto_shutdown.

        Under simple_one_for_one `id` is its pid. Refusals: `"not_found"`,
        `"simple_one_for_one"` for an id there.
        """
        await ask(vm, supervisor, "terminate_child", hashable(id), timeout=timeout)

    @staticmethod
    async def delete_child(
        vm: VM, supervisor: Dest, id: Hashable, *, timeout: float | None = OPERATION_SECONDS
    ) -> None:
        """Remove the spec of a child that has no process.

        Refusals: `"running"`, `"restarting"`, `"not_found"`, `"simple_one_for_one"`.
        """
        await ask(vm, supervisor, "delete_child", hashable(id), timeout=timeout)

    @staticmethod
    async def get_childspec(
        vm: VM, supervisor: Dest, id: Hashable, *, timeout: float | None = OPERATION_SECONDS
    ) -> ChildSpec:
        """The spec of a child. Refusal: `"not_found"`."""
        spec: ChildSpec = await ask(vm, supervisor, "get_childspec", hashable(id), timeout=timeout)
        return spec

    @staticmethod
    async def which_children(
        vm: VM, supervisor: Dest, *, timeout: float | None = OPERATION_SECONDS
    ) -> list[ChildInfo]:
        """All children, the last started first; ids are None under simple_one_for_one."""
        children: list[ChildInfo] = await ask(vm, supervisor, "which_children", timeout=timeout)
        return children

    @staticmethod
    async def count_children(
        vm: VM, supervisor: Dest, *, timeout: float | None = OPERATION_SECONDS
    ) -> ChildCounts:
        """How many specs, living processes, supervisors and workers."""
        counts: ChildCounts = await ask(vm, supervisor, "count_children", timeout=timeout)
        return counts
