"""Sealed addresses: what the carrier is to ask of us later, made by us and good for one carrier.

TwiML gives an address at which the carrier asks what somebody hears whom a caller is put through
to; an order to place a call gives one at which it asks what to do then. The address says which call
that is, so who may sign webhooks of any carrier could ask for another's. A sealed one holds its
expiry, the account of the call and an HMAC-SHA256 over all of it and the carrier. Any node with the
same key can check it.

Contract: `sealed` makes the query of such an address, `fits` says whether a query that came by a
carrier, for an account, is one. Carriers may write the query in another way: its names and values
count. Where an account is not told, on either side, the carrier alone has to be the same.
`clock`: wall clock, in seconds; those of a cluster's nodes have to agree within some seconds.
Errors: none.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

from aybiza.config import clocks
from aybiza.gateway.admission.stream_token import hkdf

LIFE_SECONDS: Final = 900.0
"""Carriers let a number ring for ten minutes at most."""

SEAL: Final = "seal"
UNTIL: Final = "until"
ACCOUNT: Final = "account"
_INFO: Final = b"aybiza sealed address 1"
_MOST_DIGITS: Final = 12


class AddressSeals:
    """See the module. `keys`: as `stream_token.derived_key` makes them; the first seals."""

    def __init__(self, keys: Sequence[bytes], clock: Callable[[], float] = clocks.wall) -> None:
        self._keys = [hkdf(key, _INFO) for key in keys]
        self._clock = clock

    def sealed(
        self,
        query: Mapping[str, str],
        carrier: str,
        account: str,
        seconds: float = LIFE_SECONDS,
    ) -> str:
        """The query of the address, for this carrier and account, good for so long."""
        told = {**query, ACCOUNT: account, UNTIL: str(int(self._clock() + seconds))}
        return urlencode({**told, SEAL: _seal(self._keys[0], told, carrier)})

    def fits(self, query: str, carrier: str, account: str) -> bool:
        """Whether the query was sealed for them, and is still good."""
        pairs = parse_qsl(query, keep_blank_values=True)
        told = dict(pairs)
        seal, until = told.pop(SEAL, ""), told.get(UNTIL, "")
        if len(pairs) != len(told) + 1 or not _is_time(until) or int(until) <= self._clock():
            return False
        if account and told.get(ACCOUNT) and told[ACCOUNT] != account:
            return False
        given = seal.encode(errors="replace")
        return any(
            hmac.compare_digest(given, _seal(key, told, carrier).encode()) for key in self._keys
        )


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def _seal(key: bytes, told: Mapping[str, str], carrier: str) -> str:
    text = b""
    for part in (carrier, *(part for pair in sorted(told.items()) for part in pair)):
        data = part.encode(errors="surrogatepass")
        text += len(data).to_bytes(4) + data
    return hmac.new(key, text, hashlib.sha256).hexdigest()
