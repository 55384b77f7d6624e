"""Words in, counts out: a supervised pipeline whose worst part may fail.

Supervisor, rest_for_one
├─ counts    a GenServer that keeps the sums
├─ readers   a TaskSupervisor: one task a text, at most four at a time
└─ Source    takes texts, has them read, and hands the words on
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

from aybiza.actors.runtime import VM, From, GenServer, Request
from aybiza.supervisors import Supervisor, TaskSupervisor, child


@dataclass(frozen=True, slots=True)
class Read(Request[int]):
    """Read texts; how many could not be read."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Most(Request[list[tuple[str, int]]]):
    """The commonest words."""

    count: int


class Counts(GenServer[Most]):
    async def init(self) -> None:
        self.words: Counter[str] = Counter()

    async def handle_cast(self, words: list[str]) -> None:
        self.words.update(words)

    async def handle_call(self, request: Most, from_: From) -> list[tuple[str, int]]:
        return self.words.most_common(request.count)


async def read(text: str) -> list[str]:
    await asyncio.sleep(0.01)
    if "\0" in text:
        raise ValueError("this is no text")
    return text.lower().split()


class Source(GenServer[Read]):
    async def init(self) -> None:
        pass

    async def handle_call(self, request: Read, from_: From) -> int:
        failed = 0
        outcomes = TaskSupervisor.async_stream(
            self.vm, "readers", request.texts, read, max_concurrency=4, timeout=1.0, link=False
        )
        async for outcome in outcomes:
            match outcome:
                case ("ok", words):
                    self.vm.cast("counts", words)
                case ("exit", _):
                    failed += 1
        return failed


async def main() -> None:
    async with VM() as vm:
        children = [
            child(Counts, name="counts"),
            child(TaskSupervisor, name="readers"),
            child(Source, name="source"),
        ]
        await vm.start(Supervisor, children, strategy="rest_for_one")
        texts = ("the cat and the dog", "the bird", "\0\0\0", "the end")
        print("not read:", await vm.call("source", Read(texts)))
        print(await vm.call("counts", Most(1)))


if __name__ == "__main__":
    asyncio.run(main())
