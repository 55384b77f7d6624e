"""A sealed address is good for the carrier and the account that it was made for, for a while."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

import pytest

from aybiza.gateway.admission.address_seals import LIFE_SECONDS, AddressSeals

KEY, OTHER = b"k" * 32, b"o" * 32
ASKED = {"call": "v3:a/b=", "node": "front"}


class Clock:
    now = 1_760_000_000.0

    def __call__(self) -> float:
        return self.now


def test_it_fits_whom_it_was_made_for_and_nobody_else() -> None:
    seals = AddressSeals([KEY])
    query = seals.sealed(ASKED, "twilio", "AC1")
    assert seals.fits(query, "twilio", "AC1")
    assert not seals.fits(query, "telnyx", "AC1")
    assert not seals.fits(query, "twilio", "AC2")


def test_an_account_that_is_not_told_is_not_compared() -> None:
    seals = AddressSeals([KEY])
    assert seals.fits(seals.sealed(ASKED, "telnyx", ""), "telnyx", "AC1")
    assert seals.fits(seals.sealed(ASKED, "telnyx", "AC1"), "telnyx", "")


def test_a_carrier_may_write_the_query_in_its_own_way() -> None:
    seals = AddressSeals([KEY])
    query = seals.sealed(ASKED, "telnyx", "AC1")
    told = dict(reversed(parse_qsl(query)))
    assert seals.fits(urlencode(told, quote_via=quote, safe=":/="), "telnyx", "AC1")


@pytest.mark.parametrize("name", ["call", "node", "account", "until", "seal"])
@pytest.mark.parametrize("value", ["", "x", "9" * 20, "é", "\ud800", "CA1"])
def test_a_changed_one_does_not_fit(name: str, value: str) -> None:
    seals = AddressSeals([KEY])
    told = {**dict(parse_qsl(seals.sealed(ASKED, "twilio", "AC1"))), name: value}
    query = urlencode(told, errors="surrogatepass")
    assert not seals.fits(query, "twilio", "AC1")
    assert not seals.fits(query, "twilio", value)


def test_nothing_can_be_added_or_said_twice() -> None:
    seals = AddressSeals([KEY])
    query = seals.sealed(ASKED, "twilio", "AC1")
    for more in ("&route=x", "&call=CA2", "&seal=x", f"&{query}", "&x"):
        assert not seals.fits(query + more, "twilio", "AC1")
        assert not seals.fits(more[1:] + "&" + query, "twilio", "AC1")


def test_it_is_good_for_a_while() -> None:
    clock = Clock()
    seals = AddressSeals([KEY], clock)
    query = seals.sealed(ASKED, "twilio", "AC1")
    clock.now += LIFE_SECONDS - 1
    assert seals.fits(query, "twilio", "AC1")
    clock.now += 1
    assert not seals.fits(query, "twilio", "AC1")


def test_a_node_takes_what_was_sealed_with_any_of_its_keys() -> None:
    query = AddressSeals([KEY]).sealed(ASKED, "twilio", "AC1")
    assert AddressSeals([OTHER, KEY]).fits(query, "twilio", "AC1")
    assert not AddressSeals([OTHER]).fits(query, "twilio", "AC1")
