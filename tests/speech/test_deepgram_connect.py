"""The TLS context of Deepgram's sockets, with the real SDK and a real TLS handshake."""

from __future__ import annotations

import asyncio
import importlib.metadata
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve

from aybiza.speech import deepgram_connect
from aybiza.speech.deepgram_listen import ListenOptions
from aybiza.speech.deepgram_speak import SpeakOptions
from tests.speech.kit import LIMIT, client, within


@asynccontextmanager
async def server(authority: trustme.CA) -> AsyncIterator[str]:
    """A wss server with a certificate of `authority`, which only listens."""

    async def listen(connection: ServerConnection) -> None:
        async for _ in connection:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    async with serve(listen, "localhost", 0, ssl=context) as running:
        yield f"wss://localhost:{next(iter(running.sockets)).getsockname()[1]}"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return authority


async def test_a_socket_opens_without_reading_the_certificates_again(
    trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(trusted) as url:
        warm = await client(url)
        read: list[Any] = []
        monkeypatch.setattr(ssl, "create_default_context", read.append)
        listen = await within(warm.listen(ListenOptions(), "CA1", LIMIT))
        speak = await within(warm.speak(SpeakOptions("aura-2-asteria-en"), "CA1", LIMIT))
        await within(asyncio.gather(listen.close(), speak.close()))
    assert read == []


async def test_a_socket_opens_without_reading_the_package_s_files(
    trusted: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(trusted) as url:
        warm = await client(url)
        monkeypatch.setattr(importlib.metadata, "version", lambda _: pytest.fail("read again"))
        await within((await within(warm.listen(ListenOptions(), "CA1", LIMIT))).close())


def test_a_client_of_another_make_is_left_as_it_is() -> None:
    deepgram_connect.keep_headers(object())


async def test_a_server_that_nobody_vouches_for_is_not_talked_to(trusted: trustme.CA) -> None:
    async with server(trustme.CA()) as url:
        warm = await client(url)
        with pytest.raises(ssl.SSLCertVerificationError):
            await within(warm.listen(ListenOptions(), "CA1", LIMIT))


def test_an_sdk_that_connects_in_another_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepgram_connect, "_CONNECT", "no_such_function")
    with pytest.raises(ImportError, match=r"constraints\.txt"):
        deepgram_connect.replace_connect()
