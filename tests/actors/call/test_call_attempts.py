"""A call keeps its attempts whatever line it is on, until it ends; and there is a bound."""

from __future__ import annotations

import pytest

from aybiza.actors.call import call_attempts
from aybiza.actors.runtime import VM, virtual_time


@virtual_time
async def test_a_call_has_its_own_until_it_ends() -> None:
    async with VM("test") as vm:
        mine = call_attempts.attempts_of(vm, "CA1")
        assert call_attempts.attempts_of(vm, "CA1") is mine
        assert call_attempts.attempts_of(vm, "CA2") is not mine
        call_attempts.forget(vm, "CA1")
        assert call_attempts.attempts_of(vm, "CA1") is not mine


@virtual_time
async def test_the_sockets_of_a_call_are_counted_by_their_names_until_it_ends() -> None:
    async with VM("test") as vm:
        spoken = call_attempts.openings_of(vm, "CA1", "speaker", 2)
        spoken.extend((1.0, 2.0, 3.0))
        assert list(call_attempts.openings_of(vm, "CA1", "speaker", 2)) == [2.0, 3.0]
        assert not call_attempts.openings_of(vm, "CA1", "transcriber", 2)
        call_attempts.forget(vm, "CA1")
        assert not call_attempts.openings_of(vm, "CA1", "speaker", 2)


@virtual_time
async def test_of_too_many_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_attempts, "CALLS", 3)
    async with VM("test") as vm:
        first = call_attempts.attempts_of(vm, "CA0")
        for number in range(1, 4):
            call_attempts.attempts_of(vm, f"CA{number}")
        assert len(vm.tables[call_attempts.TABLE]) == 3
        assert call_attempts.attempts_of(vm, "CA0") is not first
