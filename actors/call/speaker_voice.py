"""Whose voice speaks on a call, and the sessions of it. Part of SpeakerActor.

    voice = SpeakerVoice(vm, context, agent)
    session = await voice.dial(timeout)      of the agent's voice, or of its second one
    voice.failed(heard=False), voice.worked()

Where an agent has two voices, each provider has a circuit breaker of the node: a call does not
begin with a voice that others have found to be down. Which one speaks is decided by
`aybiza.speech.voices`.

Errors: those of the sessions.
"""

from __future__ import annotations

from typing import Final, Protocol

import structlog

from aybiza.actors import names
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.runtime import VM, CallExit
from aybiza.config.agents import Agent
from aybiza.speech.deepgram_speak import SpeakOptions, SpeakSession
from aybiza.speech.elevenlabs import ElevenLabsSession
from aybiza.speech.voices import DEEPGRAM, ELEVENLABS, Voices, provider_of

BREAKERS: Final = {name: f"voice:{name}" for name in (DEEPGRAM, ELEVENLABS)}
"""By which breaker a provider's voices go."""
ASK_SECONDS: Final = 0.5
TELLS_ENDS: Final = frozenset({ELEVENLABS})
"""Whose protocol tells by itself that all has come: a request's answer that is not over is not
whole. By a socket's messages it is told only where the service sends them."""

Session = SpeakSession | ElevenLabsSession

log = structlog.get_logger(__name__)


class Speaks(Protocol):
    """Who opens sessions of a provider's voices."""

    async def speak(self, options: SpeakOptions, call_id: str, timeout: float) -> Session: ...


class SpeakerVoice:
    """See the module. `agent` is the one of the language that is spoken."""

    def __init__(self, vm: VM, context: CallContext, agent: Agent) -> None:
        self._vm = vm
        self._context = context
        self._private = agent.health_data
        self._voices = Voices(agent.voice, agent.second_voice)

    @property
    def name(self) -> str:
        """The voice that speaks now."""
        return self._voices.name

    @property
    def provider(self) -> str:
        """Whose it is."""
        return provider_of(self.name)

    async def dial(self, timeout: float) -> Session:
        """See the module."""
        if self._voices.several:
            down = [name for name in BREAKERS if await self._is_down(name)]
            self._voices.avoid(lambda voice: provider_of(voice) in down)
        options = SpeakOptions(self.name, private=self._private)
        service: Speaks = self._context.speaker_of(self.name)
        return await service.speak(options, self._context.call_id, timeout)

    def failed(self, *, heard: bool, wait: float = 0.0) -> None:
        """It could not be had, or has broken off; `heard`: in the midst of what it said; `wait`:
        for so many seconds its service asks to be left alone."""
        before = self.name
        self._report("failure")
        if wait:
            self._report(("wait", wait))
        self._voices.failed(heard=heard)
        if self.name != before:
            log.warning("voice_changed", call_id=self._context.call_id, was=before, voice=self.name)

    def worked(self) -> None:
        """It has said something whole."""
        self._report("success")
        self._voices.worked()

    def _report(self, what: str | tuple[str, float]) -> None:
        if self._voices.several:
            self._vm.cast(names.breaker(BREAKERS[self.provider]), what)

    async def _is_down(self, provider: str) -> bool:
        breaker = names.breaker(BREAKERS[provider])
        try:
            leave = await self._vm.call(breaker, "get_state", timeout=ASK_SECONDS)
        except CallExit:
            return False
        return bool(leave == "open")
