"""`CircuitBreakerActor`: one a model, keeps requests away from a model that keeps failing.

    await vm.start(CircuitBreakerActor, model_id, name=names.breaker(model_id))
    outcome = await call_with_circuit_breaker(vm, model_id, ask_the_model)

Requests: call `"get_state"` before a request ("closed" and "half_open" give leave, "open" refuses);
casts `"success"` or `("success", ms)`, `"failure"` or `("failure", error, ms)`, and `"cancelled"`
afterwards, and `("wait", seconds)` where the model has asked to be left alone for so long; call
`"statistics"`. A half-open trial that never reports is given away after `TRIAL_LEASE_MS`. The state
is the actor's own: after a crash of it the breaker is closed again, and a model that still fails
opens it anew within `failure_threshold` requests.

Every change of state is published to the topic `TOPIC` as `BreakerChanged`, an opening on all nodes
of the cluster. A breaker that hears of an opening of the same model's breaker elsewhere opens too,
for the rest of the time that the other one is open; its own opening by hearsay it does not pass on.
So one node that finds a model down spares the others their failures.

Source: Bedrock guide, section 5 (`CircuitBreaker`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import structlog

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.registry_actor import publish, publish_everywhere, subscribe
from aybiza.actors.runtime import VM, CallExit, From, GenServer, Pid
from aybiza.claude.circuit_breaker import FAILURE_THRESHOLD, RECOVERY_MS, CircuitBreaker, State
from aybiza.claude.error_ladder import MOST_ASKED_SECONDS, counts_against_model
from aybiza.claude.errors import BedrockError

log = structlog.get_logger(__name__)

TRIAL_LEASE_MS = 30_000
ASK_SECONDS = 0.5

OPEN = "circuit_breaker_open"

GAUGE: dict[State, int] = {"closed": 0, "half_open": 1, "open": 2}

TOPIC: Final = "breaker"


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """The breaker `origin` of a model went from the state `was` to `state`.

    `left_ms`: for how long it will stay open. `heard`: it followed another one's opening.
    """

    model_id: str
    state: State
    was: State
    origin: Pid
    left_ms: float = 0.0
    heard: bool = False


class CircuitBreakerActor(GenServer):
    """See the module."""

    async def init(
        self,
        model_id: str,
        *,
        failure_threshold: int = FAILURE_THRESHOLD,
        recovery_ms: float = RECOVERY_MS,
        trial_lease_ms: float | None = TRIAL_LEASE_MS,
    ) -> None:
        self.model_id = model_id
        self.breaker = CircuitBreaker(failure_threshold, recovery_ms, trial_lease_ms)
        self.counts = {"asked": 0, "refused": 0, "success": 0, "failure": 0, "cancelled": 0}
        self.opened = 0
        self.heard = 0
        subscribe(self.vm, TOPIC)
        emit(self.vm, events.BREAKER, state=0, model=model_id)

    async def handle_call(self, request: Any, from_: From) -> Any:
        if request == "get_state":
            self.counts["asked"] += 1
            leave = self._watched(lambda: self.breaker.get_state(self._now_ms()))
            self.counts["refused"] += leave == "open"
            return leave
        if request == "statistics":
            return self.statistics()
        return await super().handle_call(request, from_)

    async def handle_cast(self, request: Any) -> None:
        match request:
            case "success" | ("success", _):
                self.counts["success"] += 1
                self._watched(self.breaker.success)
            case "failure" | ("failure", *_):
                self.counts["failure"] += 1
                self._watched(lambda: self.breaker.failure(self._now_ms()))
            case ("wait", float(seconds)):
                self._watched(lambda: self.breaker.told_to_wait(self._now_ms(), seconds * 1000.0))
            case "cancelled":
                self.counts["cancelled"] += 1
                self.breaker.cancelled()
            case _:
                await super().handle_cast(request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case BreakerChanged(model_id, "open", _, origin, left_ms, False):
                if model_id == self.model_id and origin != self.pid:
                    self.heard += 1
                    act = partial(self.breaker.peer_opened, self._now_ms(), left_ms)
                    self._watched(act, heard=True)
            case BreakerChanged():
                pass
            case _:
                await super().handle_info(message)

    def statistics(self) -> dict[str, Any]:
        """`state`, `failure_count` (in a row), and since the start: how often leave was `asked` for
        and `refused`, how often a `success`, `failure` or `cancelled` was reported, how often the
        breaker `opened`, and how often it `heard` of another one's opening."""
        breaker = self.breaker
        return {
            "model_id": self.model_id,
            "state": breaker.state,
            "failure_count": breaker.failure_count,
            "trial_in_flight": breaker.trial_in_flight,
            "opened": self.opened,
            "heard": self.heard,
            **self.counts,
        }

    def get_state(self) -> dict[str, Any]:
        """The statistics."""
        return self.statistics()

    def _now_ms(self) -> float:
        return self.vm.now() * 1000.0

    def _watched(self, act: Callable[[], Any], *, heard: bool = False) -> Any:
        before = self.breaker.state
        outcome = act()
        after = self.breaker.state
        if after != before:
            self.opened += after == "open"
            level = log.warning if after == "open" else log.info
            level(
                f"circuit_breaker_{after}",
                model=self.model_id,
                was=before,
                failures=self.breaker.failure_count,
                heard=heard,
            )
            emit(self.vm, events.BREAKER, state=GAUGE[after], model=self.model_id)
            left = self.breaker.recovery_left(self._now_ms())
            change = BreakerChanged(self.model_id, after, before, self.pid, left, heard)
            # Hearsay is no news to others: whoever heard it here has heard it from its origin.
            tell = publish if heard or after != "open" else publish_everywhere
            tell(self.vm, TOPIC, change)
        return outcome


class NoBreakers(RuntimeError):
    """There is nothing that could hold a request back: no registry has been started."""

    def __init__(self, model_id: str) -> None:
        super().__init__(
            f"no request for {model_id}: the VM has no registry of circuit breakers; start"
            " RegistryActor, and CircuitBreakerActor(model) as names.breaker(model)"
        )


Outcome = tuple[Literal["ok"], Any] | tuple[Literal["error"], Any]


def is_the_models(error: Exception) -> bool:
    """Whether a model is to blame for an error."""
    return not isinstance(error, BedrockError) or counts_against_model(error.kind)


async def call_with_circuit_breaker(
    vm: VM,
    model_id: str,
    fun: Callable[[], Awaitable[Any]],
    *,
    timeout: float | None = None,
    counts: Callable[[Exception], bool] = is_the_models,
) -> Outcome:
    """Run `fun` if the model's breaker gives leave, and report how it ended.

    Returns `("ok", result)`, `("error", error)` for what `fun` raised, or
    `("error", "circuit_breaker_open")`. Failures are: an exception, a result that is an exception
    or `("error", …)` (which is returned as it is), and more than `timeout` seconds. A breaker that
    is being restarted is closed; without any registry of breakers nothing is asked, and
    `NoBreakers` is raised. Nothing is held against the model if the caller is cancelled, and
    `fun` with it, or if the error is not one that `counts`.
    """
    if names.REGISTRY not in vm.registries:
        raise NoBreakers(model_id)
    dest = names.breaker(model_id)
    try:
        leave = await vm.call(dest, "get_state", timeout=ASK_SECONDS)
    except CallExit:
        leave = "closed"
    if leave == "open":
        return "error", OPEN
    began = vm.now()
    try:
        async with asyncio.timeout(timeout):
            result = await fun()
    except Exception as error:
        vm.cast(dest, ("failure", error, _ms_since(vm, began)) if counts(error) else "cancelled")
        if isinstance(error, BedrockError) and error.wait > MOST_ASKED_SECONDS:
            # Longer than anybody waits for it who is on the telephone: nobody else is to ask, too.
            vm.cast(dest, ("wait", error.wait))
        return "error", error
    except asyncio.CancelledError:
        vm.cast(dest, "cancelled")
        raise
    if isinstance(result, Exception):
        vm.cast(dest, ("failure", result, _ms_since(vm, began)) if counts(result) else "cancelled")
        return "error", result
    if isinstance(result, tuple) and result[:1] == ("error",):
        vm.cast(dest, ("failure", result[1:], _ms_since(vm, began)))
        return result
    vm.cast(dest, ("success", _ms_since(vm, began)))
    return "ok", result


def _ms_since(vm: VM, began: float) -> float:
    return (vm.now() - began) * 1000.0
