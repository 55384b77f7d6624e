"""The journals of a world tell of each entry once."""

from aybiza.actors.memory.journals import append
from aybiza.actors.runtime import VM
from aybiza.actors.runtime.clock import virtual_time
from aybiza.dialogue.journal import AgentSentence, CallerTurn, Entry, SentenceHeard, encode
from aybiza.faults.entries import WatchedJournals, entries_of
from aybiza.faults.trace import Trace


@virtual_time
async def test_each_entry_is_told_once_and_kept() -> None:
    async with VM() as vm:
        trace = Trace(vm.now)
        table = vm.tables["memory"] = WatchedJournals(trace)
        told: list[tuple[str, Entry]] = []
        table.entered = lambda call_id, entry: told.append((call_id, entry))
        said, heard = AgentSentence(1, 1, "Yes."), SentenceHeard(1, 1)
        append(vm, "CA1", 1, 0, [encode(said)])
        append(vm, "CA1", 1, 0, [encode(said), encode(heard)])
        assert told == [("CA1", said), ("CA1", heard)]
        assert entries_of(table, "CA1") == [said, heard]
        del table["CA1"]
        assert entries_of(table, "CA1") == [said, heard]
        assert [event.kind for event in trace] == ["entry", "entry"]


@virtual_time
async def test_what_a_call_brings_along_to_another_node_is_not_told_again() -> None:
    async with VM("one") as one, VM("two") as two:
        trace = Trace(one.now)
        first = one.tables["memory"] = WatchedJournals(trace)
        told: list[Entry] = []
        first.entered = lambda call_id, entry: told.append(entry)
        two.tables["memory"] = WatchedJournals(trace, first)
        said, heard = AgentSentence(1, 1, "Yes."), SentenceHeard(1, 1)
        append(one, "CA1", 1, 0, [encode(said)])
        append(two, "CA1", 1, 0, [encode(said), encode(heard)])
        assert told == [said, heard] == entries_of(first, "CA1")


@virtual_time
async def test_what_only_a_lost_node_had_is_told_anew_by_the_next() -> None:
    async with VM("one") as one, VM("two") as two:
        trace = Trace(one.now)
        first = one.tables["memory"] = WatchedJournals(trace)
        two.tables["memory"] = WatchedJournals(trace, first)
        said, heard, other = AgentSentence(1, 1, "Yes."), SentenceHeard(1, 1), CallerTurn(2, "No.")
        append(one, "CA1", 1, 0, [encode(said), encode(heard)])
        first.lose(lambda call_id: 1)
        assert entries_of(first, "CA1") == [said]
        append(two, "CA1", 1, 0, [encode(said), encode(heard), encode(other)])
        assert entries_of(first, "CA1") == [said, heard, other]
        first["CA1"].over = True
        first.lose(lambda call_id: 0)
        assert entries_of(first, "CA1") == [said, heard, other], "it was handed over"
