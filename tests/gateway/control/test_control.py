"""What a switch is told cannot be read as anything else."""

from __future__ import annotations

import pytest

from aybiza.gateway.control.control import ControlError, checked_number


@pytest.mark.parametrize(
    "number", ["+14155550199", "sip:a.b-c@example.org:5060", "sips:a@10.0.0.1"]
)
def test_numbers_and_plain_addresses_are_taken(number: str) -> None:
    assert checked_number(number) == number


@pytest.mark.parametrize("number", ["14155550199", "+0123456", "sip:a", "sip:a@b;x", "a", "+1\n2"])
def test_whatever_else_is_refused(number: str) -> None:
    with pytest.raises(ControlError):
        checked_number(number)
