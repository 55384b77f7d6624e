"""Whose voice speaks on a call, and the sessions of it. Part of SpeakerActor.

    voice = SpeakerVoice(vm, context, agent)
    session = await voice.dial(timeout)      of the agent's voice, or of its second one
    voice.failed(heard=False), voice.worked()
    voice.back(message), voice.go_back()     a trial has found the first voice to speak again

Where an agent has two voices, each provider has a circuit breaker of the node: a call does not
begin with a voice that others have found to be down, and tries none that is (`VoiceTrials` does).
Which one speaks is decided by `aybiza.speech.voices`.

Errors: those of the sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

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
TRIAL_TOPIC: Final = "voice_trials"
TELLS_ENDS: Final = frozenset({ELEVENLABS})
"""Whose protocol tells by itself that all has come: a request's answer that is not over is not
whole. By a socket's messages it is told only where the service sends them."""

Session = SpeakSession | ElevenLabsSession

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Missed:
    """To `VoiceTrials`: a call speaks with its second voice in place of this one."""

    voice: str


@dataclass(frozen=True, slots=True)
class Back:
    """On `TRIAL_TOPIC`: this voice speaks again."""

    voice: str


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
        self._is_back = False

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
            self._miss()
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
            self._miss()

    def worked(self) -> None:
        """It has said something whole."""
        self._report("success")
        self._voices.worked()

    def back(self, message: Any) -> bool:
        """Whether the first voice is to be gone back to; what of a message is about that."""
        if isinstance(message, Back) and message.voice == self._voices.missed:
            self._is_back = True
        return self._is_back

    def go_back(self) -> None:
        """The first voice speaks from now on."""
        before, self._is_back = self.name, False
        self._voices.go_back()
        log.info("voice_changed", call_id=self._context.call_id, was=before, voice=self.name)

    def _miss(self) -> None:
        """Have the first voice tried where nobody hears it."""
        voice = self._voices.missed
        if voice is None:
            return
        self._is_back = False
        self._vm.cast(names.VOICE_TRIALS, Missed(voice))

    def _report(self, what: str | tuple[str, float]) -> None:
        if self._voices.several:
            self._vm.cast(names.breaker(BREAKERS[self.provider]), what)

    async def _is_down(self, provider: str) -> bool:
        breaker = names.breaker(BREAKERS[provider])
        try:
            # Not "get_state": who asks that has the trial, and a caller would hear it.
            told = await self._vm.call(breaker, "statistics", timeout=ASK_SECONDS)
        except CallExit:
            return False
        return bool(told["state"] != "closed")
