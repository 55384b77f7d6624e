"""A first voice that gave way is tried where nobody hears it, and is gone back to."""

from __future__ import annotations

import asyncio
from typing import Any

from aybiza.actors import names
from aybiza.actors.call.speaker_voice import BREAKERS, TRIAL_TOPIC, Back, Missed
from aybiza.actors.call.voice_trials import FIRST_SECONDS, MOST_SECONDS, WORD, VoiceTrials
from aybiza.actors.circuit_breaker_actor import CircuitBreakerActor
from aybiza.actors.registry_actor import RegistryActor, subscribe
from aybiza.actors.runtime import VM, GenServer, virtual_time
from aybiza.speech.deepgram_speak import Audio, Flushed
from aybiza.speech.errors import SpeechClosed, SpeechRefused
from tests.cases import each

AURA = "aura-2-thalia-en"
BREAKER = BREAKERS["deepgram"]


class Service:
    """A service that says what its `answers` have, in turn; a number is a pause."""

    def __init__(self, vm: VM, *answers: Any) -> None:
        self.answers = list(answers)
        self.tried: list[float] = []
        self.said: list[str] = []
        self.closed = 0
        self._now = vm.now

    async def speak(self, options: Any, call_id: str, timeout: float) -> Any:
        self.tried.append(round(self._now(), 3))
        self.now = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(self.now, Exception):
            raise self.now
        service = self

        class Session:
            async def speak(self, text: str) -> None:
                service.said.append(text)

            async def flush(self) -> None: ...

            async def close(self) -> None:
                service.closed += 1

            async def __aiter__(self) -> Any:
                for event in service.now:
                    if isinstance(event, float):
                        await asyncio.sleep(event)
                    else:
                        yield event

        return Session()


class Listener(GenServer):
    async def init(self, heard: list[Any]) -> None:
        self.heard = heard
        subscribe(self.vm, TRIAL_TOPIC)

    async def handle_info(self, message: Any) -> None:
        self.heard.append(message)


GOOD = [Audio(b"a"), 2.0, Audio(b"b"), Flushed(1)]
BAD: list[Any] = [
    SpeechRefused(503, "no"),
    OSError("no way"),
    [SpeechClosed],
    [Flushed(1)],
    [2.0, Audio(b"a"), Flushed(1)],
    [Audio(b"a"), 30.0, Flushed(1)],
    [],
]


async def tried(vm: VM, *answers: Any) -> tuple[Service, list[Any]]:
    service, heard = Service(vm, *answers), list[Any]()
    await vm.start(RegistryActor, name=names.REGISTRY_ACTOR)
    await vm.start(CircuitBreakerActor, BREAKER, name=names.breaker(BREAKER))
    await vm.start(Listener, heard)
    service_: Any = service
    await vm.start(VoiceTrials, service_, None, name=names.VOICE_TRIALS)
    return service, heard


@virtual_time
async def test_a_voice_that_is_missed_is_tried_until_it_speaks_and_told_once() -> None:
    async with VM() as vm:
        service, heard = await tried(vm, BAD[0], BAD[0], GOOD)
        for _ in range(3):
            vm.cast(names.VOICE_TRIALS, Missed(AURA))
        await asyncio.sleep(600)
        first = FIRST_SECONDS
        assert service.tried == [first, 3 * first, 7 * first] and heard == [Back(AURA)]
        assert service.said == [WORD] and service.closed == 1
        vm.cast(names.VOICE_TRIALS, Missed(AURA))
        await asyncio.sleep(60)
        assert heard == [Back(AURA)] * 2


@each(BAD)
def test_what_a_caller_would_not_like_to_hear_is_no_voice(answer: Any) -> None:
    @virtual_time
    async def act() -> None:
        async with VM() as vm:
            service, heard = await tried(vm, answer)
            vm.cast(names.VOICE_TRIALS, Missed(AURA))
            await asyncio.sleep(2000)
            apart = [b - a for a, b in zip(service.tried, service.tried[1:], strict=False)]
            assert not heard and max(apart) < MOST_SECONDS + 6

    act()


@virtual_time
async def test_a_trial_waits_for_the_breaker_and_closes_it() -> None:
    async with VM() as vm:
        service, heard = await tried(vm, GOOD)
        breaker = names.breaker(BREAKER)
        vm.cast(breaker, ("wait", 25.0))
        vm.cast(names.VOICE_TRIALS, Missed(AURA))
        await asyncio.sleep(60)
        assert service.tried == [3 * FIRST_SECONDS] and heard == [Back(AURA)]
        assert (await vm.call(breaker, "statistics"))["state"] == "closed"
