"""The records of all machines of a cluster, as one of its nodes can reach them.

    found = gathered(ask, since, until)
    found.rows, found.machines, found.files

`ask` sends a request to a node of this machine and gives its answer. One node of each machine is
asked, since those of a machine write one file; where it fails, the machine's next one is. A file
that two machines share counts once. What was read of a machine that then fails is left out, so
figures are of whole machines.

Contract: at most `MOST_ROWS` rows of a machine are taken, and `SECONDS` waited in all; who goes
beyond has not answered. Errors: those of `ask`, if the first node does not answer at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aybiza.actors.measures.records_pages import Start, rows_of_page
from aybiza.actors.measures.report import Rows
from aybiza.config import clocks
from aybiza.console.node_records import AT_ONCE

MOST_ROWS: Final = 1_000_000
SECONDS: Final = 120.0

Ask = Callable[[dict[str, Any]], dict[str, Any]]
_UP: Final = ("here", "up")


@dataclass(slots=True)
class Machine:
    """A machine and what came of asking it. nodes: those of its nodes that were not asked yet, the
    one that is asked first; why: why its records are not there, "" if they are."""

    name: str
    nodes: list[str]
    why: str = ""
    file: str | None = None
    start: Start = None
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def count(self) -> int:
        """How many rows it has given."""
        return sum(map(len, self.tables.values()))

    def take(self, told: Mapping[str, Any]) -> bool:
        """Take in an answer; whether more is to be asked."""
        why = told.get("failed")
        if why is None:
            try:
                table, rows = rows_of_page(told)
                start, file = told["next"], told["file"]
            except (KeyError, ValueError) as error:
                why = str(error)
        if why is not None:
            return self._failed(f"{self.nodes[0]}: {why}")
        self.tables[table] += rows
        self.start, self.file = start, file
        if self.count > MOST_ROWS:
            return self._failed(
                f"more than {MOST_ROWS:,} rows; ask for a shorter period", last=True
            )
        return start is not None

    def _failed(self, why: str, *, last: bool = False) -> bool:
        self.tables.clear()
        self.start = None
        self.nodes = [] if last else self.nodes[1:]
        self.why = "" if self.nodes else why
        return bool(self.nodes)

    def give_up(self, why: str) -> None:
        """It has taken too long."""
        self._failed(why, last=True)


@dataclass(frozen=True, slots=True)
class Gathered:
    """rows: of all machines that have answered whole; files: which files they are of."""

    rows: Rows
    machines: list[Machine]
    files: frozenset[str]


def gathered(
    ask: Ask,
    since: float,
    until: float,
    *,
    seconds: float = SECONDS,
    now: Callable[[], float] = clocks.monotonic,
) -> Gathered:
    """See the module."""
    machines = machines_of(ask({"op": "members"})["members"])
    waiting = [machine for machine in machines if machine.nodes]
    end = now() + seconds
    while waiting:
        if now() > end:
            for machine in waiting:
                machine.give_up(f"it was not done within {seconds:g} s")
            break
        # Whoever was asked goes to the end, so that none waits for another to be done.
        asked, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
        places = {machine.nodes[0]: machine.start for machine in asked}
        request = {"op": "records", "since": since, "until": until, "from": places}
        pages = ask(request)["pages"]
        unanswered = {"failed": "it has not answered"}
        waiting += [m for m in asked if m.take(pages.get(m.nodes[0], unanswered))]
    return _together(machines)


def machines_of(members: Iterable[Mapping[str, Any]]) -> list[Machine]:
    """The machines of the cluster's nodes, the one that is asked first; of one whose nodes are all
    down it is said why it will not be asked."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for member in members:
        found[member.get("machine") or member["node"]].append(member)
    machines = []
    for name, nodes in found.items():
        up = [node["node"] for node in nodes if node["state"] in _UP]
        down = ", ".join(str(node["node"]) for node in nodes)
        machines.append(Machine(name, up, "" if up else f"{down}: down"))
    return machines


def _together(machines: list[Machine]) -> Gathered:
    rows, files = Rows(), set()
    for machine in machines:
        if machine.why or machine.file in files:
            continue
        if machine.file is not None:
            files.add(machine.file)
        rows += Rows(*(machine.tables[table] for table in ("calls", "turns", "charges")))
    return Gathered(rows, machines, frozenset(files))
