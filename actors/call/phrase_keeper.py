"""`PhraseKeeper`: the agent's fixed phrases, synthesised ahead of need and kept on disk.

    child(PhraseKeeper, agent, deepgram, folder, name=names.PHRASES)

When it starts it reads what was kept, and has what is missing synthesised, on one socket, one
phrase at a time; while something is missing it tries again after `RETRY_SECONDS`, and ever more
seldom. It writes down what calls have kept (cast `Phrase`). All of it happens in tasks: nobody
waits for it, and what fails is logged and tried again.

Errors: none reach a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog

from aybiza.actors.call import kept_phrases
from aybiza.actors.runtime import NORMAL, Continue, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.config.agents import Agent
from aybiza.speech import phrase_files
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.deepgram_socket import DeepgramClosed, DeepgramRefused
from aybiza.speech.deepgram_speak import Audio, Flushed, SpeakOptions, SpeakSession
from aybiza.speech.phrases import PHRASE_BYTES, PHRASES, Phrase
from aybiza.speech.spoken_text import spoken

CONNECT_SECONDS = 5.0
# For one phrase, from its text to its last audio.
PHRASE_SECONDS = 15.0
RETRY_SECONDS = 60.0
MOST_RETRY_SECONDS = 900.0

log = structlog.get_logger(__name__)


class PhraseKeeper(GenServer):
    """See the module. `folder` is None where nothing is kept on disk."""

    traps_exits = True

    async def init(self, agent: Agent, deepgram: Deepgram, folder: Path | None) -> Continue:
        self._agent = agent
        self._deepgram = deepgram
        self._folder = folder
        self._filler: Pid | None = None
        self._writer: Pid | None = None
        self._unwritten: dict[Phrase, None] = {}
        self._retry = RETRY_SECONDS
        return Continue("read")

    async def handle_continue(self, value: Any) -> None:
        self._filler = Task.start(self.vm, self._fill, True).pid

    async def handle_cast(self, request: Any) -> None:
        if isinstance(request, Phrase) and self._folder and len(self._unwritten) < PHRASES:
            self._unwritten[request] = None
            self._write_next()

    async def handle_info(self, message: Any) -> None:
        match message:
            case "fill":
                self._filler = Task.start(self.vm, self._fill, False).pid
            case Exit(pid, reason) if pid == self._filler:
                self._filler = None
                if reason != NORMAL:
                    log.warning("phrases_missing", missing=len(self._missing()), reason=str(reason))
                    self.send_after("fill", self._retry)
                    self._retry = min(self._retry * 2, MOST_RETRY_SECONDS)
            case Exit(pid, reason) if pid == self._writer:
                self._writer = None
                if reason != NORMAL:
                    log.warning("phrase_not_written", folder=str(self._folder), reason=str(reason))
                self._write_next()

    def _missing(self) -> list[str]:
        phrases, voice = kept_phrases.table(self.vm), self._agent.voice
        fixed = sorted(kept_phrases.fixed(self._agent))
        return [text for text in fixed if phrases.get(voice, text) is None]

    async def _fill(self, read: bool) -> None:
        """Have everything kept, or end with why not."""
        if read and self._folder is not None:
            table = kept_phrases.table(self.vm)
            for (voice, text), mulaw in await self.vm.run_blocking(phrase_files.read, self._folder):
                table.keep(voice, text, mulaw)
        missing = self._missing()
        if not missing:
            return
        options = SpeakOptions(self._agent.voice)
        try:
            session = await self._deepgram.speak(options, "phrases", CONNECT_SECONDS)
            events = aiter(session)
            try:
                for text in missing:
                    await self._synthesise(session, events, text)
            finally:
                await session.close()
        except (DeepgramRefused, DeepgramClosed, OSError, TimeoutError) as error:
            raise Stop(Shutdown(str(error) or "no audio in time")) from None

    async def _synthesise(
        self, session: SpeakSession, events: AsyncIterator[Any], text: str
    ) -> None:
        words = spoken(text, self._agent.language)
        if not words:
            return
        mulaw = bytearray()
        async with asyncio.timeout(PHRASE_SECONDS):
            await session.speak(words)
            await session.flush()
            async for event in events:
                if isinstance(event, Flushed):
                    break
                if isinstance(event, Audio) and len(mulaw) <= PHRASE_BYTES:
                    mulaw += event.mulaw
        kept_phrases.keep(self.vm, self._agent.voice, text, bytes(mulaw))

    def _write_next(self) -> None:
        if self._writer is None and self._unwritten:
            phrase = next(iter(self._unwritten))
            del self._unwritten[phrase]
            self._writer = Task.start(self.vm, self._write, phrase).pid

    async def _write(self, phrase: Phrase) -> None:
        mulaw = kept_phrases.get(self.vm, phrase.voice, phrase.text)
        if mulaw is None or self._folder is None:
            return
        try:
            await self.vm.run_blocking(phrase_files.write, self._folder, phrase, mulaw)
        except OSError as error:
            raise Stop(Shutdown(str(error))) from None
