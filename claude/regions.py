"""Which AWS region is near a caller.

Purpose: the caller's country, as the edge network reports it, to a Bedrock region. Contract: pure,
always answers. Errors: none.
Source: Bedrock guide, section 2 (`determine_optimal_region`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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


def determine_optimal_region(context: Mapping[str, Any]) -> str:
    """The region for `cloudflare_country`, a two-letter code; missing counts as US, an unknown one
    gets the default region."""
    country = context.get("cloudflare_country", DEFAULT_COUNTRY)
    return REGION_OF_COUNTRY.get(country, DEFAULT_REGION)
