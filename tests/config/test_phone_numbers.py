"""Numbers that can be called, with the zones in which they may be."""

from __future__ import annotations

import sys

import pytest

from aybiza.config.phone_numbers import Called, NumberError, NumbersMissing, called, zone
from tests.cases import each


@each(
    [
        ("+14155552671", Called("+14155552671", ("America/Los_Angeles",), "US")),
        ("+1 (415) 555-2671", Called("+14155552671", ("America/Los_Angeles",), "US")),
        ("+49 30 12345678", Called("+493012345678", ("Europe/Berlin",), "DE")),
        ("+91 98765 43210", Called("+919876543210", ("Asia/Calcutta",), "IN")),
    ]
)
def test_a_number_has_its_zone(text: str, number: Called) -> None:
    assert called(text) == number


def test_a_number_that_is_anywhere_in_a_country_has_all_of_its_zones() -> None:
    zones = called("+61 412 345 678").zones
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones)
    assert all(zone(name) is not None for name in zones)


@each(
    ["", "+", "12", "4155552671", "+1", "+15555550100", "+999123456789", "sip:ann@example.org", "x"]
)
def test_what_nobody_can_be_called_at_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        called(text)


def test_a_long_text_is_not_told_in_whole() -> None:
    with pytest.raises(NumberError) as error:
        called("+" + "1" * 500)
    assert len(str(error.value)) < 100


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(NumbersMissing, match=r"pip install 'aybiza\[outbound\]'"):
        called("+14155552671")


def test_a_zone_that_this_machine_does_not_know_is_none() -> None:
    assert zone("Nowhere/None") is None
    assert zone("../etc/passwd") is None
