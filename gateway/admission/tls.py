"""TLS of the doors: one certificate for both, and what may be wrong with it.

Contract: `server_context` reads the files (so not on a loop that carries calls) and returns a
context for TLS 1.2 and later; `take_anew` has a context show what the files hold by now, from the
next connection on; `unfit` says what callers' carriers would not take, `last_second` until when the
certificate is good, `key_open_to_others` whether the key's file needs closing.
Errors: `TlsError`, for people; it never shows the key.
Source: Python, ssl: `SSLContext`; RFC 6125, names in certificates; Twilio, "TLS": 1.2 and later.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from aybiza.config.settings import Settings
from aybiza.config.text_file import MOST_BYTES, bytes_of

SOON_SECONDS: Final = 14 * 86_400
"""A certificate that ends within two weeks should have been renewed by now."""


class TlsError(Exception):
    """The certificate cannot be used; the text says which file, why, and what to do."""

    for_people = True


def take_anew(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Have connections from now on meet what the files hold; they are tried before."""
    server_context(certificate, key)
    context.load_cert_chain(certificate, key, password=_no_password)


def last_second(certificate: Path) -> float:
    """The Unix time at which the file's first certificate ends."""
    return _first(certificate).not_valid_after_utc.timestamp()


def unfit(certificate: Path, now: float, host: str | None = None) -> str | None:
    """Why callers' carriers do not take the certificate, or soon will not; `None` if they do.

    `now`: Unix seconds. `host`: the name that they call; `None` where that is not known.
    """
    read = _first(certificate)
    begins, ends = read.not_valid_before_utc, read.not_valid_after_utc
    today = datetime.fromtimestamp(now, UTC)
    if today > ends:
        return f"{certificate} ended on {ends:%Y-%m-%d}, and carriers refuse it: renew it"
    if today < begins:
        return (
            f"{certificate} is not good before {begins:%Y-%m-%d}, and carriers refuse it:"
            " look at this machine's clock, or take another"
        )
    names = _names(read)
    if host is not None and not any(_means(name, host) for name in names):
        told = ", ".join(names) or "no name"
        return (
            f"{certificate} is for {told}, and AYBIZA_PUBLIC_URL for {host}: carriers refuse it;"
            f" take one that names {host}"
        )
    if (ends - today).total_seconds() < SOON_SECONDS:
        return f"{certificate} ends on {ends:%Y-%m-%d}: renew it"
    return None


def called(settings: Settings) -> str | None:
    """The name that carriers call the doors by; `None` where they call a proxy in their place."""
    if settings.public_url is None or settings.trusted_proxies:
        return None
    return urlsplit(settings.public_url).hostname


def _first(certificate: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(bytes_of(certificate, MOST_BYTES))[0]
    except OSError as error:
        raise TlsError(
            f"AYBIZA_TLS_CERTIFICATE: {certificate} cannot be read: {error.strerror}"
        ) from None
    except ValueError:
        raise TlsError(f"AYBIZA_TLS_CERTIFICATE: {certificate} holds no certificate") from None


def _names(read: x509.Certificate) -> list[str]:
    """The hosts and addresses that a certificate is for; its common name counts no more."""
    try:
        of = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = of.get_values_for_type(x509.IPAddress)
    return [*of.get_values_for_type(x509.DNSName), *map(str, addresses)]


def _means(name: str, host: str) -> bool:
    """Whether a certificate's name stands for a host; `*` for one whole label.

    >>> _means("*.example.org", "calls.example.org"), _means("*.example.org", "example.org")
    (True, False)
    """
    name, host = name.lower(), host.lower()
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name == host


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The context of a server that has this certificate, in PEM, with its chain."""
    for what, variable, path in (
        ("certificate", "AYBIZA_TLS_CERTIFICATE", certificate),
        ("key", "AYBIZA_TLS_KEY", key),
    ):
        try:
            text = bytes_of(path, MOST_BYTES)
        except OSError as error:
            raise TlsError(f"{variable}: {path} cannot be read: {error.strerror}") from None
        if b"-----BEGIN " not in text:
            raise TlsError(f"{variable}: {path} holds no {what} in PEM (-----BEGIN …)")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = f"the key in {key} is not the one of the certificate in {certificate}"
        else:
            why = f"{certificate} and {key} do not hold a certificate and its key"
        raise TlsError(f"AYBIZA_TLS_CERTIFICATE, AYBIZA_TLS_KEY: {why}") from None
    except _Encrypted:
        raise TlsError(
            f"AYBIZA_TLS_KEY: {key} is encrypted; a node starts without anybody to ask: take the"
            " password off (openssl pkey -in … -out …) and close the file (chmod 600)"
        ) from None
    return context


def key_open_to_others(key: Path) -> str | None:
    """What to do about the mode of the key's file, if anybody else may read it."""
    try:
        mode = key.stat().st_mode & 0o777
    except OSError:
        return None
    if mode & 0o007 == 0:
        return None
    return f"{key} may be read by everybody (mode {mode:04o}); close it with: chmod 600 {key}"


class _Encrypted(Exception):
    pass


def _no_password() -> str:
    raise _Encrypted
