"""What a node asks of those who come, as the settings have it, and what is told of a request.

When what is asked for is a matter of the settings (`Rules.of`): signatures when a carrier's key is
given; stream tokens when the node is guarded, that is, when there is an auth token or anybody but
this machine can reach the node (`DoorSettings.is_guarded`); the rate limit and the limits of a
caller when they are set or the node is guarded. So tools on this machine may connect a stream
without a webhook to a node that nobody else can reach, and to no other.

Errors: none; nothing here shows a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from aybiza.config.fields import is_loopback
from aybiza.config.settings import Settings

GUARDED_PER_MINUTE: Final = 100
GUARDED_CALLER_CALLS: Final = 60
GUARDED_CALLER_MINUTES: Final = 120


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings ask for; without any, a node that only this machine can reach.

    `http_base`, `media_base`: the URLs by which carriers come, without path; None: as requests say.
    `proxied`: others come by a program of this machine, so a peer on it need not be of it.
    `caller_calls`, `caller_minutes`: of one caller in an hour; 0: any number.
    """

    auth_token: str | None = field(default=None, repr=False)
    console_token: str | None = field(default=None, repr=False)
    stream_tokens: bool = False
    per_minute: int = 0
    redis_url: str | None = field(default=None, repr=False)
    account_calls: int | None = None
    trusted_proxies: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    http_base: str | None = None
    media_base: str | None = None
    telnyx_public_key: str | None = None
    signalwire_signing_key: str | None = field(default=None, repr=False)
    proxied: bool = False
    caller_calls: int = 0
    caller_minutes: int = 0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules that follow from the settings."""
        auth, console = settings.twilio_auth_token, settings.console_token
        signalwire = settings.signalwire_signing_key

        def guarded(given: int | None, default: int) -> int:
            return (default if settings.is_guarded else 0) if given is None else given

        return cls(
            auth_token=auth.get_secret_value() if auth else None,
            console_token=console.get_secret_value() if console else None,
            stream_tokens=settings.is_guarded,
            per_minute=guarded(settings.rate_limit, GUARDED_PER_MINUTE),
            redis_url=settings.redis_url,
            account_calls=settings.account_calls,
            trusted_proxies=settings.trusted_proxies,
            switches=settings.switches,
            http_base=settings.public_http_url,
            media_base=settings.public_media_url,
            telnyx_public_key=settings.telnyx_public_key,
            signalwire_signing_key=signalwire.get_secret_value() if signalwire else None,
            proxied=is_loopback(settings.bind) and not settings.is_local,
            caller_calls=guarded(settings.caller_calls, GUARDED_CALLER_CALLS),
            caller_minutes=guarded(settings.caller_minutes, GUARDED_CALLER_MINUTES),
        )

    @property
    def keys(self) -> Mapping[str, str]:
        """The keys of the carriers' signatures that are given."""
        keys = {
            "twilio": self.auth_token,
            "telnyx": self.telnyx_public_key,
            "signalwire": self.signalwire_signing_key,
        }
        return {carrier: key for carrier, key in keys.items() if key}


@dataclass(frozen=True, slots=True)
class Knock:
    """A request as it came. `target`: path and query, letter by letter; `path`: as a route is
    found by it, deciphered; header names in lower case.
    """

    peer: str
    secure: bool
    target: str
    path: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to who may not come in."""

    status: int
    text: str
    headers: Mapping[str, str]


BUSY: Final = Refusal(200, "", {})
"""There is no call for them now: to be answered with the busy words."""
