"""Twilio's signatures: the published examples, and that nothing else counts as signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone import webhook
from aybiza.gateway.admission.signature import is_signed, is_signed_body, signature

# Twilio's own examples, from its documentation and the tests of its libraries.
TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
    "Caller": "+14158675309",
}
SIGNED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
REPEATED = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")]
BODY = b'{"property": "value", "boolean": true}'
HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
WITH_HASH = f"{URL}&bodySHA256={HASH}"
BODY_SIGNED = "a9nBmqA0ju/hNViExpshrM61xv4="
ENCODED = b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212"
ENCODED += b"&Caller=%2B14158675309"


def test_a_form_is_signed_as_twilio_publishes_it() -> None:
    assert signature(TOKEN, URL, FORM.items()) == SIGNED
    assert signature(TOKEN, URL, REPEATED) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="


@pytest.mark.parametrize(
    ("url", "given"),
    [
        (URL, SIGNED),
        (URL.replace(".com", ".com:1234"), SIGNED),
        (URL, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (URL.replace("https", "http"), "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (URL.replace("https", "http").replace(".com", ".com:1234"), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
    ],
    ids=["as is", "its port left out", "port 443 added", "port 80 added", "another port"],
)
def test_a_port_may_be_written_or_not(url: str, given: str) -> None:
    assert is_signed(TOKEN, given, url, FORM.items())


def test_a_body_that_is_no_form_is_signed_by_its_hash() -> None:
    assert is_signed_body(TOKEN, BODY_SIGNED, WITH_HASH, BODY, "application/json")
    assert not is_signed_body(TOKEN, BODY_SIGNED, WITH_HASH, BODY + b" ", "application/json")
    unhashed = signature(TOKEN, URL)
    assert not is_signed_body(TOKEN, unhashed, URL, BODY, "application/json")


def test_a_form_s_body_is_read_as_twilio_s_libraries_read_it() -> None:
    assert is_signed_body(TOKEN, SIGNED, URL, ENCODED)
    for_people = "application/x-www-form-urlencoded; charset=UTF-8"
    assert is_signed_body(TOKEN, SIGNED, URL, ENCODED, for_people)
    assert not is_signed_body(TOKEN, SIGNED, URL, ENCODED + b"&To=%2B1900", for_people)


def test_a_form_cannot_pass_for_a_signed_body() -> None:
    unsigned_form = signature(TOKEN, URL)
    assert not is_signed_body(TOKEN, unsigned_form, URL, ENCODED)


def test_a_websocket_is_signed_by_its_url_alone() -> None:
    url = "wss://phone.example.org/media"
    given = base64.b64encode(hmac.new(b"12345", url.encode(), hashlib.sha1).digest()).decode()
    assert is_signed(TOKEN, given, url)
    assert is_signed(TOKEN, given, "wss://phone.example.org:443/media")
    assert not is_signed(TOKEN, given, "https://phone.example.org/media")
    assert not is_signed(TOKEN, given, "wss://phone.example.org/medium")


def test_the_phone_signs_as_twilio_does() -> None:
    assert webhook.signature(TOKEN, URL, FORM) == SIGNED


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.text())))
def test_what_cannot_be_read_is_not_signed(
    given: str, url: str, form: list[tuple[str, str]]
) -> None:
    assert not is_signed(TOKEN, given, url, form)


@given(st.binary(), st.text(), st.text())
def test_any_body_is_judged(body: bytes, url: str, content_type: str) -> None:
    assert not is_signed_body(TOKEN, SIGNED, url, body, content_type)
    assert not is_signed_body(TOKEN, json.dumps(url), url, body, content_type)


@given(st.dictionaries(st.text(min_size=1), st.text()), st.text(min_size=1))
def test_another_token_s_signature_does_not_count(form: dict[str, str], token: str) -> None:
    given = signature(token + "x", URL, form.items())
    assert is_signed(token + "x", given, URL, form.items())
    assert not is_signed(token, given, URL, form.items())
