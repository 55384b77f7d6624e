"""A model that was left alone is tried, and not by a caller."""

from __future__ import annotations

import asyncio
from typing import Any

from aybiza.actors import names
from aybiza.actors.breaker_trials import FIRST_EVENT_SECONDS, BreakerTrials
from aybiza.actors.circuit_breaker_actor import CircuitBreakerActor
from aybiza.actors.registry_actor import RegistryActor
from aybiza.actors.runtime import VM, virtual_time
from aybiza.claude.errors import BedrockError, ErrorKind

MODEL = "anthropic.claude-test-v1:0"
BREAKER = names.breaker(MODEL)


class Client:
    """A model that fails so often, and takes so long."""

    def __init__(self, vm: VM, failures: int, seconds: float = 0.5) -> None:
        self.failures = failures
        self.seconds = seconds
        self.asked: list[float] = []
        self.request: Any = None
        self._now = vm.now

    def stream(self, request: Any, **limits: float) -> Any:
        self.request = request
        self.asked.append(round(self._now()))
        fails = len(self.asked) <= self.failures
        client = self

        class Stream:
            async def __aenter__(self) -> Any:
                return self

            async def __aexit__(self, *_: object) -> None: ...

            async def __aiter__(self) -> Any:
                async with asyncio.timeout(limits["first_event_timeout"]):
                    await asyncio.sleep(client.seconds)
                if fails:
                    raise BedrockError(ErrorKind.UNAVAILABLE, "down")
                yield {"messageStart": {}}
                yield {"messageStop": {}}

        return Stream()


async def opened(vm: VM, client: Client) -> None:
    await vm.start(RegistryActor, name=names.REGISTRY_ACTOR)
    await vm.start(CircuitBreakerActor, MODEL, name=BREAKER)
    bedrock: Any = client
    await vm.start(BreakerTrials, bedrock, name=names.BREAKER_TRIALS)
    for _ in range(5):
        vm.cast(BREAKER, "failure")


async def state(vm: VM) -> Any:
    return (await vm.call(BREAKER, "statistics"))["state"]


@virtual_time
async def test_a_model_is_tried_until_it_answers_and_no_caller_has_leave_meanwhile() -> None:
    async with VM() as vm:
        client = Client(vm, failures=2)
        await opened(vm, client)
        leave = []
        for _ in range(900):
            await asyncio.sleep(0.1)
            leave.append(await vm.call(BREAKER, "get_state"))
        assert len(client.asked) == 2
        assert "half_open" not in leave
        await asyncio.sleep(20)
        assert await state(vm) == "closed" and len(client.asked) == 3
        assert client.request["inferenceConfig"] == {"maxTokens": 1}


@virtual_time
async def test_a_model_that_hangs_fails_its_trial() -> None:
    async with VM() as vm:
        client = Client(vm, failures=0, seconds=FIRST_EVENT_SECONDS + 1)
        await opened(vm, client)
        await asyncio.sleep(45)
        assert client.asked == [30] and await state(vm) == "open"


@virtual_time
async def test_who_asked_first_has_the_trial_and_others_are_nobodys_business() -> None:
    async with VM() as vm:
        client = Client(vm, failures=0)
        await opened(vm, client)
        voice = names.breaker("voice:x")
        await vm.start(CircuitBreakerActor, "voice:x", name=voice)
        for _ in range(5):
            vm.cast(voice, "failure")
        await asyncio.sleep(30.0005)
        assert await vm.call(BREAKER, "get_state") == "half_open"
        await asyncio.sleep(5)
        assert client.asked == []
        await asyncio.sleep(60)
        assert await vm.call(voice, "get_state") == "half_open"
