"""What a stranger could make use of, as far as the settings and the files they name tell.

Contract: `weaknesses` returns a finding for each part of the defence, in a fixed order: the part,
whether it will do, and what there is to say, with what to do where it will not. On a machine's own
loopback nearly all will do: nobody else gets there. It reads the files that they name, and sends
nothing.
Errors: none; no secret is shown.
Source: `aybiza.gateway.admission.admission`; Twilio, "Webhooks security".
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from aybiza.actors.node.cookie import CookieError, read_cookie
from aybiza.config.fields import is_loopback
from aybiza.config.settings import Settings
from aybiza.gateway.admission.rules import Rules
from aybiza.gateway.admission.tls import (
    TlsError,
    called,
    key_open_to_others,
    server_context,
    unfit,
)

LEAST_TOKEN: Final = 16
"""Characters of a token that nobody guesses."""

WIDEST_NETWORK: Final = 2**24
"""A network of trusted proxies or switches with more addresses than 10.0.0.0/8 has."""


class Finding(NamedTuple):
    """See the module."""

    part: str
    ok: bool
    says: str


def weaknesses(settings: Settings) -> list[Finding]:
    """All findings."""
    return [part(settings) for part in _PARTS]


def _signatures(settings: Settings) -> Finding:
    part = "doors: signatures"
    if settings.twilio_auth_token is not None:
        if settings.public_url is None and not settings.trusted_proxies:
            return Finding(part, True, "asked for, over the URL that requests name themselves")
        return Finding(part, True, "asked for")
    if settings.is_local:
        return Finding(part, True, "not asked for: only this machine reaches the doors")
    return Finding(
        part, False, "anybody who finds the doors can place calls: set TWILIO_AUTH_TOKEN"
    )


def _tls(settings: Settings) -> Finding:
    part = "doors: TLS"
    if settings.tls_certificate is not None and settings.tls_key is not None:
        try:
            server_context(settings.tls_certificate, settings.tls_key)
            wrong = unfit(settings.tls_certificate, time.time(), called(settings))
        except TlsError as error:
            return Finding(part, False, str(error))
        wrong = wrong or key_open_to_others(settings.tls_key)
        return Finding(part, not wrong, wrong or "both doors speak TLS")
    public = urlsplit(settings.public_url) if settings.public_url else None
    if public is not None and not is_loopback(public.hostname or ""):
        if public.scheme in ("http", "ws"):
            return Finding(
                part,
                False,
                "AYBIZA_PUBLIC_URL is not encrypted: everybody on the way hears the calls, and"
                " Twilio connects streams by wss only: make it https://…",
            )
        return Finding(part, True, "ended before the doors, as AYBIZA_PUBLIC_URL says")
    if settings.is_local:
        return Finding(part, True, "none: only this machine reaches the doors")
    return Finding(
        part,
        False,
        "calls cross the network unencrypted: set AYBIZA_TLS_CERTIFICATE and AYBIZA_TLS_KEY, or"
        " have a proxy end TLS and set AYBIZA_PUBLIC_URL",
    )


def _proxies(settings: Settings) -> Finding:
    part = "doors: proxies"
    if too_wide := _too_wide(settings.trusted_proxies):
        return Finding(
            part,
            False,
            f"AYBIZA_TRUSTED_PROXIES: whoever comes from {too_wide} can pass for any address:"
            " name the proxies alone",
        )
    if settings.trusted_proxies:
        return Finding(part, True, f"{', '.join(settings.trusted_proxies)} are believed")
    if is_loopback(settings.bind) and not settings.is_local:
        return Finding(
            part,
            False,
            "requests from outside come through a program on this machine and are counted as one"
            " caller's: set AYBIZA_TRUSTED_PROXIES, such as 127.0.0.1/32",
        )
    return Finding(part, True, "none is believed")


def _rate(settings: Settings) -> Finding:
    part = "doors: rate limit"
    if settings.rate_limit == 0 and not settings.is_local:
        return Finding(part, False, "any number of requests is taken: unset AYBIZA_RATE_LIMIT")
    if settings.rate_limit is None and not settings.is_guarded:
        return Finding(part, True, "none: only this machine reaches the doors")
    where = "by all nodes of REDIS_URL" if settings.redis_url else "by each node for itself"
    return Finding(part, True, f"{settings.rate_limit or 100} a minute of an address, {where}")


def _console(settings: Settings) -> Finding:
    part = "doors: console"
    token = settings.console_token
    if token is None and is_loopback(settings.bind) and not settings.is_local:
        return Finding(
            part,
            True,
            "nobody reads operators' pages: behind a proxy they need AYBIZA_CONSOLE_TOKEN",
        )
    if token is None:
        return Finding(
            part,
            True,
            "operators' pages, with what calls say, are open to whoever is on this machine, and to"
            " nobody else; AYBIZA_CONSOLE_TOKEN closes them",
        )
    if len(token.get_secret_value()) < LEAST_TOKEN:
        return Finding(
            part,
            False,
            f"AYBIZA_CONSOLE_TOKEN can be guessed: take {LEAST_TOKEN} characters or more, such as"
            " the output of: openssl rand -hex 16",
        )
    return Finding(part, True, "operators' pages need the token")


KEYS: Final = {
    "twilio": "TWILIO_AUTH_TOKEN",
    "telnyx": "AYBIZA_TELNYX_PUBLIC_KEY",
    "signalwire": "AYBIZA_SIGNALWIRE_SIGNING_KEY",
}
"""The variable of each carrier's key."""


def _carriers(settings: Settings) -> Finding:
    part = "doors: carriers"
    keys = Rules.of(settings).keys
    without = [name for name in settings.carriers if name in KEYS and name not in keys]
    variables = " and ".join(KEYS[name] for name in without)
    if without and keys:
        says = f"the webhooks of {' and '.join(without)} are refused: set {variables}"
        return Finding(part, False, says)
    others = [name for name in without if name != "twilio"]
    if others and not settings.is_local:
        says = f"the webhooks of {' and '.join(others)} are taken unsigned: set {variables}"
        return Finding(part, False, says)
    return Finding(part, True, ", ".join(settings.carriers))


def _switches(settings: Settings) -> Finding:
    part = "doors: switches"
    if too_wide := _too_wide(settings.switches):
        return Finding(
            part,
            False,
            f"AYBIZA_SWITCHES: whoever comes from {too_wide} can place calls: name the switches"
            " alone",
        )
    comes_without = "freeswitch" in settings.carriers or settings.audio_socket_port is not None
    if comes_without and settings.is_guarded and not settings.switches:
        return Finding(
            part,
            False,
            "FreeSWITCH and Asterisk have no webhook, so no stream of theirs is taken: name them in"
            " AYBIZA_SWITCHES",
        )
    names = ", ".join(settings.switches)
    return Finding(part, True, f"{names} need no token" if names else "none goes without a token")


def _redis(settings: Settings) -> Finding:
    part = "Redis"
    parts = urlsplit(settings.redis_url or "")
    if parts.scheme in ("", "unix") or is_loopback(parts.hostname or ""):
        return Finding(part, True, "on this machine" if parts.scheme else "none")
    if not parts.password:
        return Finding(
            part, False, "REDIS_URL has no password: whoever reaches it can read all of it"
        )
    if parts.scheme == "redis":
        return Finding(
            part, False, "REDIS_URL crosses the network unencrypted, its password too: use rediss:"
        )
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if given.get("ssl_cert_reqs", "required") != "required" or (
        given.get("ssl_check_hostname", "true").lower() not in _TRUE
    ):
        return Finding(
            part,
            False,
            "REDIS_URL has Redis's certificate not checked: leave ssl_cert_reqs out",
        )
    authority = given.get("ssl_ca_certs")
    if authority is not None and not _holds_certificates(authority):
        return Finding(part, False, f"{authority} holds no certificate: no Redis is believed")
    return Finding(part, True, "with a password, over TLS")


_TRUE: Final = ("1", "true", "t", "yes", "y")
"""What a Redis URL means by true."""


def _holds_certificates(path: str) -> bool:
    try:
        return ssl.create_default_context(cafile=path).cert_store_stats()["x509_ca"] > 0
    except (OSError, ValueError):
        return False


def _faults(settings: Settings) -> Finding:
    part = "faults"
    if settings.allow_faults:
        return Finding(
            part,
            False,
            "whoever has the cookie can break calls on purpose: unset AYBIZA_ALLOW_FAULTS where"
            " callers are real",
        )
    return Finding(part, True, "nobody breaks this node on purpose")


def _cookie(settings: Settings) -> Finding:
    part = "cluster cookie"
    if not settings.cookie_file.exists():
        return Finding(part, True, "made at the first start")
    try:
        read_cookie(settings.cookie_file)
    except CookieError as error:
        return Finding(part, False, str(error))
    return Finding(part, True, f"in {settings.cookie_file}, for its owner alone")


_PARTS: Final[tuple[Callable[[Settings], Finding], ...]] = (
    _signatures,
    _tls,
    _proxies,
    _rate,
    _console,
    _carriers,
    _switches,
    _redis,
    _faults,
    _cookie,
)


def _too_wide(networks: tuple[str, ...]) -> str | None:
    for network in map(ipaddress.ip_network, networks):
        if network.version == 4 and network.num_addresses > WIDEST_NETWORK:
            return str(network)
        if network.version == 6 and network.prefixlen < 32:
            return str(network)
    return None
