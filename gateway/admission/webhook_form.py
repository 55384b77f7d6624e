"""The form of a carrier's webhook: read once, for admission and for the answer, and strictly.

What a webhook says goes into TwiML, into a call's journal and to the model, so what no carrier
would send is refused before anything is done with it, with the status and the words that say why:

    415  another type than a form, another charset than UTF-8, an encoding such as gzip
    400  no UTF-8, too many parameters, one of ours twice, an id or a number that is none; a name
         or a value that has swallowed what stands beside it

Twilio and SignalWire sign the URL with all names and values behind it, and no sign between them. So
who has seen one signed webhook could move letters over: a CallSid with the CallStatus behind it is
another call's, and an address whose query has become a parameter's name is another address, under
the same signature. No carrier sends such.

Contract: `read_form` returns all parameters by name or raises `FormError`, and nothing else,
whatever the bytes. A text names the parameter, never its value.
Source: Twilio, "TwiML Voice: request parameters" and "Webhooks security"; Telnyx, "TeXML";
SignalWire, "cXML: request parameters"; RFC 3966 and RFC 3261 for what a number may be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from aybiza.gateway.admission.form_pairs import FormFault, pairs
from aybiza.gateway.admission.signature import FORM
from aybiza.gateway.carriers.ids import CALL_IDS, PLAIN

MAX_NUMBER_CHARS: Final = 255
"""Of From and To: a telephone number has 16 characters, a SIP address more."""

JOINED: Final = ("twilio", "signalwire")
"""Carriers that sign names and values without a sign between them."""
_SWALLOWED: Final = {
    "AccountSid": re.compile(r"ApiVersion|ApplicationSid|CallSid|CallStatus"),
    "CallSid": re.compile(r"CallStatus|CallToken|Called|Caller|Direction"),
    "From": re.compile(r"From(City|Country|State|Zip)|\A\+.*[^0-9]"),
    "To": re.compile(r"To(City|Country|State|Zip)|\A\+.*[^0-9]"),
}
"""What one of our parameters holds when it has taken in those that follow in order of their names;
a number has digits alone."""

_OURS: Final = ("CallSid", "AccountSid", "From", "To")
_CHARSET = re.compile(r"""charset\s*=\s*"?\s*([^\s";]+)""", re.IGNORECASE)
_UTF_8: Final = ("utf-8", "utf8", "us-ascii", "ascii")


class FormError(Exception):
    """The body is no webhook's; `status` and `text` are the answer."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = f"{text}\n"


def read_form(
    body: bytes, headers: Mapping[str, str], carrier: str, *, needs_call: bool
) -> dict[str, str]:
    """The parameters of a webhook of this carrier's; names of `headers` in lower case.

    `needs_call`: whether there is none without a CallSid. Raises FormError.
    """
    _check_type(headers)
    try:
        found = pairs(body)
    except FormFault as fault:
        raise FormError(400, str(fault)) from None
    form = dict(found)
    counts = Counter(name for name, _ in set(found))
    for name in _OURS:
        if counts[name] > 1:
            raise FormError(400, f"{name} comes twice.")
    _check_values(form, carrier, needs_call=needs_call)
    if carrier in JOINED:
        _check_borders(form)
    return form


def _check_borders(form: Mapping[str, str]) -> None:
    """Refuse what only somebody has made who moves letters over."""
    for name in form:
        # An address would go on with another sign, and stand ahead of the carrier's names.
        if not (name[:1].isascii() and name[:1].isalpha()):
            raise FormError(400, "A parameter has a name that no carrier gives.")
    for name, signs in _SWALLOWED.items():
        if signs.search(form.get(name, "")):
            raise FormError(400, f"{name} holds another parameter.")


def _check_type(headers: Mapping[str, str]) -> None:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise FormError(415, "The body is encoded: send it as it is, without Content-Encoding.")
    kind, _, parameters = headers.get("content-type", FORM).partition(";")
    if kind.strip().lower() not in ("", FORM):
        raise FormError(415, f"A webhook is {FORM}: set the number to HTTP POST.")
    charset = _CHARSET.search(parameters)
    if charset is not None and charset[1].lower() not in _UTF_8:
        raise FormError(415, "The form is in another charset than UTF-8.")


def _check_values(form: Mapping[str, str], carrier: str, *, needs_call: bool) -> None:
    call = form.get("CallSid", "")
    if needs_call and not call:
        raise FormError(400, "CallSid is missing: this door is for a carrier's webhook.")
    if call and not CALL_IDS[carrier].match(call):
        raise FormError(400, f"CallSid is not the id of a call of {carrier}'s.")
    account = form.get("AccountSid", "")
    if account and not PLAIN.match(account):
        raise FormError(400, "AccountSid is not the id of an account.")
    for name in ("From", "To"):
        number = form.get(name, "")
        if len(number) > MAX_NUMBER_CHARS or not number.isprintable():
            raise FormError(
                400,
                f"{name} is not a number or an address of at most {MAX_NUMBER_CHARS} characters.",
            )
