"""Runs the cases of timers: one process that does all steps at their times, in virtual time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from typing import Any

from aybiza.actors.runtime import (
    KILL,
    VM,
    Pid,
    Timer,
    TimerElapsed,
    run_virtual,
)
from tests.conformance import puppet
from tests.conformance.actor_world import World
from tests.conformance.kit import Options, Result, Runner, compare, shown
from tests.conformance.puppet import PATIENCE

ME = "me"
CANCELLED = ("ok", "cancel")


class Timers(World):
    """The owner of the timers and the processes that they are for."""

    def __init__(self, vm: VM) -> None:
        super().__init__(vm)
        self.timers: dict[str, Timer] = {}
        self.timer_names: dict[int, str] = {}
        self.do_spawn(ME)

    async def at(self, do: Mapping[str, Any]) -> Any:
        """Carry out a step at its time; what it returned."""
        fields = dict(do)
        await asyncio.sleep(fields.pop("at") / 1000 - self.vm.now())
        if fields["op"] == "alive":
            return self.do_alive(fields["to"])
        return (await self.step(fields | {"who": ME, "keep": True}))["return"]

    def term(self, thing: Any) -> Any:
        if type(thing) is TimerElapsed:
            return ["timeout", self.timer_names[thing.ref], self.term(thing.message)]
        return super().term(thing)

    def where(self, to: str | None, to_name: str | None = None) -> Any:
        return super().where(to or ME, to_name)

    def do_send_after(
        self, timer: str, ms: Any, msg: Any, to: str | None = None, to_name: str | None = None
    ) -> str:
        dest = self.where(to, to_name)
        self.timers[timer] = self.vm.send_after(dest, msg, ms / 1000)
        return "ok"

    do_timer_send_after = do_send_after

    def do_start_timer(
        self, timer: str, ms: Any, msg: Any, to: str | None = None, to_name: str | None = None
    ) -> str:
        started = self.vm.start_timer(self.where(to, to_name), msg, ms / 1000)
        self.timers[timer] = started
        self.timer_names[started.ref] = timer
        return "ok"

    def do_send_interval(
        self, timer: str, ms: Any, msg: Any, to: str | None = None, to_name: str | None = None
    ) -> str:
        dest = self.where(to, to_name)
        self.timers[timer] = self.vm.send_interval(dest, msg, ms / 1000)
        return "ok"

    def do_exit_after(self, timer: str, ms: Any, reason: Any, to: str | None = None) -> str:
        why = puppet.reason(reason)
        self.timers[timer] = self.vm.exit_after(self.where(to), why, ms / 1000)
        return "ok"

    def do_kill_after(self, timer: str, ms: Any, to: str | None = None) -> str:
        self.timers[timer] = self.vm.kill_after(self.where(to), ms / 1000)
        return "ok"

    def do_cancel(self, timer: str) -> Any:
        return _left(self.timers[timer].cancel())

    def do_read(self, timer: str) -> Any:
        return _left(self.timers[timer].read())

    def do_cancel_async(self, timer: str) -> str:
        self.timers[timer].cancel()
        return "ok"

    def do_timer_cancel(self, timer: str) -> Any:
        self.timers[timer].cancel()
        return CANCELLED

    def do_kill(self, to: str) -> str:
        self.vm.exit(self.where(to), KILL)
        return "ok"

    def do_bad_send_after(self, ms: Any) -> None:
        self.vm.send_after(self.pids[ME], "x", _illegal(ms))

    def do_bad_interval(self, ms: Any) -> Any:
        try:
            self.vm.send_interval(self.pids[ME], "x", _illegal(ms))
        except ValueError:
            return "error", "badarg"

    def do_bad_cancel(self) -> Any:
        return _left(self._unknown().cancel())

    def do_bad_timer_cancel(self) -> Any:
        self._unknown().cancel()
        return CANCELLED

    def _unknown(self) -> Timer:
        """A timer that was never one: a timer here is an object, there is no stray number."""
        return self.vm.send_after(Pid(self.vm.node, 0), "x", 1)


def _illegal(ms: Any) -> float:
    """An illegal time of Erlang's as one that is illegal here, where half a millisecond is not."""
    return ms / 1000 if isinstance(ms, int) else math.nan


def _left(seconds: float | None) -> Any:
    return False if seconds is None else ["left", round(seconds * 1000)]


async def play(case: Mapping[str, Any]) -> list[str]:
    """The differences between what the case records and what happens here."""
    async with asyncio.timeout(PATIENCE), VM("n", block_warning_ms=None) as vm:
        world = Timers(vm)
        differences: list[str] = []
        for number, step in enumerate(case["steps"], 1):
            title = f"step {number} {shown(step['do'])}"
            differences += compare(title, step["return"], await world.at(step["do"]))
        return differences


def run(file: dict[str, Any], options: Options) -> Iterable[Result]:
    """Play every case of `file`."""
    for case in file["cases"]:
        try:
            differences = run_virtual(play(case))
        except Exception as error:
            differences = [f"cannot be played: {error!r}"]
        yield Result(case["name"], differences)


FORMATS: dict[str, Runner] = {"timer-cases/1": run}
