"""A call keeps its attempts and its silence on whatever line it is, until it ends; and there is a
bound."""

from __future__ import annotations

import pytest

from aybiza.actors.call import across_lines
from aybiza.actors.runtime import VM, virtual_time
from aybiza.dialogue.journal import FAULT, TRANSFER


@virtual_time
async def test_a_call_has_its_own_until_it_ends() -> None:
    async with VM("test") as vm:
        mine = across_lines.attempts_of(vm, "CA1")
        for reason in (FAULT, TRANSFER):
            across_lines.over(vm, "CA1", reason)
        assert across_lines.attempts_of(vm, "CA1") is mine
        assert across_lines.attempts_of(vm, "CA2") is not mine
        across_lines.over(vm, "CA1", "goodbye")
        assert across_lines.attempts_of(vm, "CA1") is not mine


@virtual_time
async def test_the_sockets_of_a_call_are_counted_by_their_names_until_it_ends() -> None:
    async with VM("test") as vm:
        spoken = across_lines.openings_of(vm, "CA1", "speaker", 2)
        spoken.extend((1.0, 2.0, 3.0))
        assert list(across_lines.openings_of(vm, "CA1", "speaker", 2)) == [2.0, 3.0]
        assert not across_lines.openings_of(vm, "CA1", "transcriber", 2)
        across_lines.over(vm, "CA1", "goodbye")
        assert not across_lines.openings_of(vm, "CA1", "speaker", 2)


@virtual_time
async def test_of_too_many_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(across_lines, "CALLS", 3)
    async with VM("test") as vm:
        first = across_lines.attempts_of(vm, "CA0")
        for number in range(1, 4):
            across_lines.attempts_of(vm, f"CA{number}")
        assert len(vm.tables[across_lines.TABLE]) == 3
        assert across_lines.attempts_of(vm, "CA0") is not first


@virtual_time
async def test_since_when_a_caller_hears_nothing_is_known_on_the_next_line() -> None:
    async with VM("one") as vm:
        assert across_lines.silent_since(vm, "CA1") is None
        across_lines.leave_silent(vm, "CA1", 7.0)
        assert across_lines.silent_since(vm, "CA1") == 7.0
        assert across_lines.silent_since(vm, "CA2") is None
        across_lines.leave_silent(vm, "CA1", None)
        assert across_lines.silent_since(vm, "CA1") is None
