"""The secret between two nodes on one connection: who may begin, and TLS 1.3 from then on. Pure.

    knock = 16 random bytes | HMAC-SHA256 of them under the cookie
    knock | TLS 1.3, both ends with a certificate

A stranger gets nothing: the listener says its first word, which is TLS's, to who has knocked with
the cookie. So nobody gets from it what guesses of the cookie could be tested with. Who shows a
recorded knock comes no further than the handshake, which is made of fresh numbers.

The certificate is made out of the cookie, so that it is the same on all nodes: each takes what it
would show itself. Or it is the operator's own (`OwnCertificate`), and each takes what their
authority has signed; the knock is the cookie's all the same. Of two cookies
(`aybiza.actors.node.cookie`) the first one is shown; who shows either is taken.

A `Channel` is one end of a connection: bytes of the wire in, what they say out, no I/O. Errors:
`ChannelFailed`.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from aybiza.actors.node.cookie import lines
from aybiza.actors.node.messages import OwnCertificate

NONCE_BYTES = 16
KNOCK_BYTES = NONCE_BYTES + 32
READ_BYTES = 256 * 1024
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_OUT_OF_DATE = (9, 10)


class ChannelFailed(Exception):
    """The other end is none of ours, or does not speak as we do; the message is for people."""


class OutOfDate(ChannelFailed):
    """The certificate that was shown is over, or not yet good."""


class Secrets:
    """What a node proves itself with, and takes as proof; made once."""

    def __init__(self, cookie: bytes, own: OwnCertificate | None = None) -> None:
        """Raises OSError, `ssl.SSLError` or ValueError for files that cannot be used."""
        cookies = lines(cookie)
        self._keys = [_derived(b"knock", each) for each in cookies]
        if own is None:
            made = [_made_certificate(_derived(b"certificate", each)) for each in cookies]
        else:
            made = [_read(own)] * len(cookies)
        self._servers = [_context(each, server=True) for each in made]
        self._client = _context(made[0], server=False)

    def try_out(self) -> None:
        """Shake hands with ourselves; raises ChannelFailed if no node would take what we show."""
        dialling, answering = self.dial(), Channel(self._servers[0], server=True)
        dialling.feed(b"")
        answering.feed(dialling.take())
        dialling.feed(answering.take())
        answering.feed(dialling.take())

    def knock(self) -> bytes:
        """What a connection begins with."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + hmac.digest(self._keys[0], nonce, "sha256")

    def dial(self) -> Channel:
        """The end that has knocked."""
        return Channel(self._client, server=False)

    def answer(self, knock: bytes) -> Channel | None:
        """The end at which somebody has knocked; None for a stranger."""
        nonce, proof = knock[:NONCE_BYTES], knock[NONCE_BYTES:]
        for key, context in zip(self._keys, self._servers, strict=True):
            if hmac.compare_digest(proof, hmac.digest(key, nonce, "sha256")):
                return Channel(context, server=True)
        return None


class Channel:
    """One end of a connection, behind the knock. `open`: both have shown who they are."""

    def __init__(self, context: ssl.SSLContext, *, server: bool) -> None:
        self.open = False
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=server)

    def feed(self, data: bytes) -> bytes:
        """What bytes of the wire say; raises ChannelFailed."""
        said = []
        self._in.write(data)
        try:
            if not self.open:
                self._tls.do_handshake()
                self.open = True
            while piece := self._tls.read(READ_BYTES):
                said.append(piece)
                # To ask once more costs as much again: OpenSSL answers by an exception.
                if not self._in.pending and not self._tls.pending():
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            kind = OutOfDate if error.verify_code in _OUT_OF_DATE else ChannelFailed
            raise kind(f"TLS: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise ChannelFailed(f"TLS: {error.reason or error}") from None
        return said[0] if len(said) == 1 else b"".join(said)

    def seal(self, data: bytes | memoryview) -> None:
        """Say something; only when open."""
        self._tls.write(data)

    def take(self) -> bytes:
        """The bytes that are to go on the wire now."""
        return self._out.read()


def _derived(purpose: bytes, cookie: bytes) -> bytes:
    return hashlib.sha256(b"aybiza cluster " + purpose + b" 1\0" + cookie).digest()


@dataclass(frozen=True)
class _Shown:
    """PEM: our certificate with its key, and the one that must have signed the other's."""

    chain: bytes
    trusted: str


def _made_certificate(seed: bytes) -> _Shown:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "aybiza cluster")])
    # Nothing in it may differ from node to node, and no clock may part them.
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2000, 1, 1))
        .not_valid_after(datetime.datetime(9999, 12, 31))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
        .public_bytes(Encoding.PEM)
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return _Shown(certificate + private, certificate.decode())


def _read(own: OwnCertificate) -> _Shown:
    chain = own.certificate.read_bytes() + b"\n" + own.key.read_bytes()
    return _Shown(chain, own.authority.read_text())


def _ask_nobody() -> str:
    raise ValueError("its key is encrypted, and nobody is there to type the pass phrase")


def _context(shown: _Shown, *, server: bool) -> ssl.SSLContext:
    protocol = ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # a node is who has the cookie, whatever its name
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=shown.trusted)
    if server:
        context.num_tickets = 0
    # OpenSSL reads a file; this one is on no disk.
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, shown.chain)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_ask_nobody)
    finally:
        os.close(descriptor)
    return context
