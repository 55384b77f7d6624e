"""What a webhook may say, and what is refused with which words."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.admission.webhook_form import FormError, read_form

GOOD = {"CallSid": "CA1", "AccountSid": "AC1", "From": "+14155550123", "To": "sip:a@b.example"}


def refusal(
    body: bytes, carrier: str = "twilio", *, needs_call: bool = True, **headers: str
) -> tuple[int, str]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(FormError) as error:
        read_form(body, names, carrier, needs_call=needs_call)
    return error.value.status, error.value.text


def test_a_form_is_read_as_it_was_sent() -> None:
    form = {**GOOD, "From": "client:jöe smith", "Empty": ""}
    assert read_form(urlencode(form).encode(), {}, "twilio", needs_call=True) == form
    for kind in ("application/x-www-form-urlencoded; charset=UTF-8", ""):
        headers = {"content-type": kind, "content-encoding": "identity"}
        assert read_form(b"CallSid=CA1", headers, "twilio", needs_call=True)


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"CallSid": ""}, 400, "CallSid is missing"),
        ({"CallSid": "CA" + "1" * 60_000}, 400, "CallSid is not"),
        ({"CallSid": "CA1\0"}, 400, "CallSid is not"),
        ({"CallSid": "CA1\n"}, 400, "CallSid is not"),
        ({"CallSid": "76ac3c36-56da-4a3e-a0d6-b5f8df6da9ad"}, 400, "CallSid is not"),
        ({"AccountSid": "<script>"}, 400, "AccountSid is not"),
        ({"From": "+1\0"}, 400, "From is not"),
        ({"From": "+1" * 300}, 400, "From is not"),
        ({"To": "+1\u2028"}, 400, "To is not"),
        ({"To": "+1\ufffe"}, 400, "To is not"),
    ],
)
def test_what_no_carrier_sends_is_refused_and_not_repeated(
    changes: dict[str, str], status: int, says: str
) -> None:
    found, text = refusal(urlencode({**GOOD, **changes}).encode())
    assert (found, text.startswith(says)) == (status, True)
    assert len(text) < 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"CallSid=CA1&From=%ff", 400),
        (b"CallSid=CA1\xff", 400),
        (b"CallSid=CA1&CallSid=CA2", 400),
        (b"a=1&" * 600, 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(body: bytes, status: int) -> None:
    assert refusal(body)[0] == status


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "application/json"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "application/x-www-form-urlencoded; charset=utf-16"},
        {"content_encoding": "gzip"},
    ],
)
def test_an_encoding_that_is_not_known_is_said_to_be_so(headers: dict[str, str]) -> None:
    assert refusal(b"CallSid=CA1", **headers)[0] == 415  # type: ignore[arg-type]


@given(st.binary(), st.sampled_from(["twilio", "telnyx", "signalwire"]), st.text())
def test_any_bytes_are_read_or_refused(body: bytes, carrier: str, kind: str) -> None:
    try:
        read_form(body, {"content-type": kind}, carrier, needs_call=True)
    except FormError as error:
        assert error.status in (400, 415)
