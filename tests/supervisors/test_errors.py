"""Refusals, and how they read."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.supervisors import SupervisorError


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("max_children", "'max_children': the supervisor has all the children that it may have"),
        (("invalid_period", 0), "('invalid_period', 0): max_seconds is a whole number, at least 1"),
        (("boom", "spec"), "the child did not start: ('boom', 'spec')"),
        ((), "the child did not start: ()"),
        ([1], "the child did not start: [1]"),
    ],
)
def test_a_refusal_carries_its_term_and_says_what_it_means(term: Any, text: str) -> None:
    error = SupervisorError(term)
    assert error.term == term
    assert str(error) == text
