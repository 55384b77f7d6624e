"""Deepgram: the one client of a process, and the sockets it opens.

`url` is `ws://host:port` or `wss://host` of another server for both directions; None is Deepgram.
Building the SDK's client takes a tenth of a second: `warm` does it in a thread.

Errors: `ImportError` for an SDK that this was not written for; those of
`aybiza.speech.deepgram_socket`. Source: deepgram-sdk, `AsyncDeepgramClient`,
`DeepgramClientEnvironment`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.socket_client import AsyncV1SocketClient as ListenSocket
from deepgram.listen.v2.socket_client import AsyncV2SocketClient as FluxSocket
from deepgram.speak.v1.socket_client import AsyncV1SocketClient as SpeakSocket

from aybiza.speech.deepgram_connect import keep_headers, replace_connect
from aybiza.speech.deepgram_flux import FluxSession
from aybiza.speech.deepgram_listen import ListenOptions, ListenSession
from aybiza.speech.deepgram_socket import check_sdk
from aybiza.speech.deepgram_speak import SpeakOptions, SpeakSession

WARM_SECONDS = 30.0


class Deepgram:
    """See the module. `api_key` is never logged."""

    def __init__(self, *, url: str | None, api_key: str) -> None:
        self._url = str(url).rstrip("/") if url else None
        self._api_key = api_key
        self._client: AsyncDeepgramClient | None = None

    async def warm(self) -> None:
        """Build the client, so that no call waits for it."""
        async with asyncio.timeout(WARM_SECONDS):
            self._client = await asyncio.to_thread(self._build)

    async def turns(self, options: ListenOptions, call_id: str, timeout: float) -> FluxSession:
        """Open a listen socket for a `flux-` model within `timeout` seconds."""
        return await FluxSession.open(self._built(), options, call_id, timeout)

    async def listen(self, options: ListenOptions, call_id: str, timeout: float) -> ListenSession:
        """Open a listen socket for any other model within `timeout` seconds."""
        return await ListenSession.open(self._built(), options, call_id, timeout)

    async def speak(self, options: SpeakOptions, call_id: str, timeout: float) -> SpeakSession:
        """Open a speak socket within `timeout` seconds."""
        return await SpeakSession.open(self._built(), options, call_id, timeout)

    def _built(self) -> AsyncDeepgramClient:
        if self._client is None:
            self._client = self._build()
        return self._client

    def _build(self) -> AsyncDeepgramClient:
        check_sdk(ListenSocket, FluxSocket, SpeakSocket)
        replace_connect()
        arguments: dict[str, Any] = {"api_key": self._api_key or "unset"}
        if self._url is not None:
            http = self._url.replace("ws", "http", 1)
            arguments["environment"] = DeepgramClientEnvironment(
                base=http, production=self._url, agent=self._url, agent_rest=http
            )
        client = AsyncDeepgramClient(**arguments)
        keep_headers(client)
        return client
