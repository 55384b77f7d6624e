"""Where a call comes from, from the webhook to the stream."""

import pytest

from aybiza.gateway.origin import caller_of, country_of, edge_of, origin

NOW = 1_800_000_000.25


def test_country_and_edge_time_reach_the_stream() -> None:
    told = origin("de", {"edge": "1800000000100"}, NOW)
    assert country_of(told) == "DE"
    assert edge_of(told) == (1_800_000_000_100, 1_800_000_000_250)


@pytest.mark.parametrize("country", ["", "D", "DEU", "D1", "ÄÖ", "<>", "DE\n"])
def test_what_is_no_country_is_none(country: str) -> None:
    assert origin(country, {}, NOW) == {}
    assert country_of({"FromCountry": country}) == ""


def test_where_no_carrier_has_told_it_the_number_does() -> None:
    assert country_of({"From": "+498999998"}) == "DE"
    assert country_of({"FromCountry": "FR", "From": "+498999998"}) == "FR"
    assert country_of({"From": "sip:a@example.org"}) == ""


@pytest.mark.parametrize(
    "edge", ["", "soon", "1800000000300", "1799999900000", "18000000001000", "-800000000100"]
)
def test_a_time_to_come_or_long_past_or_none_is_no_edge_time(edge: str) -> None:
    assert origin("", {"edge": edge}, NOW) == {}
    assert edge_of({"Edge": edge}) is None
    assert edge_of({"Edge": f"{edge}-x"}) is None


@pytest.mark.parametrize("written", ["+14155550123", "+1 415 555-0123", " +1 (415) 555 0123 "])
def test_a_caller_is_written_in_one_way_whoever_brings_them(written: str) -> None:
    assert caller_of({"From": written}) == "+14155550123"


def test_an_address_stays_as_it_is_and_nobody_is_nobody() -> None:
    assert caller_of({"From": "sip:ann-lee@example.org"}) == "sip:ann-lee@example.org"
    for withheld in ({}, {"From": "anonymous"}, {"From": "+266696687"}):
        assert caller_of(withheld) == ""
    assert caller_of({"From": "sip:anonymous@anonymous.invalid"}) == ""
