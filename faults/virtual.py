"""Virtual time for everything: a loop without sockets, and the machine's clocks, zone and chance.

    with ambient(seed=1) as loop: loop.run_until_complete(…)

`ambient` makes the loop of a world (`world_loop.py`), whose clock jumps, and has `time.time`,
`time.monotonic`, `time.perf_counter`, the time zone, `random`, `uuid.uuid4` and `os.urandom` follow
the loop and the seed, for the thread that runs it and as long as the block lasts. Garbage is
collected when it is over.
"""

from __future__ import annotations

import gc
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from aybiza.faults.world_loop import WorldLoop

EPOCH: Final = 1_767_607_200.0
"""The unix time at which a world begins: Monday, 5 January 2026, 10:00 UTC."""

ZONE: Final = "UTC"


@contextmanager
def ambient(seed: int = 0) -> Iterator[WorldLoop]:
    """See the module; closes the loop at the end."""
    loop = WorldLoop()
    owner = threading.get_ident()
    chance = random.Random(f"ambient:{seed}")
    real = {name: getattr(time, name) for name in _CLOCKS}

    def clock(name: str) -> Callable[[], Any]:
        actual, (start, unit) = real[name], _CLOCKS[name]

        def tell() -> Any:
            if threading.get_ident() != owner:
                return actual()
            offset = loop.wall_offset if start else 0.0
            return unit(start + offset + loop.time())

        return tell

    state, zone = random.getstate(), os.environ.get("TZ")
    real_urandom, real_uuid4 = os.urandom, uuid.uuid4
    # What `secrets` and `SystemRandom` draw from.
    source: Any = random
    # What is collected when depends on what else is in the process, and finalisers run then.
    collects = gc.isenabled()
    gc.disable()
    try:
        for name in _CLOCKS:
            setattr(time, name, clock(name))
        random.seed(f"random:{seed}")
        os.urandom = source._urandom = chance.randbytes
        uuid.uuid4 = lambda: uuid.UUID(bytes=chance.randbytes(16), version=4)
        _set_zone(ZONE)
        yield loop
    finally:
        _set_zone(zone)
        os.urandom = source._urandom = real_urandom
        uuid.uuid4 = real_uuid4
        random.setstate(state)
        for name, actual in real.items():
            setattr(time, name, actual)
        loop.close()
        if collects:
            gc.enable()


def _set_zone(zone: str | None) -> None:
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


_CLOCKS: Final[dict[str, tuple[float, Callable[[float], Any]]]] = {
    "time": (EPOCH, float),
    "time_ns": (EPOCH, _nanoseconds),
    "monotonic": (0.0, float),
    "monotonic_ns": (0.0, _nanoseconds),
    "perf_counter": (0.0, float),
    "perf_counter_ns": (0.0, _nanoseconds),
}
