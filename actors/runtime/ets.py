"""Tables with an owner, as Erlang's `ets`: rows that processes share, and that an heir can keep.

    table = ets.new(vm, "seats", type="set", access="protected", heir=(keeper, "seats"))
    table.insert(("blue", 4))
    table.update_counter("blue", -1)                                   3
    ROOM, FREE = variables("room free")
    table.select(Clause((ROOM, FREE), FREE > 0, give=ROOM))            ["blue"]
    table.give_away(worker, "yours now")

The process that makes a table owns it. When the owner ends, its heir gets the table and is told by
`Transfer(table, from_pid, data)`, Erlang's `{'ETS-TRANSFER', …}`; without a living heir the table
is gone. Both happen before anyone hears of the end. `give_away` tells the new owner in the same
way.

`access`: a `private` table is its owner's alone; a `protected` one may be read by all and written
by its owner; a `public` one by all. `type`: `set`, `ordered_set`, `bag`, `duplicate_bag`. A row is
a tuple; `keypos` is the place of its key, counted from 0 like all places here. Keys of a set and
of bags compare strictly; those of an ordered set as `1 == 1.0`. `named` tables are found by
`ets.whereis(vm, name)`.

What belongs to a VM, and to no process, is in `vm.tables`.

Errors: `TableError`, a `ValueError`, wherever Erlang has `badarg`: no access, no such table, a row
without a key, a counter that is no whole number. It says which table, and why. `TypeError` for a
key that does not hash. Either way nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from aybiza.actors.runtime.holdings import Holding, hold, let_go
from aybiza.actors.runtime.patterns import BOUND, NOTHING, Clause, counted, first
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.table_rows import ROWS, OrderedRows, Row
from aybiza.actors.runtime.terms import identical, strict

if TYPE_CHECKING:
    from aybiza.actors.runtime.vm import VM

Type: TypeAlias = Literal["set", "ordered_set", "bag", "duplicate_bag"]
Access: TypeAlias = Literal["public", "protected", "private"]
Heir: TypeAlias = tuple[Dest, Any]


class TableError(ValueError):
    """What Erlang calls `badarg`; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """To the new owner of `table`: it comes from `from_pid`, with `data`."""

    table: Table
    from_pid: Pid
    data: Any


def new(
    vm: VM,
    name: str,
    *,
    type: Type = "set",
    access: Access = "protected",
    keypos: int = 0,
    heir: Heir | None = None,
    named: bool = False,
) -> Table:
    """Make a table that belongs to the calling process. See the module for the options."""
    owner = current_process.get()
    if owner is None or not owner.alive:
        raise TableError(f"table {name!r}: only a process can own one; call this inside a process")
    return Table(vm, owner, name, type, access, keypos, heir, named)


def whereis(vm: VM, name: str) -> Table | None:
    """The named table `name`."""
    return vm.named_tables.get(name)


class Table(Holding):
    """A table; made by `new`. Its methods are `ets`'s functions of these names."""

    named = False

    def __init__(
        self,
        vm: VM,
        owner: Process,
        name: str,
        type: Type,
        access: Access,
        keypos: int,
        heir: Heir | None,
        named: bool,
    ) -> None:
        super().__init__()
        self._vm = vm
        self._owner: Process | None = owner
        self.name = name
        self.type = type
        self.access = access
        self.keypos = keypos
        self._is_named = named
        if type not in ROWS:
            raise self._error(f"its type is one of {', '.join(ROWS)}, not {type!r}")
        if access not in ("public", "protected", "private"):
            raise self._error(f"access is public, protected or private, not {access!r}")
        if isinstance(keypos, bool) or not isinstance(keypos, int) or keypos < 0:
            raise self._error(f"keypos is a whole number from 0, not {keypos!r}")
        self._heir = self._checked_heir(heir)
        if named:
            if name in vm.named_tables:
                raise self._error("a table of this name is there")
            vm.named_tables[name] = self
        self._rows = ROWS[type](keypos)
        hold(owner, self)

    def __repr__(self) -> str:
        return f"<Table {self.name} of {self.owner}>"

    # Ownership

    @property
    def owner(self) -> Pid | None:
        """Whose it is; None when it is gone."""
        return self._owner.pid if self._owner else None

    @property
    def heir(self) -> Pid | None:
        """Who gets it when the owner ends."""
        return self._heir[0] if self._heir else None

    def set_heir(self, heir: Heir | None) -> None:
        """`setopts`: the owner names another heir, or none."""
        self._own("set_heir")
        self._heir = self._checked_heir(heir)

    def give_away(self, dest: Dest, data: Any = None) -> None:
        """The owner makes the process at `dest` the owner, which is told by `Transfer`."""
        owner = self._own("give_away")
        taker = self._vm.find(dest)
        if taker is None or taker is owner:
            raise self._error(f"it can be given to another living process, not to {dest!r}")
        let_go(owner, self)
        self._pass_on(owner, taker, data)

    def delete(self) -> None:
        """Take the whole table away."""
        self._writing("delete")
        if self._owner is not None:
            let_go(self._owner, self)
        self._gone()

    def release(self, process: Process) -> None:
        """The owner is dead; for the VM."""
        heir = self._vm.find(self._heir[0]) if self._heir else None
        if heir is None or self._heir is None:
            self._gone()
        else:
            self._pass_on(process, heir, self._heir[1])

    def _pass_on(self, giver: Process, taker: Process, data: Any) -> None:
        self._owner = taker
        hold(taker, self)
        taker.deliver(Transfer(self, giver.pid, data))

    def _gone(self) -> None:
        self._owner = None
        self._rows.clear()
        if self._is_named:
            self._vm.named_tables.pop(self.name, None)

    # Rows

    def insert(self, rows: Row | Sequence[Row]) -> None:
        """Enter a row, or all of a list of rows."""
        self._writing("insert")
        for row in self._checked_rows(rows):
            self._rows.put(row)

    def insert_new(self, rows: Row | Sequence[Row]) -> bool:
        """Enter them if none of their keys is there; whether it did."""
        self._writing("insert_new")
        checked = self._checked_rows(rows)
        if any(self._rows.get(row[self.keypos]) for row in checked):
            return False
        for row in checked:
            self._rows.put(row)
        return True

    def lookup(self, key: Any) -> list[Row]:
        """The rows under `key`, oldest first."""
        self._reading("lookup")
        return self._rows.get(key)

    def lookup_element(self, key: Any, place: int) -> Any:
        """What stands at `place` of the row under `key`; in a bag the list of them."""
        rows = self.lookup(key)
        if not rows or any(not 0 <= place < len(row) for row in rows):
            raise self._error(f"no place {place} under the key {key!r}")
        found = [row[place] for row in rows]
        return found if "bag" in self.type else found[0]

    def member(self, key: Any) -> bool:
        """Whether there is a row under `key`."""
        return bool(self.lookup(key))

    def take(self, key: Any) -> list[Row]:
        """`lookup`, and take the rows out."""
        self._writing("take")
        rows = self._rows.get(key)
        self._rows.remove(key)
        return rows

    def delete_key(self, key: Any) -> None:
        """`ets:delete/2`: take out what is under `key`."""
        self._writing("delete_key")
        self._rows.remove(key)

    def delete_object(self, row: Row) -> None:
        """Take out exactly this row, each time that it is there."""
        self._writing("delete_object")
        (wanted,) = self._checked_rows(row)
        self._discard([wanted])

    def delete_all_objects(self) -> None:
        """Take out all rows."""
        self._writing("delete_all_objects")
        self._rows.clear()

    def tab2list(self) -> list[Row]:
        """All rows: of an ordered set in order, of others in any."""
        self._reading("tab2list")
        return list(self._rows.all())

    def __len__(self) -> int:
        """How many rows it has; also to those who may not read it."""
        return len(self._rows)

    def __bool__(self) -> bool:
        """An empty table is a table too."""
        return True

    def update_counter(self, key: Any, change: Any = 1, default: Row | None = None) -> Any:
        """Add to whole numbers in the row under `key`; what they are now.

        `change` is a number, to add to what stands behind the key; `(place, number)`;
        `(place, number, threshold, value)`, where the counter becomes `value` once it is beyond
        `threshold`; or a list of such pairs and fours, which gives a list. `default` is the row to
        begin with where there is none. Of a list all is done or nothing.
        """
        self._writing("update_counter")
        old, fresh = self._row_to_update(key, default)
        changes = change if isinstance(change, list) else [change]
        row, found = list(old), []
        for each in changes:
            place, step, *bound = each if isinstance(each, tuple) else (self.keypos + 1, each)
            self._check_place(place, row)
            numbers = (row[place], step, *bound)
            if len(bound) not in (0, 2) or any(type_of(value) is not int for value in numbers):
                raise self._error(f"no counter at {place} under {key!r}, or no number to add")
            row[place] += step
            if bound and (row[place] > bound[0] if step >= 0 else row[place] < bound[0]):
                row[place] = bound[1]
            found.append(row[place])
        self._put_back(key, tuple(row), fresh)
        return found if isinstance(change, list) else found[0]

    def update_element(self, key: Any, change: Any) -> bool:
        """Put `value` at `place` of the row under `key`, for `(place, value)` or a list of such;
        whether there was a row."""
        self._writing("update_element")
        if "bag" in self.type:
            raise self._error("a bag has no single row under a key")
        rows = self._rows.get(key)
        changes = change if isinstance(change, list) else [change]
        row = list(rows[0]) if rows else []
        for each in changes:
            if not isinstance(each, tuple) or len(each) != 2:
                raise self._error(f"a change is (place, value), not {each!r}")
            if rows:
                self._check_place(each[0], row)
                row[each[0]] = each[1]
        if rows:
            self._rows.replace(key, [tuple(row)])
        return bool(rows)

    # Keys in order

    def first(self) -> Any:
        """The smallest key of an ordered set, any key of another table; None if it is empty."""
        rows = self.tab2list()
        return rows[0][self.keypos] if rows else None

    def last(self) -> Any:
        """The largest key of an ordered set; None if it is empty."""
        rows = self.tab2list()
        return rows[-1][self.keypos] if rows else None

    def next(self, key: Any) -> Any:
        """The key behind `key`, which need not be there, in an ordered set; None at the end."""
        return self._beside(key, lambda at, there: at + there)

    def prev(self, key: Any) -> Any:
        """The key before `key`, which need not be there, in an ordered set; None at the end."""
        return self._beside(key, lambda at, _: at - 1)

    # Patterns

    def match(self, pattern: Any) -> list[list[Any]]:
        """For each row that fits: the list of what the variables are."""
        return self.select(Clause(pattern, give=BOUND))

    def match_object(self, pattern: Any) -> list[Row]:
        """The rows that fit."""
        return self.select(Clause(pattern))

    def match_delete(self, pattern: Any) -> None:
        """Take out the rows that fit."""
        self.select_delete(Clause(pattern))

    def select(self, *clauses: Clause) -> list[Any]:
        """What the first clause that fits gives for each row."""
        self._reading("select")
        found = (first(clauses, row) for row in self._candidates(clauses))
        return [given for given in found if given is not NOTHING]

    def select_count(self, *clauses: Clause) -> int:
        """How many rows fit; where a clause has a `give`, only those for which that is True."""
        self._reading("select_count")
        return sum(counted(clauses, row) for row in self._candidates(clauses))

    def select_delete(self, *clauses: Clause) -> int:
        """Take out those that `select_count` counts; how many."""
        self._writing("select_delete")
        unwanted = [row for row in self._candidates(clauses) if counted(clauses, row)]
        self._discard(unwanted)
        return len(unwanted)

    # Means

    def _candidates(self, clauses: Iterable[Clause]) -> Iterable[Row]:
        """The rows that may fit: those of one key if the clauses name it."""
        keys: dict[Any, Any] = {}
        for clause in clauses:
            pattern = clause.pattern
            if self.type == "ordered_set" or type_of(pattern) is not tuple:
                return self._rows.all()
            if len(pattern) <= self.keypos or clause.fixed(self.keypos) is None:
                return self._rows.all()
            keys[clause.fixed(self.keypos)] = pattern[self.keypos]
        return [row for key in keys.values() for row in self._rows.get(key)]

    def _discard(self, unwanted: Iterable[Row]) -> None:
        for row in unwanted:
            key = row[self.keypos]
            held = self._rows.get(key)
            left = [other for other in held if not identical(other, row)]
            if len(left) < len(held):
                self._rows.replace(key, left)

    def _beside(self, key: Any, place: Callable[[int, bool], int]) -> Any:
        self._reading("next")
        rows = self._rows
        if not isinstance(rows, OrderedRows):
            raise self._error("only an ordered set has its keys in order")
        ordered = self.tab2list()
        at = place(rows.place(key), bool(rows.get(key)))
        return ordered[at][self.keypos] if 0 <= at < len(ordered) else None

    def _row_to_update(self, key: Any, default: Row | None) -> tuple[Row, bool]:
        if "bag" in self.type:
            raise self._error("a bag has no single row under a key")
        rows = self._rows.get(key)
        if rows:
            return rows[0], False
        if default is None:
            raise self._error(f"there is no row under {key!r}, and no default")
        (row,) = self._checked_rows(default)
        return (*row[: self.keypos], key, *row[self.keypos + 1 :]), True

    def _put_back(self, key: Any, row: Row, fresh: bool) -> None:
        if fresh:
            self._rows.put(row)
        else:
            self._rows.replace(key, [row])

    def _check_place(self, place: Any, row: Sequence[Any]) -> None:
        if type_of(place) is not int or not 0 <= place < len(row) or place == self.keypos:
            raise self._error(f"{place!r} is no place of {tuple(row)!r} that can change")

    def _checked_rows(self, rows: Any) -> list[Row]:
        checked = rows if isinstance(rows, list) else [rows]
        for row in checked:
            if not isinstance(row, tuple) or len(row) <= self.keypos:
                raise self._error(f"a row is a tuple with its key at {self.keypos}, not {row!r}")
        if len(checked) > 1 and self.type != "ordered_set":
            for row in checked:
                hash(strict(row[self.keypos]))
        return checked

    def _checked_heir(self, heir: Any) -> tuple[Pid, Any] | None:
        if heir is None:
            return None
        if not isinstance(heir, tuple) or len(heir) != 2:
            raise self._error(f"an heir is (process, data), not {heir!r}")
        pid = heir[0] if isinstance(heir[0], Pid) else self._vm.whereis(heir[0])
        if pid is None:
            raise self._error(f"no process is there to be its heir: {heir[0]!r}")
        return pid, heir[1]

    def _own(self, action: str) -> Process:
        self._living()
        caller = current_process.get()
        if caller is None or caller is not self._owner:
            raise self._error(f"{action} is for its owner, {self.owner}")
        return caller

    def _reading(self, action: str) -> None:
        self._living()
        if self.access == "private":
            self._own(action)

    def _writing(self, action: str) -> None:
        self._living()
        if self.access != "public":
            self._own(action)

    def _living(self) -> None:
        if self._owner is None:
            raise self._error("it is gone, with its owner or by delete")

    def _error(self, fault: str) -> TableError:
        return TableError(f"table {self.name!r}: {fault}")


type_of = type
"""`type`, where that is the type of a table."""
