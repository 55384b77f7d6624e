"""The same measures on other actor libraries: pykka, and Thespian's bases.

Each function gives microseconds. Thespian's multiprocTCPBase gets an admin process of its own on
a free loopback port, which is gone when the measure is over.
"""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from aybiza.actors.node.binding import (
    LOOPBACK,
    bind_listeners,
)  # first: it sets what Thespian reads on import

# isort: split
from thespian.actors import Actor, ActorSystem

MICROSECONDS = 1e6
ASKED = timedelta(seconds=10)


class _Echo(Actor):  # type: ignore[misc]
    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, int):
            self.send(sender, message)


def _median(times: int, measured: Callable[[], object]) -> float:
    """Microseconds of one `measured`: the median of `times`."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        measured()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * MICROSECONDS


def pykka_ask() -> float:
    """A request to a pykka ThreadingActor and its reply."""
    import pykka

    class Echo(pykka.ThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return message

    actor = Echo.start()
    try:
        return _median(1_000, lambda: actor.ask(1))
    finally:
        actor.stop()


def pykka_start() -> float:
    """The start of a pykka ThreadingActor, a thread."""
    import pykka

    class Idle(pykka.ThreadingActor):
        pass

    try:
        return _median(200, Idle.start)
    finally:
        pykka.ActorRegistry.stop_all()


@contextmanager
def _thespian(base: str) -> Iterator[Any]:
    capabilities: dict[str, Any] = {}
    if base == "multiprocTCPBase":
        bind_listeners(LOOPBACK)
        with socket.create_server((LOOPBACK, 0)) as free:
            capabilities["Admin Port"] = free.getsockname()[1]
    system = ActorSystem(base, capabilities, transientUnique=True)
    try:
        yield system
    finally:
        system.shutdown()


def thespian_ask(base: str, times: int) -> float:
    """A request to an actor of the system `base` and its reply."""
    with _thespian(base) as system:
        actor = system.createActor(_Echo)
        return _median(times, lambda: system.ask(actor, 1, ASKED))


def thespian_start(base: str, times: int) -> float:
    """The start of an actor of the system `base`, until it answers."""
    with _thespian(base) as system:
        return _median(times, lambda: system.ask(system.createActor(_Echo), 1, ASKED))


PEERS: tuple[tuple[str, Callable[[], float]], ...] = (
    ("pykka ask and reply", pykka_ask),
    ("pykka start", pykka_start),
    ("Thespian simpleSystemBase ask and reply", lambda: thespian_ask("simpleSystemBase", 1_000)),
    ("Thespian simpleSystemBase start", lambda: thespian_start("simpleSystemBase", 100)),
    ("Thespian multiprocTCPBase ask and reply", lambda: thespian_ask("multiprocTCPBase", 200)),
    ("Thespian multiprocTCPBase start", lambda: thespian_start("multiprocTCPBase", 15)),
)
