"""`PhraseKeeper`: the agents' fixed phrases, synthesised ahead of need and kept on disk.

    child(PhraseKeeper, agents, deepgram, folder, name=names.PHRASES)

`agents()` are those who answer calls now; cast `"fill"` when they have changed. Of more phrases
than are kept those come first that are needed most: each agent's greeting, filler and last words.

When it starts it reads what was kept, and has what is missing synthesised, on one socket, one
phrase at a time; while something is missing it tries again after `RETRY_SECONDS`, and ever more
seldom. It writes down what calls have kept (cast `Phrase`). All of it happens in tasks: nobody
waits for it, and what fails is logged and tried again.

Errors: none reach a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from aybiza.actors.call import kept_phrases
from aybiza.actors.call.speaker_voice import Session, Speaks
from aybiza.actors.runtime import NORMAL, Continue, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.config.agents import Agent
from aybiza.config.others import is_elevenlabs
from aybiza.speech import phrase_files
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.deepgram_speak import Audio, Flushed, SpeakOptions
from aybiza.speech.elevenlabs import ElevenLabs
from aybiza.speech.errors import SpeechClosed, SpeechRefused
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

    async def init(
        self,
        agents: Callable[[], Iterable[Agent]],
        deepgram: Deepgram,
        folder: Path | None,
        elevenlabs: ElevenLabs | None = None,
    ) -> Continue:
        self._agents = agents
        self._deepgram = deepgram
        self._elevenlabs = elevenlabs
        self._folder = folder
        self._filler: Pid | None = None
        self._changed = False
        self._writer: Pid | None = None
        self._unwritten: dict[Phrase, None] = {}
        self._retry = RETRY_SECONDS
        return Continue("read")

    async def handle_continue(self, value: Any) -> None:
        self._filler = Task.start(self.vm, self._fill, True).pid

    async def handle_cast(self, request: Any) -> None:
        if request == "fill":
            self._changed = self._filler is not None
            self._fill_next()
        if isinstance(request, Phrase) and self._folder and len(self._unwritten) < PHRASES:
            self._unwritten[request] = None
            self._write_next()

    async def handle_info(self, message: Any) -> None:
        match message:
            case "fill":
                self._fill_next()
            case Exit(pid, reason) if pid == self._filler:
                self._filler = None
                if self._changed:
                    self._changed = False
                    self._fill_next()
                    return
                if reason != NORMAL:
                    log.warning("phrases_missing", missing=len(self._missing()), reason=str(reason))
                    self.send_after("fill", self._retry)
                    self._retry = min(self._retry * 2, MOST_RETRY_SECONDS)
            case Exit(pid, reason) if pid == self._writer:
                self._writer = None
                if reason != NORMAL:
                    log.warning("phrase_not_written", folder=str(self._folder), reason=str(reason))
                self._write_next()

    def _fill_next(self) -> None:
        if self._filler is None:
            self._filler = Task.start(self.vm, self._fill, False).pid

    def _missing(self) -> dict[Phrase, str]:
        """What is not kept, and the language that it is in."""
        phrases = kept_phrases.table(self.vm)
        agents = [who.speaking(tag) for who in self._agents() for tag in who.languages or ("",)]
        wanted: dict[Phrase, str] = {}
        for texts in (_needed_most, lambda agent: sorted(kept_phrases.fixed(agent))):
            for agent in agents:
                recorded = {prompt.text for prompt in agent.prompts.values()}
                said = (text for text in texts(agent) if text not in recorded)
                wanted |= {Phrase(agent.voice, text): agent.language for text in said}
        first = list(wanted.items())[:PHRASES]
        return {phrase: tag for phrase, tag in first if phrases.get(*phrase) is None}

    async def _fill(self, read: bool) -> None:
        """Have everything kept, or end with why not."""
        if read and self._folder is not None:
            table = kept_phrases.table(self.vm)
            for (voice, text), mulaw in await self.vm.run_blocking(phrase_files.read, self._folder):
                table.keep(voice, text, mulaw)
        missing = self._missing()
        if not missing:
            return
        voices = dict.fromkeys(phrase.voice for phrase in missing)
        try:
            for voice in voices:
                await self._speak(voice, {p.text: missing[p] for p in missing if p.voice == voice})
        except (SpeechRefused, SpeechClosed, OSError, TimeoutError) as error:
            raise Stop(Shutdown(str(error) or "no audio in time")) from None

    async def _speak(self, voice: str, languages: dict[str, str]) -> None:
        """Have the texts said in this voice, each in its language, and keep them."""
        other = self._elevenlabs if is_elevenlabs(voice) else None
        service: Speaks = self._deepgram if other is None else other
        session = await service.speak(SpeakOptions(voice), "phrases", CONNECT_SECONDS)
        events = aiter(session)
        try:
            for text, language in languages.items():
                mulaw = await self._synthesised(session, events, spoken(text, language))
                kept_phrases.keep(self.vm, voice, text, mulaw)
        finally:
            await session.close()

    async def _synthesised(self, session: Session, events: AsyncIterator[Any], words: str) -> bytes:
        if not words:
            return b""
        mulaw = bytearray()
        async with asyncio.timeout(PHRASE_SECONDS):
            await session.speak(words)
            await session.flush()
            async for event in events:
                if isinstance(event, Flushed):
                    break
                if isinstance(event, Audio) and len(mulaw) <= PHRASE_BYTES:
                    mulaw += event.mulaw
        return bytes(mulaw)

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


def _needed_most(agent: Agent) -> tuple[str, ...]:
    return (*kept_phrases.opening(agent)[:1], agent.filler, agent.closing, agent.error)
