"""Certificates for TLS, made when a test needs one, and a client that says its part by hand."""

from __future__ import annotations

import contextlib
import ssl
from datetime import datetime
from pathlib import Path

import trustme


def certificate(
    folder: Path,
    name: str = "tls",
    host: str = "127.0.0.1",
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> tuple[Path, Path]:
    """Certificate and key for a host; the key is nobody else's to read."""
    made, key = folder / f"{name}.crt", folder / f"{name}.key"
    authority = trustme.CA()
    issued = authority.issue_cert(host, not_before=begins, not_after=ends)
    # With its authority behind it, the one file serves servers and those who trust them.
    issued.cert_chain_pems[0].write_to_path(made)
    authority.cert_pem.write_to_path(made, append=True)
    key.touch(mode=0o600)
    issued.private_key_pem.write_to_path(key)
    return made, key


def hello(tls: ssl.SSLContext) -> tuple[bytes, ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    """What a client says first."""
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls.wrap_bio(coming, going, server_hostname="127.0.0.1")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return going.read(), client, coming, going
