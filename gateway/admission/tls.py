"""TLS of the doors: one certificate for both, read once, when the node starts.

Contract: `server_context` reads the files (so not on a loop that carries calls) and returns a
context for TLS 1.2 and later; `key_open_to_others` says whether the key's file needs closing. A
renewed certificate is taken at the next start of the node.
Errors: `TlsError`, for people; it never shows the key.
Source: Python, ssl: `SSLContext`; Twilio, "TLS": 1.2 and later.
"""

from __future__ import annotations

import ssl
from pathlib import Path


class TlsError(Exception):
    """The certificate cannot be used; the text says which file, why, and what to do."""


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The context of a server that has this certificate, in PEM, with its chain."""
    for what, variable, path in (
        ("certificate", "AYBIZA_TLS_CERTIFICATE", certificate),
        ("key", "AYBIZA_TLS_KEY", key),
    ):
        try:
            text = path.read_bytes()
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
