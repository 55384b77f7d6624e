"""Runs scenarios of tables with owners and heirs, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any

from aybiza.actors.runtime import KILL, VM, ets, run_virtual
from aybiza.actors.runtime.ets import Table, Transfer
from tests.conformance import puppet
from tests.conformance.kit import Options, Result, Runner, compare, shown
from tests.conformance.match_terms import clause, pattern
from tests.conformance.puppet import MOMENT, PATIENCE, Puppet


class Actor(Puppet):
    """A process that keeps the transfers it is told of."""

    def __init__(self, vm: VM, label: str) -> None:
        super().__init__(vm, label)
        self.transfers: list[Transfer] = []

    def other(self, message: Any) -> None:
        self.transfers.append(message)


class World:
    """One scenario: its processes and its tables, by their labels."""

    def __init__(self, vm: VM) -> None:
        self.vm = vm
        self.actors: dict[str, Actor] = {}
        self.tables: dict[str, Table] = {}

    async def do(self, stimulus: Mapping[str, Any]) -> Any:
        """Apply a stimulus; what it returned."""
        fields = {name: each for name, each in stimulus.items() if name not in ("op", "who")}
        actor = self._actor(stimulus["who"])
        if not actor.process.alive:
            return "dead"
        if stimulus["op"] in ("exit", "kill"):
            if stimulus["op"] == "kill":
                self.vm.exit(actor.pid, KILL)
            else:
                actor.exit(puppet.reason(fields.get("reason", "normal")))
            await asyncio.sleep(MOMENT)
            return "ok"
        act = getattr(self, f"do_{stimulus['op']}")
        try:
            answer = await actor.do(lambda: act(**fields))
        except ValueError:
            answer = ["raise", "ArgumentError"]
        await asyncio.sleep(MOMENT)
        return puppet.term(answer, self._label)

    def mail(self) -> dict[str, list[Any]]:
        """What each living process has been told since the last time."""
        told = {}
        for label, actor in sorted(self.actors.items()):
            if actor.transfers and actor.process.alive:
                told[label] = [
                    ["ETS-TRANSFER", each.table.name, self._label(each.from_pid), each.data]
                    for each in actor.transfers
                ]
                actor.transfers.clear()
        return told

    def do_new(self, table: str, type: Any, access: Any, keypos: int = 1, **options: Any) -> Any:
        heir = options.get("heir")
        self.tables[table] = ets.new(
            self.vm,
            table,
            type=type,
            access=access,
            keypos=keypos - 1,
            heir=heir and (self._actor(heir[0]).pid, heir[1]),
            named=options.get("named", False),
        )
        return "ok"

    def do_insert(self, table: str, rows: list[Any]) -> bool:
        self._table(table).insert([tuple(row) for row in rows])
        return True

    def do_insert_new(self, table: str, rows: list[Any]) -> bool:
        return self._table(table).insert_new([tuple(row) for row in rows])

    def do_lookup(self, table: str, key: Any) -> Any:
        return self._table(table).lookup(key)

    def do_lookup_element(self, table: str, key: Any, place: int) -> Any:
        return self._table(table).lookup_element(key, place - 1)

    def do_member(self, table: str, key: Any) -> bool:
        return self._table(table).member(key)

    def do_delete_key(self, table: str, key: Any) -> bool:
        self._table(table).delete_key(key)
        return True

    def do_delete_object(self, table: str, row: list[Any]) -> bool:
        self._table(table).delete_object(tuple(row))
        return True

    def do_delete_all_objects(self, table: str) -> bool:
        self._table(table).delete_all_objects()
        return True

    def do_delete(self, table: str) -> bool:
        self._table(table).delete()
        return True

    def do_take(self, table: str, key: Any) -> Any:
        return self._table(table).take(key)

    def do_update_counter(self, table: str, key: Any, change: Any, **options: Any) -> Any:
        default = tuple(options["default"]) if "default" in options else None
        return self._table(table).update_counter(key, _change(change), default)

    def do_update_element(self, table: str, key: Any, change: Any) -> bool:
        return self._table(table).update_element(key, _change(change))

    def do_first(self, table: str) -> Any:
        return self._table(table).first()

    def do_last(self, table: str) -> Any:
        return self._table(table).last()

    def do_next(self, table: str, key: Any) -> Any:
        return self._table(table).next(key)

    def do_prev(self, table: str, key: Any) -> Any:
        return self._table(table).prev(key)

    def do_match(self, table: str, pattern: Any) -> Any:
        return self._any(table, self._table(table).match(_head(pattern)))

    def do_match_object(self, table: str, pattern: Any) -> Any:
        return self._any(table, self._table(table).match_object(_head(pattern)))

    def do_match_delete(self, table: str, pattern: Any) -> bool:
        self._table(table).match_delete(_head(pattern))
        return True

    def do_select(self, table: str, spec: list[Any]) -> Any:
        found = self._table(table).select(*(clause(*part) for part in spec))
        return self._any(table, found)

    def do_select_count(self, table: str, spec: list[Any]) -> int:
        return self._table(table).select_count(*(clause(*part) for part in spec))

    def do_select_delete(self, table: str, spec: list[Any]) -> int:
        return self._table(table).select_delete(*(clause(*part) for part in spec))

    def do_give_away(self, table: str, to: str, data: Any) -> bool:
        self._table(table).give_away(self._actor(to).pid, data)
        return True

    def do_set_heir(self, table: str, heir: Any) -> bool:
        self._table(table).set_heir(heir and (self._actor(heir[0]).pid, heir[1]))
        return True

    def do_owner(self, table: str) -> Any:
        found = self.tables.get(table)
        return found.owner if found else None

    def do_size(self, table: str) -> Any:
        found = self.tables.get(table)
        return len(found) if found and found.owner else None

    def do_whereis(self, table: str) -> Any:
        found = ets.whereis(self.vm, table)
        return found.owner if found else None

    def do_tab2list(self, table: str) -> Any:
        return self._any(table, self._table(table).tab2list())

    def _actor(self, label: str) -> Actor:
        if label not in self.actors:
            self.actors[label] = Actor(self.vm, label)
        return self.actors[label]

    def _label(self, pid: Any) -> Any:
        return next(label for label, actor in self.actors.items() if actor.pid == pid)

    def _table(self, name: str) -> Table:
        if name not in self.tables:
            raise ValueError(f"no table was called {name}")
        return self.tables[name]

    def _any(self, table: str, rows: list[Any]) -> list[Any]:
        if self.tables[table].type == "ordered_set":
            return rows
        rows = puppet.term(rows, self._label)
        return sorted(rows, key=lambda each: json.dumps(each, ensure_ascii=False))


def _head(json: Any) -> Any:
    return tuple(map(pattern, json)) if isinstance(json, list) else pattern(json)


def _change(json: Any) -> Any:
    match json:
        case {"list": changes}:
            return [_change(each) for each in changes]
        case [place, *rest]:
            return (place - 1, *rest)
    return json


async def play(case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case records and what happens here."""
    async with asyncio.timeout(PATIENCE), VM("n", block_warning_ms=None) as vm:
        world = World(vm)
        differences: list[str] = []
        for number, step in enumerate(case["steps"], 1):
            title = f"step {number} {shown(step['do'])}"
            answer = await world.do(step["do"])
            differences += compare(f"{title}: return", step["return"], answer)
            differences += compare(f"{title}: mail", step.get("mail", {}), world.mail())
        return differences


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every case of `file`."""
    for case in file["cases"]:
        try:
            differences = run_virtual(play(case))
        except Exception as error:
            differences = [f"cannot be played: {error!r}"]
        yield Result(case["name"], differences)


FORMATS: dict[str, Runner] = {"ets-cases/1": run}
