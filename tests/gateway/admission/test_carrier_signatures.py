"""Each carrier's signature fits its own webhooks, with its own key, and nothing else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.admission.carrier_signatures import (
    REMEMBERED,
    TOLERANCE_SECONDS,
    CarrierSignatures,
    Signed,
    public_key,
)
from aybiza.gateway.admission.signature import signature
from tests.gateway.admission.carrier_keys import PRIVATE, TELNYX_KEY, telnyx_headers

NOW = 1_700_000_000.0
URL = "https://phone.example.org/incoming/telnyx"
BODY = b"CallSid=v3%3Aabc&From=%2B14155550123"
FORM = [("CallSid", "v3:abc"), ("From", "+14155550123")]
KEYS = {"twilio": "twilio-token", "telnyx": TELNYX_KEY, "signalwire": "signalwire-key"}


def signatures() -> CarrierSignatures:
    return CarrierSignatures(KEYS, lambda: NOW)


def test_telnyx_signs_its_body_and_the_time() -> None:
    headers = telnyx_headers(BODY, NOW)
    assert signatures().fits("telnyx", Signed(URL, headers, BODY))
    assert not signatures().fits("telnyx", Signed(URL, headers, BODY + b"&To=%2B1"))
    later = {**headers, "telnyx-timestamp": str(int(NOW) + 1)}
    assert not signatures().fits("telnyx", Signed(URL, later, BODY))
    stranger = telnyx_headers(BODY, NOW, Ed25519PrivateKey.generate())
    assert not signatures().fits("telnyx", Signed(URL, stranger, BODY))


@pytest.mark.parametrize("away", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_what_telnyx_signed_at_another_time_is_not_taken(away: float) -> None:
    assert not signatures().fits("telnyx", Signed(URL, telnyx_headers(BODY, NOW + away), BODY))


def test_what_telnyx_signed_for_one_url_is_not_taken_at_another() -> None:
    checks, headers = signatures(), telnyx_headers(BODY, NOW)
    assert checks.fits("telnyx", Signed(URL, headers, BODY))
    assert checks.fits("telnyx", Signed(URL, headers, BODY))
    assert not checks.fits("telnyx", Signed(f"{URL}?again=1", headers, BODY))


def test_what_is_remembered_of_signatures_is_bounded() -> None:
    checks = signatures()
    for number in range(REMEMBERED + 10):
        checks._is_its_url(b"%d" % number, URL)
    assert len(checks._urls) == REMEMBERED


def test_signalwire_and_twilio_have_a_header_and_a_key_of_their_own() -> None:
    for carrier, header, key in (
        ("twilio", "x-twilio-signature", "twilio-token"),
        ("signalwire", "x-signalwire-signature", "signalwire-key"),
    ):
        good = {header: signature(key, URL, FORM)}
        assert signatures().fits(carrier, Signed(URL, good, BODY))
        for other in KEYS:
            assert signatures().fits(other, Signed(URL, good, BODY)) == (other == carrier)


def test_a_carrier_without_a_key_fits_nothing_once_another_has_one() -> None:
    assert not CarrierSignatures({}).asked_for
    checks = CarrierSignatures({"twilio": "token"}, lambda: NOW)
    assert checks.asked_for
    assert not checks.knows("telnyx")
    assert not checks.fits("telnyx", Signed(URL, telnyx_headers(BODY, NOW), BODY))


@given(st.dictionaries(st.sampled_from([*telnyx_headers(b"", 0)]), st.text()), st.binary())
def test_whatever_stands_in_the_headers_is_answered(headers: dict[str, str], body: bytes) -> None:
    assert not signatures().fits("telnyx", Signed(URL, headers, body))


@pytest.mark.parametrize("text", ["", "AAAA", "%%%", "x" * 44])
def test_a_key_that_is_none_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="not base64 of the 32 bytes"):
        public_key(text)
    assert public_key(TELNYX_KEY).public_bytes_raw() == PRIVATE.public_key().public_bytes_raw()
