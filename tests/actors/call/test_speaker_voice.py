"""Whose voice speaks on a call: the breakers of both, and the choice between them."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from aybiza.actors import names
from aybiza.actors.call.speaker_voice import BREAKERS, Back, SpeakerVoice
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


async def test_no_caller_tries_a_voice_that_is_down_and_a_trial_brings_it_back() -> None:
    async with VM() as vm:
        await vm.start(RegistryActor, name=names.REGISTRY_ACTOR)
        for breaker in BREAKERS.values():
            await vm.start(CircuitBreakerActor, breaker, recovery_ms=0, name=names.breaker(breaker))
        voice = voice_of(vm, voice=AURA, second_voice=ELEVEN)
        voice.failed(heard=False, wait=9.0)
        for _ in range(4):
            voice_of(vm, voice=AURA, second_voice=ELEVEN).failed(heard=False)
        await asyncio.sleep(0.01)
        later = voice_of(vm, voice=AURA, second_voice=ELEVEN)
        assert await dialled(later) == await dialled(later) == ELEVEN
        assert not later.back(Back(ELEVEN)) and not later.back("check") and later.back(Back(AURA))
        later.go_back()
        assert later.name == AURA and not later.back("check")


async def test_a_voice_alone_asks_no_breaker() -> None:
    async with VM() as vm:
        voice = voice_of(vm, voice=AURA)
        voice.failed(heard=False)
        assert await dialled(voice) == AURA
