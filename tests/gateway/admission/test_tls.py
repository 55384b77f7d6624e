"""The doors' certificate: TLS 1.2 and later, and files that cannot be used are told in words."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aybiza.config.settings import load
from aybiza.gateway.admission.tls import (
    TlsError,
    called,
    key_open_to_others,
    last_second,
    server_context,
    unfit,
)
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


NOW = datetime(2026, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("host", "begins", "ends", "called_by", "told"),
    [
        ("calls.example.org", 2025, 2027, "calls.example.org", None),
        ("calls.example.org", 2025, 2027, None, None),
        ("*.example.org", 2025, 2027, "Calls.Example.org", None),
        ("*.example.org", 2025, 2027, "a.calls.example.org", "is for *.example.org, and"),
        ("calls.example.org", 2025, 2027, "example.org", "AYBIZA_PUBLIC_URL for example.org"),
        ("calls.example.org", 2020, 2021, "calls.example.org", "ended on 2021-01-01"),
        ("calls.example.org", 2030, 2031, "calls.example.org", "is not good before 2030-01-01"),
    ],
)
def test_what_carriers_do_not_take_is_told_with_what_to_do(
    tmp_path: Path, host: str, begins: int, ends: int, called_by: str | None, told: str | None
) -> None:
    made, _ = certificate(
        tmp_path, host=host, begins=datetime(begins, 1, 1), ends=datetime(ends, 1, 1)
    )
    found = unfit(made, NOW.timestamp(), called_by)
    assert found is None if told is None else told in str(found)


def test_a_certificate_that_ends_within_two_weeks_is_told(tmp_path: Path) -> None:
    made, _ = certificate(tmp_path, ends=datetime(2026, 6, 28))
    assert unfit(made, NOW.timestamp()) == f"{made} ends on 2026-06-28: renew it"
    assert unfit(made, NOW.timestamp() - 2 * 86_400) is None
    assert last_second(made) == datetime(2026, 6, 28, tzinfo=UTC).timestamp()


def test_carriers_call_the_public_name_unless_a_proxy_stands_there() -> None:
    public = {"AYBIZA_PUBLIC_URL": "https://calls.example.org"}
    assert called(load(public)) == "calls.example.org"
    assert called(load({**public, "AYBIZA_TRUSTED_PROXIES": "10.0.0.1/32"})) is None
    assert called(load({})) is None
