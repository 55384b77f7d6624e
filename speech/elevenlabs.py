"""ElevenLabs: speech over HTTP, behind the interface of a speak socket (`deepgram_speak`).

    eleven = ElevenLabs(api_key=key)
    session = await eleven.speak(SpeakOptions("elevenlabs:JBFqnCBsd6RMkjVDRZzb"), call_id, 5.0)
    await session.speak("Hello."); await session.flush()
    async for event in session: …            Audio, …, Flushed

A flush is one request, whose audio (mu-law, 8000 Hz) is streamed as it is made: the service's own
advice where a text is there as a whole, and a request has no time of inactivity after which it
ends, as its websocket has. `clear` gives the request under way up. Connections are kept.

Errors: `SpeechRefused` for a status that is no fault of the text's, and for an answer that is text
(a proxy's page would be heard as noise); `SpeechClosed` for a status that may be the text's fault,
and for a broken connection; both from iterating. Nothing that was said is in them.
Source: ElevenLabs, "Stream speech" (`POST /v1/text-to-speech/{voice_id}/stream`), errors.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx

from aybiza.config.asked_waits import asked_wait
from aybiza.config.others import elevenlabs_voice
from aybiza.config.plain_answers import PLAIN, pieces
from aybiza.speech.deepgram_speak import Audio, Cleared, Flushed, SpeakEvent, SpeakOptions
from aybiza.speech.errors import SpeechClosed, SpeechRefused

ELEVENLABS_URL: Final = "https://api.elevenlabs.io"
MODEL: Final = "eleven_flash_v2_5"
OUTPUT: Final = "ulaw_8000"
CONNECT_SECONDS: Final = 2.0
REQUEST_SECONDS: Final = 30.0
"""For the audio of one flush: some 25 seconds of speech, which come faster than they are heard."""
WARM_SECONDS: Final = 30.0
ERROR_BYTES: Final = 16 * 1024
EVENTS: Final = 256
"""Pieces that have come and were not taken; the service waits then."""

_HINTS: Final[Mapping[str, str]] = {
    "invalid_api_key": "the API key is not accepted: check ELEVENLABS_API_KEY",
    "missing_permissions": "the API key may not speak",
    "quota_exceeded": "the account has no credit left",
    "too_many_concurrent_requests": "too many requests of this account at a time",
    "system_busy": "the service is busy",
    "voice_not_found": "there is no such voice: check the agent's voice",
    "model_not_found": "there is no such model: check the agent's voice",
    "output_format_not_allowed": "the account may not have telephone audio (ulaw_8000)",
}
_OF_STATUS: Final[Mapping[int, str]] = {
    401: "the API key is not accepted: check ELEVENLABS_API_KEY",
    403: "the API key may not use this voice",
    404: "there is no such voice, or no such address: check ELEVENLABS_URL",
    429: "too many requests of this account",
}
_NO_AUDIO: Final = re.compile(r"\s*(?:text/|application/(?:\w+\+)?(?:json|xml))", re.I)
_ABOUT_THE_TEXT: Final = (400, 413, 422)


class ElevenLabs:
    """See the module; for one event loop. `api_key` is never logged. `pool_size`: requests at a
    time. `transport`: another one than the network."""

    def __init__(
        self,
        url: str = ELEVENLABS_URL,
        api_key: str = "",
        *,
        pool_size: int = 10,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._pool_size = pool_size
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    async def warm(self) -> None:
        """Build the client, which reads certificates, so that no call waits for it."""
        async with asyncio.timeout(WARM_SECONDS):
            self._http = await asyncio.to_thread(self._built)

    async def speak(self, options: SpeakOptions, call_id: str, timeout: float) -> ElevenLabsSession:
        """A session; nothing is asked of the service before the first flush."""
        self._http = self._http or self._built()
        voice, model = elevenlabs_voice(options.model)
        url = f"{self._url}/v1/text-to-speech/{voice}/stream?output_format={OUTPUT}"
        return ElevenLabsSession(self._http, url, model or MODEL)

    async def aclose(self) -> None:
        """Give all connections up. Idempotent."""
        if self._http is not None:
            await self._http.aclose()

    def _built(self) -> httpx.AsyncClient:
        size = self._pool_size
        return httpx.AsyncClient(
            headers={"xi-api-key": self._api_key, "content-type": "application/json", **PLAIN},
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS, pool=0.5),
            limits=httpx.Limits(max_connections=size, max_keepalive_connections=size),
            transport=self._transport,
            trust_env=self._transport is None,
        )


class ElevenLabsSession:
    """See the module. For one consumer."""

    def __init__(self, http: httpx.AsyncClient, url: str, model: str) -> None:
        self._http = http
        self._url = url
        self._model = model
        self._texts: list[str] = []
        self._waiting: deque[str] = deque()
        self._events: asyncio.Queue[SpeakEvent | Exception] = asyncio.Queue(EVENTS)
        self._asking: asyncio.Task[None] | None = None
        self._given_up: set[asyncio.Task[None]] = set()
        self._flushed = self._cleared = 0

    async def speak(self, text: str) -> None:
        """Give text to be spoken."""
        self._texts.append(text.strip())

    async def flush(self) -> None:
        """Have all text so far spoken now; answered by `Flushed`."""
        self._waiting.append(" ".join(filter(None, self._texts)))
        self._texts.clear()
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    async def clear(self) -> None:
        """Drop what was not spoken yet; answered by `Cleared`."""
        self._give_up()
        self._cleared += 1
        self._events.put_nowait(Cleared(self._cleared))

    async def close(self) -> None:
        """End the session; idempotent."""
        self._give_up()
        if self._given_up:
            await asyncio.wait(self._given_up, timeout=1.0)

    async def __aiter__(self) -> AsyncIterator[SpeakEvent]:
        while True:
            # Bounded by the session's own end: whoever iterates is ended with it.
            event = await self._events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    def _give_up(self) -> None:
        self._texts.clear()
        self._waiting.clear()
        while not self._events.empty():
            self._events.get_nowait()
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
            self._given_up.add(asking)
            asking.add_done_callback(self._given_up.discard)

    async def _ask(self) -> None:
        """Have everything that waits said, one after the other."""
        try:
            while self._waiting:
                text = self._waiting.popleft()
                if text:
                    async with asyncio.timeout(REQUEST_SECONDS):
                        await self._say(text)
                self._flushed += 1
                await self._events.put(Flushed(self._flushed))
            self._asking = None
        except (SpeechRefused, SpeechClosed) as error:
            await self._events.put(error)
        except TimeoutError:
            await self._events.put(_closed(f"not said within {REQUEST_SECONDS:g} s"))
        except httpx.HTTPError as error:
            await self._events.put(_closed(type(error).__name__))

    async def _say(self, text: str) -> None:
        body = json.dumps({"text": text, "model_id": self._model}).encode()
        async with self._http.stream("POST", self._url, content=body) as response:
            if response.status_code != httpx.codes.OK:
                raise await _refusal(response)
            if _NO_AUDIO.match(kind := response.headers.get("content-type", "")):
                told = f"ElevenLabs answered with {kind.partition(';')[0][:40]} in place of audio"
                raise SpeechRefused(response.status_code, told)
            async for piece in pieces(response):
                await self._events.put(Audio(piece))


async def _refusal(response: httpx.Response) -> SpeechRefused | SpeechClosed:
    body = b""
    async for piece in pieces(response):
        body += piece
        if len(body) > ERROR_BYTES:
            break
    status, code = response.status_code, code_of(body)
    hint = _HINTS.get(code) or _OF_STATUS.get(status) or "see ElevenLabs' status page"
    told = f"ElevenLabs refused to speak with status {status}: {hint}"
    if status in _ABOUT_THE_TEXT and code not in _HINTS:
        return SpeechClosed(status, hint, told)
    return SpeechRefused(status, told, asked_wait(response.headers))


def code_of(body: bytes) -> str:
    """What the service calls an error, "" if it does not say.

    >>> code_of(b'{"detail": {"status": "quota_exceeded", "message": "no"}}')
    'quota_exceeded'
    """
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    detail = answer.get("detail") if isinstance(answer, Mapping) else None
    code = detail.get("status") if isinstance(detail, Mapping) else None
    return code if isinstance(code, str) else ""


def _closed(reason: str) -> SpeechClosed:
    return SpeechClosed(1006, reason, f"ElevenLabs broke off: {reason}")
