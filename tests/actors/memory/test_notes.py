"""What others write into a call's journal stands behind what was there."""

from __future__ import annotations

from aybiza.actors.memory.journals import append, journals
from aybiza.actors.memory.notes import note
from aybiza.actors.runtime import VM
from aybiza.dialogue.journal import Analysed


async def test_a_note_stands_behind_the_journal_with_its_last_event() -> None:
    async with VM("n") as vm:
        append(vm, "CA1", 1, 7, [{"type": "ended", "reason": "hangup"}])
        journal = [(row.event, row.entry) for row in journals(vm)["CA1"].rows]
        await note(vm, "CA1", journal, [Analysed({"summary": "All is well."})])
        await note(vm, "CA1", journal, [Analysed({"summary": "Once more."})])
        assert [(row.number, row.event, row.entry["type"]) for row in journals(vm)["CA1"].rows] == [
            (1, 7, "ended"),
            (2, 7, "analysed"),
        ]
