"""VoiceTrials: finds out whether a voice that gave way speaks again, where no caller hears it.

    child(VoiceTrials, deepgram, elevenlabs, name=names.VOICE_TRIALS)
    cast `Missed(voice)`             a call speaks with its second voice in place of this one
    publishes `Back(voice)`          to the topic `TOPIC`: it has said a word whole, in time

A voice that is missed has a word to say after `FIRST_SECONDS`, and then twice as long after each
trial that failed, `MOST_SECONDS` at most, until it has said it: nothing of that is heard, and no
caller waits for it. It goes by the breaker of its provider, whose half-open trial this is: one
that has asked to be left alone is. So calls go back to a first voice, and new ones begin with it,
without any of them trying it. A trial is of six characters, at the account's cost and on no bill.

Errors: none reach a call. Source: Bedrock guide, section 5 (`CircuitBreaker`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import structlog

from aybiza.actors import names
from aybiza.actors.call.speaker_voice import (
    BREAKERS,
    TRIAL_TOPIC,
    Back,
    Missed,
    Speaks,
)
from aybiza.actors.registry_actor import publish
from aybiza.actors.runtime import NORMAL, CallExit, Exit, GenServer, Pid, Shutdown, Stop, Task
from aybiza.config.others import is_elevenlabs
from aybiza.speech.deepgram_speak import Audio, Flushed, SpeakOptions
from aybiza.speech.errors import SpeechClosed, SpeechRefused
from aybiza.speech.voices import provider_of

WORD: Final = "Hello."
FIRST_SECONDS: Final = 10.0
MOST_SECONDS: Final = 300.0
CONNECT_SECONDS: Final = 2.0
IN_TIME_SECONDS: Final = 1.5
"""By then a voice has begun to speak, or it is as slow as one that is left."""
WHOLE_SECONDS: Final = 5.0
ASK_SECONDS: Final = 0.5
MOST_VOICES: Final = 64

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Try:
    """It is time for a trial of this voice."""

    voice: str


class VoiceTrials(GenServer):
    """See the module. `elevenlabs`: None, nobody has its voices."""

    traps_exits = True

    async def init(self, deepgram: Speaks, elevenlabs: Speaks | None) -> None:
        self._deepgram = deepgram
        self._elevenlabs = elevenlabs
        self._waits: dict[str, float] = {}
        """Voices that are missed, and how long the next trial is waited for."""
        self._trials: dict[Pid, str] = {}

    def get_state(self) -> Any:
        """For people: the voices that are missed."""
        return sorted(self._waits)

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Missed(voice) if voice not in self._waits and len(self._waits) < MOST_VOICES:
                self._waits[voice] = FIRST_SECONDS
                self.send_after(_Try(voice), FIRST_SECONDS)

    async def handle_info(self, message: Any) -> None:
        match message:
            case _Try(voice):
                self._trials[Task.start(self.vm, self._try, voice).pid] = voice
            case Exit(pid, reason) if pid in self._trials:
                self._over(self._trials.pop(pid), reason)

    def _over(self, voice: str, reason: Any) -> None:
        if reason == NORMAL:
            del self._waits[voice]
            log.info("voice_back", voice=voice)
            publish(self.vm, TRIAL_TOPIC, Back(voice))
            return
        self._waits[voice] = wait = min(2 * self._waits[voice], MOST_SECONDS)
        log.info("voice_still_away", voice=voice, reason=str(reason), again_s=wait)
        self.send_after(_Try(voice), wait)

    async def _try(self, voice: str) -> None:
        """Have the word said, or end with why not."""
        breaker = names.breaker(BREAKERS[provider_of(voice)])
        try:
            leave = await self.vm.call(breaker, "get_state", timeout=ASK_SECONDS)
        except CallExit:
            leave = "closed"
        if leave == "open":
            raise Stop(Shutdown("it is left alone"))
        try:
            await self._said(voice)
        except (SpeechRefused, SpeechClosed, OSError, TimeoutError) as error:
            self.vm.cast(breaker, "failure")
            if isinstance(error, SpeechRefused) and error.wait:
                self.vm.cast(breaker, ("wait", error.wait))
            raise Stop(Shutdown(str(error) or "no word in time")) from None
        self.vm.cast(breaker, "success")

    async def _said(self, voice: str) -> None:
        other = self._elevenlabs if is_elevenlabs(voice) else None
        service = self._deepgram if other is None else other
        session = await service.speak(SpeakOptions(voice), "trial", CONNECT_SECONDS)
        try:
            async with asyncio.timeout(IN_TIME_SECONDS) as limit:
                await session.speak(WORD)
                await session.flush()
                now = asyncio.get_running_loop().time()
                heard = False
                async for event in session:
                    if isinstance(event, Audio) and event.mulaw and not heard:
                        heard = True
                        limit.reschedule(now + WHOLE_SECONDS)
                    if isinstance(event, Flushed) and heard:
                        return
            raise SpeechClosed(1000, "", "it has said nothing")
        finally:
            await session.close()
