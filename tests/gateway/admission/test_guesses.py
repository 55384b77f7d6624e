"""Wrong tokens are counted by address, for a minute, and not for ever."""

from __future__ import annotations

from aybiza.gateway.admission.guesses import ADDRESSES, MINUTE, MOST, Guesses

SOMEBODY = "203.0.113.9"


def test_an_address_has_so_many_in_a_minute_and_then_again() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(MOST):
        assert not guesses.full(SOMEBODY)
        guesses.add(SOMEBODY)
    assert guesses.full(SOMEBODY)
    assert not guesses.full("203.0.113.10")
    now[0] = MINUTE
    assert not guesses.full(SOMEBODY)
    guesses.add(SOMEBODY)
    assert not guesses.full(SOMEBODY)


def test_of_more_addresses_than_are_kept_the_oldest_is_forgotten() -> None:
    guesses = Guesses(lambda: 0.0)
    for _ in range(MOST):
        guesses.add(SOMEBODY)
    for number in range(ADDRESSES):
        guesses.add(str(number))
    assert not guesses.full(SOMEBODY)
