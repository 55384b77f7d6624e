"""Timers: messages and exit signals in the future, as `Process.send_after` and module `:timer`.

    timer = vm.send_after("bell", "ring", 60)
    timer.read(), timer.cancel()        # the seconds left; None once it has fired
    ticks = vm.send_interval(pid, "tick", 0.5)
    ticks.cancel()

A timer for a pid ends with that process, silently: what is left of it is None. One for a name is
sent to whoever has the name when it is due, and dropped if nobody has. An interval for anything
but a pid ends with the process that started it. All that is left ends with the VM. Times are
seconds of the VM's clock. One below zero, or an interval below `SHORTEST_INTERVAL`, raises
`ValueError`, what is no number `TypeError`.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any

from aybiza.actors.runtime.directory import Directory
from aybiza.actors.runtime.pid import Dest, Pid
from aybiza.actors.runtime.process import current_process
from aybiza.actors.runtime.time_limit import LONGEST_SECONDS, TimeLimits

# What is due at once and for ever would let nothing else run.
SHORTEST_INTERVAL = 0.001

# No process has this serial.
THE_VM = 0


class Timer:
    """Something that is to be done; made by `VM.send_after` and its kin.

    `ref` is the number that a `VM.start_timer` message names. `fired`: it has been done.
    """

    __slots__ = ("_act", "_args", "_due", "_every", "_handle", "_loop", "_tie", "fired", "ref")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        seconds: float,
        act: Callable[..., object],
        *args: Any,
        every: bool = False,
    ) -> None:
        self._loop = loop
        self._act, self._args = act, args
        self._every = seconds if every else None
        self._tie: tuple[Timers, int] | None = None
        self.fired = False
        self.ref = 0
        # Kept here, because uvloop's handle of what is due at once has no time.
        self._due = loop.time() + seconds
        # None when it is over: a handle's context holds the process that started it, which may
        # hold this timer, and only a full collection would find them.
        self._handle: asyncio.Handle | None = loop.call_later(seconds, self._fire)

    def read(self) -> float | None:
        """The seconds that are left, None when it has fired or was cancelled."""
        if self._handle is None:
            return None
        return max(0.0, self._due - self._loop.time())

    def cancel(self) -> float | None:
        """Stop the timer; returns what `read` would have.

        A message that was sent already stays in the mailbox.
        """
        left = self.read()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._part()
        return left

    def _fire(self) -> None:
        self.fired = True
        if self._every is None:
            self._handle = None
            self._part()
            self._act(*self._args)
        else:
            self._due += self._every
            self._handle = self._loop.call_at(self._due, self._fire)
            self._act(*self._args)

    def _part(self) -> None:
        if self._tie is not None:
            tied, serial = self._tie
            self._tie = None
            tied.untie(self, serial)


class Timers:
    """All timers of a VM: which end with which process, by the serial of its pid, and which with
    the VM. `directory` says whose a pid is; `limits` is the clock."""

    def __init__(self, directory: Directory, limits: TimeLimits) -> None:
        self._directory = directory
        self._limits = limits
        self._timers: dict[int, dict[Timer, None]] = {}

    def __len__(self) -> int:
        """How many end with a process."""
        return sum(len(timers) for serial, timers in self._timers.items() if serial != THE_VM)

    def after(
        self, seconds: float, dest: Dest | None, act: Callable[..., object], *args: Any
    ) -> Timer:
        """Call `act(*args)` in `seconds`, unless the process whose pid `dest` is ends before."""
        timer = Timer(self._limits.loop, duration(seconds), act, *args)
        return self._tie(timer, dest if isinstance(dest, Pid) else None)

    def every(self, seconds: float, dest: Dest, act: Callable[..., object], *args: Any) -> Timer:
        """The same every `seconds`; where `dest` is no pid, the running process counts."""
        least = duration(seconds, least=SHORTEST_INTERVAL)
        timer = Timer(self._limits.loop, least, act, *args, every=True)
        caller = current_process.get()
        own = caller.pid if caller else None
        return self._tie(timer, dest if isinstance(dest, Pid) else own)

    def _tie(self, timer: Timer, pid: Pid | None) -> Timer:
        """Let `timer` end with the local process `pid`, or with the VM."""
        if pid is not None and self._directory.find(pid) is None:
            if self._directory.elsewhere(pid) is None:
                timer.cancel()
                return timer
            pid = None
        serial = THE_VM if pid is None else pid.serial
        self._timers.setdefault(serial, {})[timer] = None
        timer._tie = (self, serial)
        return timer

    def untie(self, timer: Timer, serial: int) -> None:
        """`timer` is done with."""
        timers = self._timers.get(serial)
        if timers is not None:
            timers.pop(timer, None)
            if not timers:
                del self._timers[serial]

    def ended(self, serial: int) -> None:
        """The process with this serial is gone, and its timers go with it."""
        if serial in self._timers:
            for timer in list(self._timers.pop(serial)):
                timer.cancel()

    def close(self) -> None:
        """The VM is left, and every timer goes with it."""
        for serial in list(self._timers):
            for timer in list(self._timers.pop(serial)):
                timer.cancel()


def duration(seconds: Any, *, least: float = 0.0) -> float:
    """`seconds`, checked: a number from `least` on; raises `TypeError` and `ValueError`."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"a timer's time is a number of seconds, not {seconds!r}")
    if seconds < least or seconds in (math.inf, -math.inf) or seconds != seconds:
        raise ValueError(f"a timer cannot run for {seconds!r} seconds")
    return min(seconds, LONGEST_SECONDS)
