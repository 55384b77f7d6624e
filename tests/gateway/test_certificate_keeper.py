"""A renewed certificate is shown without a restart, and one that ends is told of."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from aybiza.actors.measures.metrics_actor import MetricsActor, render
from aybiza.actors.names import METRICS
from aybiza.actors.runtime import VM, virtual_time
from aybiza.config.settings import load
from aybiza.gateway.certificate_keeper import (
    LOOK_SECONDS,
    SAID_EVERY_SECONDS,
    CertificateKeeper,
    DoorCertificate,
)
from tests.gateway.admission.certificates import certificate

ENDS = "aybiza_tls_certificate_ends_timestamp_seconds"


def shown_by(context: ssl.SSLContext) -> bytes:
    """The certificate that a client of a server with this context is shown."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        context.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(3):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    found = ends[0].getpeercert(binary_form=True)
    assert found is not None
    return found


def first_of(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(
        path.read_text().partition("-----END")[0] + "-----END CERTIFICATE-----"
    )


@asynccontextmanager
async def keeping(
    folder: Path, **dates: Any
) -> AsyncIterator[tuple[VM, DoorCertificate, list[Any]]]:
    """A keeper of a folder's certificate, and what it logs."""
    made, key = certificate(folder, **dates)
    shown = DoorCertificate.of(
        load({"AYBIZA_TLS_CERTIFICATE": str(made), "AYBIZA_TLS_KEY": str(key)})
    )
    assert shown is not None
    with capture_logs() as logged:
        async with VM() as vm:
            await vm.start(MetricsActor, name=METRICS)
            await vm.start(CertificateKeeper, shown)
            await asyncio.sleep(1)
            yield vm, shown, logged


def newer(*files: Path) -> None:
    """Have files another time than before, however fast the test is."""
    for path in files:
        os.utime(path, (1, 1))


def events(logged: list[Any]) -> list[str]:
    return [each["event"] for each in logged if each["event"].startswith("tls_")]


@virtual_time
async def test_connections_meet_a_renewed_certificate(tmp_path: Path) -> None:
    async with keeping(tmp_path) as (vm, shown, logged):
        before = shown_by(shown.context)
        assert before == first_of(shown.certificate)
        newer(*certificate(tmp_path, ends=datetime(2031, 1, 1)))
        await asyncio.sleep(LOOK_SECONDS + 1)
        assert shown_by(shown.context) == first_of(shown.certificate) != before
        assert events(logged) == ["tls_certificate_taken"]
        assert f"{ENDS} 1.924992e+09" in await render(vm)


@virtual_time
async def test_files_that_cannot_be_used_leave_what_was_shown(tmp_path: Path) -> None:
    async with keeping(tmp_path) as (_, shown, logged):
        before = shown_by(shown.context)
        certificate(tmp_path, "other")
        os.replace(tmp_path / "other.key", shown.key)  # half of a renewal
        await asyncio.sleep(3 * LOOK_SECONDS)
        assert shown_by(shown.context) == before
        assert events(logged) == ["tls_certificate_refused"]
        os.replace(tmp_path / "other.crt", shown.certificate)
        await asyncio.sleep(LOOK_SECONDS + 1)
        assert shown_by(shown.context) == first_of(shown.certificate)
        assert events(logged) == ["tls_certificate_refused", "tls_certificate_taken"]


@virtual_time
async def test_a_certificate_that_is_over_is_told_of_once_a_day(tmp_path: Path) -> None:
    over = {"begins": datetime(2020, 1, 1), "ends": datetime(2021, 1, 1)}
    async with keeping(tmp_path, **over) as (_, shown, logged):
        assert events(logged) == ["tls_certificate_unfit"]
        assert "ended on 2021-01-01" in logged[0]["why"]
        await asyncio.sleep(SAID_EVERY_SECONDS / 2)
        assert len(logged) == 1
        await asyncio.sleep(SAID_EVERY_SECONDS)
        assert events(logged) == ["tls_certificate_unfit"] * 2
        shown.certificate.unlink()
        await asyncio.sleep(LOOK_SECONDS + 1)
        assert events(logged)[2:] == ["tls_certificate_refused"]
