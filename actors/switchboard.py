"""Switchboard: who answers a call of this node, by what is told of the call.

    board = Switchboard(routes, make)        make(route) is the `Answering` of a route
    board.answering({"To": "+14155550100"})  for a new call; a look into a table

What is in force belongs to the node and outlives the actor that keeps it up to date
(`aybiza.actors.switchboard_actor`). A call keeps the `Answering` that it began with. A route that
a new table has unchanged keeps its own, too: its tools remember what they have done. A caller who
comes back by a route that is there no more is answered as before, by the last `MOST_GONE` of them.

Errors: those of `make`, and then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aybiza.claude.choice import Policy
from aybiza.config.agents import Agent
from aybiza.config.routes import DEFAULT, ROUTE, Route, Routes
from aybiza.dialogue.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers: the `agent`, its limits filled in, with its tools, the models that it may ask,
    whom its calls are charged to, and the numbers by name that its tools may put callers through
    to, beside those of its file. `audio`: what is heard of its prompts, by their texts."""

    agent: Agent
    toolbox: Toolbox
    policy: Policy
    tenant: str
    route: str = DEFAULT
    destinations: Mapping[str, str] = field(default_factory=dict)
    audio: Mapping[str, bytes] = field(default_factory=dict, repr=False)


MOST_GONE: Final = 50

Make = Callable[[Route], Answering]


@dataclass(frozen=True, slots=True)
class Table:
    """Routes, and who answers on each, by its name."""

    routes: Routes
    answering: Mapping[str, Answering]


class Switchboard:
    """See the module."""

    def __init__(self, routes: Routes, make: Make) -> None:
        self._make = make
        self._gone: dict[str, Answering] = {}
        self._table = Table(routes, {route.name: make(route) for route in routes})

    @classmethod
    def of_one(cls, answering: Answering) -> Switchboard:
        """One who answers every call."""
        route = Route(DEFAULT, answering.agent, answering.tenant)
        return cls(Routes(route), lambda _: answering)

    def __iter__(self) -> Iterator[Answering]:
        """All who answer, the node's own agent first."""
        return iter(self._table.answering.values())

    @property
    def routes(self) -> Routes:
        """The routes in force."""
        return self._table.routes

    def answering(self, told: Mapping[str, str]) -> Answering:
        """Who answers the call of which this is told; see `aybiza.config.routes`."""
        return self._left(told) or self._table.answering[self._table.routes.choose(told).name]

    def called(self, name: str) -> Answering | None:
        """Who is meant by a name that somebody types: that of a route, of an agent, or of an
        agent's file without its ending; large and small letters are the same."""
        kinds: tuple[Callable[[Route], str], ...] = (
            lambda route: route.name,
            lambda route: route.agent.name,
            lambda route: Path(route.source).stem,
        )
        wanted = name.casefold()
        for kind in kinds:
            for route in self.routes:
                if wanted and kind(route).casefold() == wanted:
                    return self._table.answering[route.name]
        return None

    def named(self, told: Mapping[str, str]) -> dict[str, str]:
        """What a call takes along, so that who comes back is answered by the same agent."""
        if (left := self._left(told)) is not None:
            return {ROUTE: left.route}
        routes = self._table.routes
        return {ROUTE: routes.choose(told).name} if routes.routes else {}

    def made(self, routes: Routes) -> Table:
        """A table of these routes, for `put`. Takes as long as `make` does; for a thread."""
        before = self._table
        kept = {
            route.name: before.answering[route.name]
            for route in routes
            if before.routes.by_name.get(route.name) == route
        }
        return Table(routes, {r.name: kept.get(r.name) or self._make(r) for r in routes})

    def put(self, table: Table) -> None:
        """From now on new calls are answered by this table."""
        for name, answering in self._table.answering.items():
            if name not in table.answering:
                self._gone.pop(name, None)
                self._gone[name] = answering
        for name in list(self._gone)[:-MOST_GONE]:
            del self._gone[name]
        self._table = table

    def _left(self, told: Mapping[str, str]) -> Answering | None:
        """Who answers a caller that comes back by a route which is there no more."""
        name = told.get(ROUTE, "")
        return None if name in self._table.answering else self._gone.get(name)
