"""Calls that the node has placed, at the HTTP door: where the carrier asks and tells of them.

    way.url(base, query)           where a call's webhook is asked, sealed if the call was placed
    addresses(…)                   both addresses that a carrier is given with the order to place it
    turned(form)                   its form as that of a call from whoever was called
    told_of(form, attempt)         what a status callback tells

The address of a placed call says which attempt it is, and is sealed for the carrier and the
account, so nobody who may sign webhooks can have another's call taken for a placed one, or settle
an attempt that is not his. Pure. Errors: none; a status that is none tells nothing.

Source: Twilio, "Call resource: StatusCallback" and "Answering Machine Detection".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from aybiza.dialogue.outbound.dialler import Told
from aybiza.dialogue.outbound.ledger import (
    ANSWERED,
    COMPLETED,
    HUMAN,
    MACHINE,
    PLACED,
    RINGING,
    Attempted,
)
from aybiza.gateway.admission.address_seals import AddressSeals
from aybiza.gateway.carriers.carrier import Carrier

BEHIND: Final = "/placed"
"""Below a carrier's webhook: what to do with a call that was placed."""
STATUS: Final = "/placed/status"
"""Below it as well: how such a call goes."""
ATTEMPT: Final = "attempt"
LIFE_SECONDS: Final = 6 * 3_600.0
"""A call comes back from a broken line for as long as it lasts, and its end is told behind it."""
QUEUED_SECONDS: Final = 24 * 3_600.0
"""So long a carrier may hold a call back before it places it."""

STATUSES: Final[Mapping[str, str]] = {
    "queued": PLACED,
    "initiated": PLACED,
    "ringing": RINGING,
    "in-progress": ANSWERED,
    "answered": ANSWERED,
    "completed": COMPLETED,
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "canceled",
}
"""A carrier's word for where a call is, and the ledger's."""
_WHO: Final = {"human": HUMAN, "machine": MACHINE, "fax": MACHINE}
_MOST_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Way:
    """How a call is asked for. `attempt`: which one it is, "" for a call that came in."""

    carrier: Carrier
    seals: AddressSeals
    account: str = ""
    attempt: str = ""

    def url(self, base: str, query: str) -> str:
        """See the module."""
        if not self.attempt:
            return f"{base}{self.carrier.webhook}?{query}"
        told = {**dict(parse_qsl(query)), ATTEMPT: self.attempt}
        sealed = self.seals.sealed(told, self.carrier.name, self.account, LIFE_SECONDS)
        return f"{base}{self.carrier.webhook}{BEHIND}?{sealed}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the carrier asks what to do with a call, and where it tells how it goes."""

    webhook: str
    status: str


def addresses(
    attempt: Attempted, base: str, carrier: Carrier, seals: AddressSeals, account: str
) -> Addresses:
    """Those of an attempt; see the module."""
    told = {ATTEMPT: attempt.id, "route": attempt.route}
    sealed = seals.sealed(told, carrier.name, account, QUEUED_SECONDS + LIFE_SECONDS)
    webhook = f"{base}{carrier.webhook}"
    return Addresses(f"{webhook}{BEHIND}?{sealed}", f"{webhook}{STATUS}?{sealed}")


def turned(form: Mapping[str, str]) -> dict[str, str]:
    """See the module: who was called is the caller, and our number the one that was called.

    >>> turned({"From": "+14155550100", "To": "+14155552671", "ToCountry": "US"})
    {'From': '+14155552671', 'To': '+14155550100', 'ToCountry': '', 'FromCountry': 'US'}
    """
    pairs = (("From", "To"), ("FromCountry", "ToCountry"))
    swapped = {one: form.get(other, "") for pair in pairs for one, other in (pair, pair[::-1])}
    return {**form, **{name: text for name, text in swapped.items() if text or name in form}}


def told_of(form: Mapping[str, str], attempt: str) -> Told:
    """See the module.

    >>> told_of({"CallSid": "CA1", "CallStatus": "busy", "SipResponseCode": "486"}, "a1")
    Told(id='a1', status='busy', call_id='CA1', code='486', seconds=0, by='')
    """
    status = STATUSES.get(form.get("CallStatus", ""), "")
    answered = status in (ANSWERED, COMPLETED)
    code = "" if answered else form.get("ErrorCode") or form.get("SipResponseCode", "")
    seconds = form.get("CallDuration", "")
    return Told(
        attempt,
        status,
        form.get("CallSid", ""),
        code[:20],
        int(seconds) if _is_count(seconds) else 0,
        _WHO.get(form.get("AnsweredBy", "").partition("_")[0], ""),
    )


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
