"""The names under which the application's processes are found; all of them in one registry.

`call_patiently` is how an actor asks another that may be restarting at this very moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from aybiza.actors.runtime import NOPROC, TIMEOUT, VM, CallExit, Dest, Request, Via

T = TypeVar("T")

REGISTRY = "registry"
REGISTRY_ACTOR = "registry_actor"
PUBSUB = "pubsub"

ANALYSES = "analyses"
MEMORY = "memory"
OUTBOUND = "outbound"
METRICS = "metrics"
PLACEMENT = "placement"
DRAIN = "drain"
FIRST_ANSWERS = "first_answers"
PHRASES = "phrases"
RECORDINGS = "recordings"
UPLOADS = "uploads"
SUMMARIES = "summaries"
SWITCHBOARD = "switchboard"
VOICE_TRIALS = "voice_trials"
BREAKER_TRIALS = "breaker_trials"
CALL_SUPERVISOR = "call_supervisor"
MODEL_SUPERVISOR = "model_supervisor"
TOOL_SUPERVISOR = "tool_supervisor"

RETRY_SECONDS = 0.002
# A request that its callee does not survive so often is the cause.
DEATHS = 3


def call(call_id: str) -> Via:
    """The CallActor of a call."""
    return Via(REGISTRY, ("call", call_id))


def transcriber(call_id: str) -> Via:
    """The TranscriberActor of a call."""
    return Via(REGISTRY, ("transcriber", call_id))


def speaker(call_id: str) -> Via:
    """The SpeakerActor of a call."""
    return Via(REGISTRY, ("speaker", call_id))


def session(call_id: str) -> Via:
    """The CallSession of a call."""
    return Via(REGISTRY, ("session", call_id))


def stream(call_id: str) -> Via:
    """The MediaStream that holds the caller's line."""
    return Via(REGISTRY, ("stream", call_id))


def answer(call_id: str, turn: int) -> Via:
    """The AnswerActor of a turn."""
    return Via(REGISTRY, ("answer", call_id, turn))


def outbound(vm: VM) -> Dest:
    """Who places calls: one in the cluster."""
    return OUTBOUND if vm.remote is None else Via("cluster", OUTBOUND)


def breaker(model: str) -> Via:
    """The CircuitBreakerActor of a model."""
    return Via(REGISTRY, ("breaker", model))


@overload
async def call_patiently(vm: VM, dest: Dest, request: Request[T], deadline: float) -> T: ...


# As in `VM.call`: a reply that is taken for something else is an error.
@overload
async def call_patiently(  # type: ignore[overload-cannot-match]
    vm: VM, dest: Dest, request: Request[object], deadline: float
) -> object: ...


@overload
async def call_patiently(vm: VM, dest: Dest, request: Any, deadline: float) -> Any: ...


async def call_patiently(vm: VM, dest: Dest, request: Any, deadline: float) -> Any:
    """`VM.call`, tried again while `dest` is being restarted, for at most `deadline` seconds.

    The callee may see the request more than once, so it must be one that may be repeated. Raises
    `CallExit` with the last reason when the time is up or `DEATHS` callees have ended over it.
    """
    until = vm.now() + deadline

    async def ask() -> Any:
        return await vm.call(dest, request, timeout=max(0.0, until - vm.now()))

    return await patiently(vm, ask, until)


async def patiently(vm: VM, ask: Callable[[], Awaitable[T]], until: float) -> T:
    """Do `ask`, which is a call, again while its callee restarts; see `call_patiently`."""
    deaths = 0
    while True:
        try:
            return await ask()
        except CallExit as failure:
            deaths += failure.reason != NOPROC
            over = failure.reason == TIMEOUT or vm.now() + RETRY_SECONDS >= until
            if over or deaths == DEATHS:
                raise
        await asyncio.sleep(RETRY_SECONDS)
