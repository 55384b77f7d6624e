"""Where a call comes from, carried from the webhook to its stream. Pure.

    parameters |= origin(form.get("FromCountry", ""), request.query_params, time.time())
    told = start.custom_parameters
    caller_of(told), country_of(told), edge_of(told)

The carrier tells the caller's country (`FromCountry`); the worker at the edge of the network, when
it sent the call on: `edge` in the query of its `<Redirect>`, unix ms. A country that is none, and a
time that is not of the last minute, count as absent.

Source: Twilio, "Twilio's request to your application"; specification 000, section 4
(`calculate_edge_processing_time`), and its region mapping (`cloudflare_country`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from aybiza.claude.regions import country_of_number
from aybiza.config.caller_number import bare
from aybiza.config.caller_number import told as told_number

COUNTRY: Final = "FromCountry"
EDGE: Final = "Edge"
MAX_EDGE_MS: Final = 60_000

_COUNTRY = re.compile(r"[A-Z]{2}\Z", re.ASCII)
_MS = re.compile(r"[0-9]{13}\Z", re.ASCII)


def origin(country: str, query: Mapping[str, str], now: float) -> dict[str, str]:
    """The parameters that tell the stream; none where nothing is known."""
    told: dict[str, str] = {}
    if _COUNTRY.match(country.upper()):
        told[COUNTRY] = country.upper()
    sent, came = query.get("edge", ""), int(now * 1000)
    if _MS.match(sent) and 0 <= came - int(sent) <= MAX_EDGE_MS:
        told[EDGE] = f"{sent}-{came}"
    return told


def caller_of(parameters: Mapping[str, str]) -> str:
    """The caller's number, written in one way whoever brings it, so that it is found again; "" if
    it is withheld, whatever the carrier writes for that."""
    return told_number(bare(parameters.get("From", "")))


def country_of(parameters: Mapping[str, str]) -> str:
    """The caller's country, two letters, "" if unknown: as the carrier has told, and where it has
    not, as a switch does not, by the caller's number."""
    told = parameters.get(COUNTRY, "")
    return told if _COUNTRY.match(told) else country_of_number(parameters.get("From", ""))


def edge_of(parameters: Mapping[str, str]) -> tuple[int, int] | None:
    """Unix ms at which the edge has sent the call on, and at which it came."""
    sent, _, came = parameters.get(EDGE, "").partition("-")
    return (int(sent), int(came)) if _MS.match(sent) and _MS.match(came) else None
