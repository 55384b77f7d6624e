"""Whose voice speaks on a call: the breakers of both, and the choice between them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from aybiza.actors import names
from aybiza.actors.call.speaker_voice import BREAKERS, SpeakerVoice
from aybiza.actors.circuit_breaker_actor import CircuitBreakerActor
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import VM
from aybiza.faults.desk import agent

AURA, ELEVEN = "aura-2-thalia-en", "elevenlabs:JBFqnCBsd6RMkjVDRZzb"


class Service:
    """Opens sessions, which are the names of what they were asked for."""

    async def speak(self, options: Any, call_id: str, timeout: float) -> Any:
        return options.model


async def dialled(voice: SpeakerVoice) -> Any:
    """What was asked for: the name of a voice."""
    return await voice.dial(1.0)


def voice_of(vm: VM, **fields: Any) -> SpeakerVoice:
    context: Any = SimpleNamespace(call_id="CA1", speaker_of=lambda name: Service())
    return SpeakerVoice(vm, context, agent(**fields))


async def test_a_voice_that_fails_is_followed_by_the_other_and_its_breaker_opens() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name=names.REGISTRY_ACTOR)
        for breaker in BREAKERS.values():
            await vm.start(CircuitBreakerActor, breaker, name=names.breaker(breaker))
        for _ in range(5):
            voice = voice_of(vm, voice=AURA, second_voice=ELEVEN)
            assert await dialled(voice) == AURA
            voice.failed(heard=False)
            assert (voice.name, voice.provider) == (ELEVEN, "elevenlabs")
            voice.worked()
        later = voice_of(vm, voice=AURA, second_voice=ELEVEN)
        assert await dialled(later) == ELEVEN


async def test_a_voice_alone_asks_no_breaker() -> None:
    async with VM() as vm:
        voice = voice_of(vm, voice=AURA)
        voice.failed(heard=False)
        assert await dialled(voice) == AURA
