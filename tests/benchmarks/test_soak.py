"""A node that is called again and again is looked at from the outside."""

from __future__ import annotations

import os
from typing import Any

import pytest

from aybiza.benchmarks import soak
from aybiza.benchmarks.soak import Look, Soak, count, soaked


@pytest.mark.real_time
def test_calls_follow_each_other_and_the_node_is_looked_at() -> None:
    told: list[str] = []
    done = soaked(calls=4, at_once=2, looks=2, tell=told.append)
    assert (done.failures, done.unanswered, done.grown) == ([], 0, [])
    assert [look.calls for look in done.looks] == [2, 4]
    assert all(look.memory_mb > 20 and look.threads > 5 for look in done.looks)
    assert all(look.descriptors > 10 and (look.overhead_ms[1] or 0) > 0 for look in done.looks)
    assert told == [look.line() for look in done.looks]


def looked(**last: Any) -> Soak:
    """Three looks, of which the last is another."""
    first = Look(10, 100.0, 50, 20, (10.0, 20.0))
    return Soak([first._replace(memory_mb=60.0), first, first._replace(**last)])


def test_what_has_grown_since_the_second_look_is_told() -> None:
    assert looked().grown == looked(memory_mb=111.0, descriptors=56, threads=1).grown == []
    assert looked(memory_mb=112.5, descriptors=57, threads=27).grown == [
        "memory: +12.5",
        "descriptors: +7.0",
        "threads: +7.0",
    ]


def test_a_process_that_is_gone_has_no_descriptors() -> None:
    assert count("fd", [os.getpid()]) > 2
    assert count("fd", [2**22 + 1]) == 0


def test_the_command_fails_with_what_is_not_flat(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = looked(memory_mb=200.0)
    monkeypatch.setattr(soak, "soaked", lambda *_, **__: given)
    assert soak.main(["--calls", "10"]) == 1
    assert "memory: +100.0" in capsys.readouterr().out
    given.looks.pop()
    assert soak.main([]) == 0
    given.failures.append("gone")
    assert soak.main([]) == 1
