"""The doors' certificate: TLS 1.2 and later, and files that cannot be used are told in words."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from aybiza.gateway.admission.tls import TlsError, key_open_to_others, server_context
from tests.gateway.admission.certificates import certificate


def test_a_certificate_and_its_key_serve_tls_1_2_and_later(tmp_path: Path) -> None:
    context = server_context(*certificate(tmp_path))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.protocol is ssl.PROTOCOL_TLS_SERVER


def test_files_that_cannot_be_used_are_told_with_what_is_wrong(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    _, other = certificate(tmp_path, "other")
    missing, text = tmp_path / "missing", tmp_path / "text"
    text.write_text("not a certificate")
    broken = tmp_path / "broken"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for files, message in (
        ((missing, key), f"AYBIZA_TLS_CERTIFICATE: {missing} cannot be read: No such file"),
        ((made, tmp_path), f"AYBIZA_TLS_KEY: {tmp_path} cannot be read: Is a directory"),
        ((text, key), f"AYBIZA_TLS_CERTIFICATE: {text} holds no certificate in PEM"),
        ((made, text), f"AYBIZA_TLS_KEY: {text} holds no key in PEM"),
        ((made, other), f"the key in {other} is not the one of the certificate in {made}"),
        ((broken, key), "do not hold a certificate and its key"),
    ):
        with pytest.raises(TlsError) as caught:
            server_context(*files)
        assert message in str(caught.value)


def test_an_encrypted_key_is_told_and_asks_nobody(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    locked = tmp_path / "locked.key"
    command = ["openssl", "pkey", "-in", str(key), "-aes256", "-passout", "pass:s3cret"]
    subprocess.run([*command, "-out", str(locked)], check=True, capture_output=True, timeout=30)
    with pytest.raises(TlsError, match=r"locked.key is encrypted; .*chmod 600"):
        server_context(made, locked)


def test_a_key_that_everybody_may_read_is_told_with_what_to_do(tmp_path: Path) -> None:
    _, key = certificate(tmp_path)
    assert key_open_to_others(key) is None
    key.chmod(0o640)
    assert key_open_to_others(key) is None
    key.chmod(0o644)
    assert key_open_to_others(key) == (
        f"{key} may be read by everybody (mode 0644); close it with: chmod 600 {key}"
    )
