"""Producers that make only what consumers ask for, as Elixir's `GenStage` does.

    numbers = child(Numbers, name="numbers")
    squares = child(Squares, "numbers", name="squares")
    printer = child(Printer, "squares")
    await vm.start(Supervisor, [numbers, squares, printer], strategy="rest_for_one", link=True)

A consumer asks for as many events as it is willing to have (`at_once`), and for more when it has
handled some. So nothing queues up in front of a slow one, and a fast one never waits for a poll. A
stage in the middle asks for what it is asked for. The stages watch each other: what a dead consumer
asked for is forgotten, and a consumer ends with its producer, for a supervisor to start again.

Run it with `python -m examples.demand`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from aybiza.actors.runtime import VM, Continue, Dest, Down, GenServer, Pid, Stop
from aybiza.supervisors import Supervisor, child


@dataclass(frozen=True, slots=True)
class Ask:
    """To a producer: `consumer` is ready for `count` more events."""

    consumer: Pid
    count: int


@dataclass(frozen=True, slots=True)
class Events:
    """To a consumer: no more events than it has asked for."""

    events: tuple[Any, ...]


class Producer(GenServer):
    """Makes events when they are asked for. Override `produce`."""

    def __init__(self) -> None:
        self.demand: dict[Pid, int] = {}
        self.ready: deque[Any] = deque()

    async def produce(self, count: int) -> Sequence[Any]:
        """At most `count` events; those that come later are given to `hand_out`."""
        raise NotImplementedError

    async def handle_info(self, message: Any) -> Any:
        match message:
            case Ask(consumer, count):
                if consumer not in self.demand:
                    self.vm.monitor(consumer)
                self.demand[consumer] = self.demand.get(consumer, 0) + count
                # What a consumer left behind that has died serves this one.
                missing = min(count, sum(self.demand.values()) - len(self.ready))
                self.hand_out(await self.produce(missing) if missing > 0 else ())
            case Down(_, pid) if pid in self.demand:
                del self.demand[pid]
            case _:
                return await super().handle_info(message)
        return None

    def hand_out(self, events: Sequence[Any]) -> None:
        """Give events to whoever wants most."""
        self.ready.extend(events)
        while self.ready and any(self.demand.values()):
            consumer = max(self.demand, key=lambda pid: self.demand[pid])
            count = min(self.demand[consumer], len(self.ready))
            self.demand[consumer] -= count
            self.vm.send(consumer, Events(tuple(self.ready.popleft() for _ in range(count))))


class Transform(Producer):
    """A stage in the middle: one event out for one event in. Override `transform`."""

    async def init(self, source: Dest) -> Any:
        self.source = source
        return Continue("subscribe")

    async def transform(self, event: Any) -> Any:
        """What becomes of an event."""
        raise NotImplementedError

    async def handle_continue(self, value: Any) -> None:
        self.vm.monitor(self.source)

    async def produce(self, count: int) -> Sequence[Any]:
        self.vm.send(self.source, Ask(self.pid, count))
        return ()

    async def handle_info(self, message: Any) -> Any:
        match message:
            case Events(events):
                self.hand_out([await self.transform(event) for event in events])
            case Down(_, pid, reason) if pid not in self.demand:
                raise Stop(("producer_down", reason))
            case _:
                return await super().handle_info(message)
        return None


class Consumer(GenServer):
    """Handles events, at most `at_once` of them under way.

    Override `consume`, and `init`, which returns `self.subscribe(source)`.
    """

    at_once: ClassVar[int] = 10

    def subscribe(self, source: Dest) -> Continue:
        """Ask the producer `source` for events."""
        self.source = source
        return Continue("subscribe")

    async def consume(self, event: Any) -> None:
        """Do what is to be done with an event; the next one waits."""
        raise NotImplementedError

    async def handle_continue(self, value: Any) -> None:
        self.vm.monitor(self.source)
        self.vm.send(self.source, Ask(self.pid, self.at_once))

    async def handle_info(self, message: Any) -> Any:
        match message:
            case Events(events):
                for event in events:
                    await self.consume(event)
                self.vm.send(self.source, Ask(self.pid, len(events)))
            case Down(_, _, reason):
                raise Stop(("producer_down", reason))
            case _:
                return await super().handle_info(message)
        return None


class Numbers(Producer):
    """0, 1, 2 and so on."""

    async def init(self) -> None:
        self.next = 0

    async def produce(self, count: int) -> Sequence[int]:
        self.next += count
        return range(self.next - count, self.next)


class Squares(Transform):
    """The square of each number."""

    async def transform(self, event: int) -> int:
        return event * event


class Printer(Consumer):
    """Takes its time."""

    async def init(self, source: Dest) -> Any:
        return self.subscribe(source)

    async def consume(self, event: Any) -> None:
        await asyncio.sleep(0.1)
        print(event)


async def main() -> None:
    """Print squares for two seconds."""
    async with VM() as vm:
        stages = [
            child(Numbers, name="numbers"),
            child(Squares, "numbers", name="squares"),
            child(Printer, "squares"),
        ]
        await vm.start(Supervisor, stages, strategy="rest_for_one")
        await asyncio.sleep(2)


if __name__ == "__main__":
    asyncio.run(main())
