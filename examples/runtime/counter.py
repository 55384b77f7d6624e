"""A process that counts."""

import asyncio
from dataclasses import dataclass

from aybiza.actors.runtime import VM, From, GenServer, Request


@dataclass(frozen=True, slots=True)
class Add(Request[int]):
    amount: int


class Counter(GenServer[Add]):
    async def init(self, start: int) -> None:
        self.count = start

    async def handle_call(self, request: Add, from_: From) -> int:
        self.count += request.amount
        return self.count


async def main() -> None:
    async with VM() as vm:
        counter = await vm.start(Counter, 40)
        assert counter is not None
        print(await vm.call(counter, Add(1)))
        print(await vm.call(counter, Add(1)))


if __name__ == "__main__":
    asyncio.run(main())
