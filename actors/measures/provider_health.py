"""Whether the providers of a node do what they are for: a rule over their errors and successes.

    watch(vm, failures=5, seconds=60.0)     when the node starts
    lost(vm)                                {"deepgram": 7} while a provider is lost

A provider is lost when it has failed `failures` times within the last `seconds` and has done
nothing useful since the first of them: a transcript, audio, a whole message of a model. An open
socket is no success, and a refused request of ours no failure of theirs. A lost provider whose
failures are older than that is not lost any more: the next call tries it. With `failures` 0
nothing is ever lost.

The figures stand in a table of the VM and outlive every actor. Errors: none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from aybiza.actors.measures import events
from aybiza.actors.runtime import VM
from aybiza.actors.runtime.telemetry import Event
from aybiza.claude.errors import ErrorKind

TABLE: Final = "provider_health"
PROVIDERS: Final = frozenset(("bedrock", "deepgram"))
MOST_FAILURES: Final = 1_000
OURS: Final = frozenset((ErrorKind.VALIDATION.value, ErrorKind.TOO_LONG.value))
"""Errors that the request brought about."""


class ProviderHealth:
    """See the module. Times are seconds of the VM's clock. `failures` is at most MOST_FAILURES."""

    def __init__(self, failures: int, seconds: float) -> None:
        self._needed = min(failures, MOST_FAILURES)
        self._seconds = seconds
        self._failed = {name: deque[float](maxlen=MOST_FAILURES) for name in PROVIDERS}

    def failed(self, provider: str, kind: str, now: float) -> None:
        """A provider has failed, in this way."""
        if provider in PROVIDERS and kind not in OURS:
            self._failed[provider].append(now)

    def worked(self, provider: str) -> None:
        """A provider has done something useful."""
        if provider in PROVIDERS:
            self._failed[provider].clear()

    def lost(self, now: float) -> dict[str, int]:
        """The providers that are lost, each with its failures within the time."""
        since = now - self._seconds
        counts = {name: sum(at >= since for at in times) for name, times in self._failed.items()}
        return {
            name: count
            for name, count in sorted(counts.items())
            if self._needed and count >= self._needed
        }


def watch(vm: VM, failures: int, seconds: float) -> None:
    """Follow what the node's providers do."""
    health = vm.tables[TABLE] = ProviderHealth(failures, seconds)
    heard = [events.PROVIDER_ERROR, events.PROVIDER_WORKED]
    vm.telemetry.attach_many(TABLE, heard, partial(_hear, vm, health))


def lost(vm: VM) -> dict[str, int]:
    """The providers that are lost now; none on a node that does not watch them."""
    health = vm.tables.get(TABLE)
    return health.lost(vm.now()) if isinstance(health, ProviderHealth) else {}


def _hear(
    vm: VM,
    health: ProviderHealth,
    event: Event,
    _: Mapping[str, Any],
    told: Mapping[str, Any],
    __: Any,
) -> None:
    if event == events.PROVIDER_WORKED:
        health.worked(told["provider"])
    else:
        health.failed(told["provider"], told["kind"], vm.now())
