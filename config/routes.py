"""Routes: which agent answers which call, and whom the call is charged to; one TOML file.

    [routes.sales]                            # the name stands in the log
    agent = "agents/sales.toml"               # of this package, or a file beside this one
    tenant = "Napoli Group"                   # whose money it is; left out: the agent's name
    numbers = ["+14155550100"]                # the numbers that were called

    [routes.support]
    agent = "support.toml"
    tenant = "Napoli Group"
    parameters = { desk = "support" }         # the webhook is …/incoming?desk=support

    [routes.everything_else]                  # without a condition: where no other route fits
    agent = "clinic"

`load_routes(path, "clinic")` reads it with all its agents; `Routes.choose(told)` gives the route of
a call from what the carrier and the webhook's address tell of it. In turn: the route that `Route`
names; of a `tenant` that is named only the routes; the first of the rest whose conditions all hold;
the one without a condition; the agent of AYBIZA_AGENT, under the name `default`.

Contract: `choose` is pure and never fails. `load_routes` reads files: call it in a thread once the
event loop has calls to carry. Errors: `RoutesError` names the file, the line, each wrong value and
what is wrong with it; `files` are those that were read, as they were then.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from aybiza.config.agents import (
    Agent,
    AgentError,
    available,
    is_path,
    load_agent,
)
from aybiza.config.file_names import path_of
from aybiza.config.kinds import wanted
from aybiza.config.meant import meant
from aybiza.config.quotas import Tenant
from aybiza.config.shapes import shaped
from aybiza.config.table_faults import shown
from aybiza.config.tables import TABLE
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import placed

DEFAULT: Final = "default"
"""The name of the route to the agent of AYBIZA_AGENT, where a file has others."""
ROUTE: Final = "Route"
TENANT: Final = "tenant"
CALLED: Final = "To"
MOST_ROUTES: Final = 10_000

RouteName = Annotated[
    str, shaped("[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "a name of letters, digits, _ and - only")
]
Called = Annotated[
    str,
    shaped(
        r"\+[1-9][0-9]{3,14}|sips?:[^\s<>\"]{1,200}|[0-9A-Za-z*#_.-]{1,64}",
        "a number as +14155550100, a SIP address, or an extension",
    ),
]
"""A telephone number as E.164 writes it, a SIP address, or the extension of a switch."""
Value = Annotated[str, StringConstraints(min_length=1, max_length=256)]


Stamp = tuple[int, int] | None
"""What tells that a file has changed: its time in ns and its size; None: it is not there."""
Files = Mapping[Path, Stamp]


class RoutesError(AgentError):
    """The routes cannot be used; `problems` has a line for each fault."""

    def __init__(self, problems: list[str], files: Files) -> None:
        super().__init__(problems)
        self.files = files


class RouteTable(BaseModel):
    """A table of the file."""

    model_config = TABLE

    agent: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    """The name of an agent of the package, or a file, its path relative to this one."""
    tenant: Tenant | None = None
    """Whom the calls are charged to, and whose quotas hold; None: the agent's name."""
    numbers: Annotated[tuple[Called, ...], Field(max_length=1_000, strict=False)] = ()
    """One of these was called."""
    parameters: dict[Value, Value] = {}
    """The webhook has all of these, in its address or its form."""


class RoutesFile(BaseModel):
    """The file."""

    model_config = TABLE

    routes: Annotated[dict[RouteName, RouteTable], Field(min_length=1, max_length=MOST_ROUTES)]


@dataclass(frozen=True, slots=True)
class Route:
    """A route with its agent; see `RouteTable`."""

    name: str
    agent: Agent
    tenant: str
    numbers: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    """The agent, as AYBIZA_AGENT would name it; a file's path is as seen from the process."""
    heard: Files = field(default_factory=dict)
    """The files of its prompts, as they were before they were read."""

    @property
    def is_open(self) -> bool:
        """Whether it takes any call."""
        return not self.numbers and not self.parameters

    def fits(self, told: Mapping[str, str]) -> bool:
        """Whether its conditions hold of such a call."""
        called = not self.numbers or bool(self.numbers & set(_called(told.get(CALLED, ""))))
        return called and all(told.get(name) == text for name, text in self.parameters.items())


@dataclass(frozen=True)
class Routes:
    """See the module. `default` is the route of AYBIZA_AGENT, `files` is all that was read, as it
    was before it was read."""

    default: Route
    routes: tuple[Route, ...] = ()
    files: Files = field(default_factory=dict)

    def __iter__(self) -> Iterator[Route]:
        """All of them, the default first."""
        return iter((self.default, *self.routes))

    @cached_property
    def by_name(self) -> Mapping[str, Route]:
        """Each by its name."""
        return {route.name: route for route in self}

    def choose(self, told: Mapping[str, str]) -> Route:
        """See the module."""
        if (named := self.by_name.get(told.get(ROUTE, ""))) is not None:
            return named
        tenant = told.get(TENANT)
        among = [route for route in self.routes if tenant in (None, route.tenant)]
        fitting = [route for route in among if not route.is_open and route.fits(told)]
        fitting += [route for route in among if route.is_open]
        fitting += among if tenant is not None else []
        return fitting[0] if fitting else self.default


def load_routes(path: Path | None, default: str) -> Routes:
    """See the module. `path` is None where there is only the agent called `default`. Raises
    RoutesError."""
    files: dict[Path, Stamp] = stamps(_file(default, Path()))
    try:
        agent = load_agent(default)
    except AgentError as error:
        text = [f"AYBIZA_AGENT={default!r}: {problem}" for problem in error.problems]
        raise RoutesError(text, files) from None
    heard = _heard(agent)
    files |= heard
    first = Route(DEFAULT, agent, agent.name, source=default, heard=heard)
    if path is None:
        return Routes(first, (), files)
    files |= stamps([path])
    source, file = _read(path, files)
    files |= stamps(
        own for table in file.routes.values() for own in _file(table.agent, path.parent)
    )
    loaded: dict[str, Agent] = {}
    problems: list[str] = []
    routes: list[Route] = []
    for name, table in file.routes.items():
        where = ("routes", name)
        if name == DEFAULT:
            told = "is the name of AYBIZA_AGENT's route: choose another"
            problems.append(f"{placed(path, source, where)}: {_name(where)} {told}")
            continue
        try:
            key = str(next(_file(table.agent, path.parent), table.agent))
            agent = loaded.get(key) or loaded.setdefault(key, load_agent(key))
        except AgentError as error:
            place = f"{placed(path, source, (*where, 'agent'))}: {_name((*where, 'agent'))}"
            problems += [f"{place}: {_near(table.agent, problem)}" for problem in error.problems]
            continue
        tenant = table.tenant or agent.name
        numbers = frozenset(table.numbers)
        heard = _heard(agent)
        files |= heard
        routes.append(Route(name, agent, tenant, numbers, table.parameters, key, heard))
    problems += _clashes(path, source, routes)
    if problems:
        raise RoutesError(list(dict.fromkeys(problems)), files)
    return Routes(first, tuple(routes), files)


def _heard(agent: Agent) -> dict[Path, Stamp]:
    return stamps(Path(prompt.file) for prompt in agent.prompts.values() if prompt.file)


def stamps(files: Iterable[Path]) -> dict[Path, Stamp]:
    """The files as they are now. Reads the disk."""
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path, files: Files) -> tuple[str, RoutesFile]:
    try:
        text, table = read_toml(path)
        return text, RoutesFile.model_validate(table)
    except TomlError as error:
        problems = [str(error)]
    except ValidationError as error:
        problems = [_problem(path, text, detail) for detail in error.errors()]
    raise RoutesError(list(dict.fromkeys(problems)), files) from None


def _file(agent: str, folder: Path) -> Iterator[Path]:
    """The file of an agent, unless it is one of the package."""
    if is_path(agent):
        yield folder / path_of(agent)


def _clashes(path: Path, text: str, routes: list[Route]) -> Iterator[str]:
    """The routes that no call would ever come by, for an earlier one takes it."""
    taken: dict[tuple[str, frozenset[tuple[str, str]]], str] = {}
    for route in routes:
        conditions = frozenset(route.parameters.items())
        for number in sorted(route.numbers) or [""]:
            first = taken.setdefault((number, conditions), route.name)
            if first != route.name:
                where = ("routes", route.name, "numbers") if number else ("routes", route.name)
                what = repr(number) if number else "what it asks for"
                yield f"{placed(path, text, where)}: {_name(where)}: {what} is that of {first}, too"


def _called(to: str) -> tuple[str, ...]:
    """How a file may write the number that was called."""
    bare = to.partition(";")[0]
    user = bare.partition(":")[2].partition("@")[0] if bare.startswith(("sip:", "sips:")) else bare
    return (to, bare, user)


def _problem(path: Path, text: str, detail: Any) -> str:
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    place = placed(path, text, loc)
    if detail["type"] == "missing":
        return f"{place}: {_name(loc)} is missing"
    if detail["type"] == "extra_forbidden":
        return f"{place}: {_name(loc)} is not known{meant(RoutesFile, loc)}"
    if detail["loc"][-1] == "[key]" and len(loc) <= 2:
        return f"{place}: {_name(loc)}: the name of a route has letters, digits, _ and - only"
    return f"{place}: {_name(loc)} = {shown(detail['input'])}: {wanted(detail)}"


def _name(loc: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in loc)


def _near(agent: str, problem: str) -> str:
    """The problem, with the agent that may have been meant."""
    near = [] if is_path(agent) else difflib.get_close_matches(agent, available(), n=1)
    return f"{problem}; did you mean {near[0]}?" if near and agent not in available() else problem
