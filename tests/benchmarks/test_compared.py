"""Rounds that alternate are compared turn by turn, and say how much they differ of themselves."""

from __future__ import annotations

from aybiza.benchmarks.compared import Compared


def test_all_turns_of_one_kind_are_compared_with_all_of_the_other() -> None:
    compared = Compared([[10.0, 10.0], [12.0]], [[11.0], [11.0, 30.0]])
    assert compared.ratio == 1.1
    assert compared.noise == 0.2


def test_what_was_found_is_one_line() -> None:
    assert Compared([[10.0]], [[12.0]]).line("analysis") == (
        "turns: p50 10.0 ms without analysis, 12.0 with: 1.20 of it, the noise is 0.00"
    )
