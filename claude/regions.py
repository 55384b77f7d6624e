"""Which AWS region is near a caller.

Purpose: the caller's country, as the carrier or the edge network tells it, to a Bedrock region.
Contract: pure, always answers. Errors: none.
Source: Bedrock guide, section 2 (`determine_optimal_region`); ITU-T E.164, country codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aybiza.config.rule_sets import Rules

DEFAULT_COUNTRY: Final = "US"
DEFAULT_REGION: Final = "us-east-1"

REGION_OF_COUNTRY: Final = {
    "US": "us-east-1",
    "CA": "us-east-1",
    "GB": "eu-west-1",
    "DE": "eu-central-1",
    "FR": "eu-west-1",
    "IT": "eu-central-1",
    "ES": "eu-west-1",
    "NL": "eu-west-1",
    "SG": "ap-southeast-1",
    "JP": "ap-northeast-1",
    "AU": "ap-southeast-1",
    "IN": "ap-south-1",
}

_COUNTRY_OF_CODE: Final = {
    "1": "US",
    "31": "NL",
    "33": "FR",
    "34": "ES",
    "39": "IT",
    "44": "GB",
    "49": "DE",
    "61": "AU",
    "65": "SG",
    "81": "JP",
    "91": "IN",
}


def determine_optimal_region(
    context: Mapping[str, Any], *, rules: Rules = "specification", home: str = DEFAULT_REGION
) -> str:
    """The region for `cloudflare_country`, a two-letter code.

    The specification: a missing one counts as US, an unknown one gets the default region. A call:
    its node's region, `home`, in both cases.

    >>> determine_optimal_region({"cloudflare_country": "DE"})
    'eu-central-1'
    >>> determine_optimal_region({"cloudflare_country": "BR"}, rules="call", home="sa-east-1")
    'sa-east-1'
    """
    if rules == "call":
        return REGION_OF_COUNTRY.get(context.get("cloudflare_country", ""), home)
    country = context.get("cloudflare_country", DEFAULT_COUNTRY)
    return REGION_OF_COUNTRY.get(country, DEFAULT_REGION)


def country_of_number(number: str) -> str:
    """The country of an E.164 number whose callers have a region of their own; "" for any other.

    >>> country_of_number("+441632960011"), country_of_number("sip:a@example.org")
    ('GB', '')
    """
    digits = number.removeprefix("+") if number.startswith("+") else ""
    return _COUNTRY_OF_CODE.get(digits[:1]) or _COUNTRY_OF_CODE.get(digits[:2], "")
