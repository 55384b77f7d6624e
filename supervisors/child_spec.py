"""`ChildSpec`: how a supervisor starts, restarts and stops one child.

    child(MemoryActor, settings, name="memory")
    child(CallSession, call, restart="temporary", significant=True)
    ChildSpec(id="pump", start=start_pump, shutdown=BRUTAL_KILL)

A spec may also be given as a mapping with the same keys, as Elixir's maps are. Whatever is
wrong with one raises `SupervisorError` with the term that OTP's `supervisor` gives for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Final, Literal, TypeAlias

from aybiza.actors.runtime import VM, GenServer, Pid, Registry, Via
from aybiza.actors.runtime.teaching import at, callers_line, not_a_server
from aybiza.supervisors.errors import RESTARTS, TYPES, SupervisorError, meaning_of

Restart: TypeAlias = Literal["permanent", "transient", "temporary"]
ChildType: TypeAlias = Literal["worker", "supervisor"]
AutoShutdown: TypeAlias = Literal["never", "any_significant", "all_significant"]
Shutdown: TypeAlias = float | Literal["brutal_kill", "infinity"]
Modules: TypeAlias = tuple[Any, ...] | Literal["dynamic"]
StartResult: TypeAlias = Pid | tuple[Pid, Any] | None

Start: TypeAlias = Callable[..., Awaitable[StartResult]]
"""Given the VM (and the extra arguments of a dynamic child), starts a process linked to the caller.

Returns its pid, `(pid, extra)`, or None when the child is not to run. Raises `StartError`.
"""

BRUTAL_KILL: Final = "brutal_kill"
INFINITY: Final = "infinity"
WORKER_SHUTDOWN: Final = 5.0
WORKER_START: Final = 5.0

_NONE: Any = object()


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """One child. Raises `SupervisorError` when a field has a value that it cannot have.

    `shutdown` is the time in seconds that the child gets between the order to end and its kill,
    `BRUTAL_KILL` for none and `INFINITY` for no limit; left out, it is 5.0 for a worker and
    `INFINITY` for a supervisor. A `significant` child can end its supervisor by ending.
    """

    id: Hashable
    start: Start
    restart: Restart = "permanent"
    shutdown: Shutdown = _NONE
    type: ChildType = "worker"
    significant: bool = False
    modules: Modules = _NONE

    def __post_init__(self) -> None:
        if self.shutdown is _NONE:
            shutdown = INFINITY if self.type == "supervisor" else WORKER_SHUTDOWN
            object.__setattr__(self, "shutdown", shutdown)
        if self.modules is _NONE:
            object.__setattr__(self, "modules", (getattr(self.start, "server", self.start),))
        elif isinstance(self.modules, list):
            object.__setattr__(self, "modules", tuple(self.modules))
        _check_id(self.id)
        _check_start(self.start)
        _check_restart(self.restart)
        _check_significant(self.significant, self.restart, None)
        _check_type(self.type)
        _check_shutdown(self.shutdown)
        _check_modules(self.modules)


AnySpec: TypeAlias = ChildSpec | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StartLink:
    """The start function that `child` makes: `vm.start(server, …, link=True)`, or for a class that
    is no `GenServer`, such as `Registry`, its own `start_link(vm, …)`.

    `timeout` is the limit for the server's `init` in seconds.
    """

    server: type[Any]
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str | Via | None = None
    timeout: float | None = WORKER_START

    async def __call__(self, vm: VM, *more: Any) -> StartResult:
        if not issubclass(self.server, GenServer):
            named = self.options if self.name is None else {**self.options, "name": self.name}
            started: StartResult = await self.server.start_link(vm, *self.arguments, *more, **named)
            return started
        return await vm.start(
            self.server,
            *self.arguments,
            *more,
            name=self.name,
            link=True,
            timeout=self.timeout,
            **self.options,
        )


def child(
    server: type[GenServer] | type[Registry],
    *arguments: Any,
    id: Hashable = None,
    name: str | Via | None = None,
    restart: Restart = "permanent",
    shutdown: Shutdown | None = None,
    significant: bool = False,
    timeout: float | None = _NONE,
    **options: Any,
) -> ChildSpec:
    """The spec of a `GenServer` that is started with `arguments` and `options`.

    `id` is the name if it has one, else the class's name. `timeout` is the limit for its `init`
    in seconds: 5.0 for a worker; None for a supervisor, whose children have limits themselves.
    """
    if not isinstance(server, type) or not issubclass(server, GenServer | Registry):
        raise not_a_server("child", server, GenServer)
    if not issubclass(server, GenServer):
        # Illegal options are told where they are written.
        server(**(options if name is None else {"name": name, **options}))
    type_: ChildType = getattr(server, "child_type", "worker")
    if timeout is _NONE:
        timeout = None if type_ == "supervisor" else WORKER_START
    if id is None:
        id = server.__name__ if name is None else name
    return ChildSpec(
        id=id,
        start=StartLink(server, arguments, options, name, timeout),
        restart=restart,
        shutdown=_NONE if shutdown is None else shutdown,
        type=type_,
        significant=significant,
    )


def checked(spec: Any, auto_shutdown: AutoShutdown | None = None) -> ChildSpec:
    """`spec` as a `ChildSpec`, allowed under a supervisor with `auto_shutdown` (None: any)."""
    if isinstance(spec, ChildSpec):
        _check_significant(spec.significant, spec.restart, auto_shutdown)
        return spec
    if not isinstance(spec, Mapping):
        raise SupervisorError(("invalid_child_spec", spec))
    for key in ("id", "start"):
        if key not in spec:
            raise SupervisorError(f"missing_{key}")
    restart, significant = spec.get("restart", "permanent"), spec.get("significant", False)
    _check_id(spec["id"])
    _check_start(spec["start"])
    _check_restart(restart)
    _check_significant(significant, restart, auto_shutdown)
    return _built(spec, significant)


def checked_dynamic(spec: Any) -> ChildSpec:
    """`spec` as a `ChildSpec` by the rules of Elixir's `DynamicSupervisor`.

    `significant` has no meaning there. Where Elixir raises in the caller instead of returning an
    error, so does this: `TypeError` for what is no spec at all, `ValueError` for a wrong `type`.
    """
    if isinstance(spec, ChildSpec):
        return replace(spec, significant=False) if spec.significant else spec
    if not isinstance(spec, Mapping):
        raise TypeError(f"{meaning_of(('invalid_child_spec', spec))}{at(callers_line())}")
    if "id" not in spec or not callable(spec.get("start")):
        raise SupervisorError(("invalid_child_spec", spec))
    if spec.get("type", "worker") not in TYPES:
        raise ValueError(f"a child's type is worker or supervisor, not {spec['type']!r}")
    _check_restart(spec.get("restart", "permanent"))
    if spec.get("shutdown") == 0:
        raise SupervisorError(("invalid_shutdown", spec["shutdown"]))
    return _built(spec, significant=False)


def check_childspecs(specs: Any, auto_shutdown: AutoShutdown | None = None) -> list[ChildSpec]:
    """All `specs` checked, in their order; no two may have the same id."""
    if isinstance(specs, str | Mapping) or not isinstance(specs, Iterable):
        raise SupervisorError(("badarg", specs))
    children: dict[Hashable, ChildSpec] = {}
    for given in specs:
        spec = checked(given, auto_shutdown)
        if spec.id in children:
            raise SupervisorError(("duplicate_child_name", spec.id))
        children[spec.id] = spec
    return list(children.values())


def _built(spec: Mapping[str, Any], significant: bool) -> ChildSpec:
    return ChildSpec(
        id=spec["id"],
        start=spec["start"],
        restart=spec.get("restart", "permanent"),
        shutdown=spec.get("shutdown", _NONE),
        type=spec.get("type", "worker"),
        significant=significant,
        modules=spec.get("modules", _NONE),
    )


def _check_id(id: Any) -> None:
    try:
        hash(id)
    except TypeError:
        raise SupervisorError(("invalid_child_id", id)) from None


def _check_start(start: Any) -> None:
    if not callable(start) or (isinstance(start, type) and issubclass(start, GenServer)):
        raise SupervisorError(("invalid_mfa", start))


def _check_restart(restart: Any) -> None:
    if restart not in RESTARTS:
        raise SupervisorError(("invalid_restart_type", restart))


def _check_significant(significant: Any, restart: str, auto_shutdown: AutoShutdown | None) -> None:
    if significant is True and auto_shutdown == "never":
        raise _bad_combination(("auto_shutdown", "never"))
    if significant is True and restart == "permanent":
        raise _bad_combination(("restart", "permanent"))
    if not isinstance(significant, bool):
        raise SupervisorError(("invalid_significant", significant))


def _bad_combination(setting: tuple[str, str]) -> SupervisorError:
    return SupervisorError(("bad_combination", [setting, ("significant", True)]))


def _check_type(type_: Any) -> None:
    if type_ not in TYPES:
        raise SupervisorError(("invalid_child_type", type_))


def _check_shutdown(shutdown: Any) -> None:
    if shutdown in (BRUTAL_KILL, INFINITY):
        return
    if isinstance(shutdown, bool) or not isinstance(shutdown, int | float) or not shutdown >= 0:
        raise SupervisorError(("invalid_shutdown", shutdown))


def _check_modules(modules: Any) -> None:
    if modules == "dynamic":
        return
    if not isinstance(modules, tuple | list):
        raise SupervisorError(("invalid_modules", modules))
    for module in modules:
        if not isinstance(module, str | ModuleType) and not callable(module):
            raise SupervisorError(("invalid_module", module))
