"""A counter that crashes, and is back before anybody asks again."""

import asyncio

from counter import Add, Counter

from aybiza.actors.runtime import VM, CallExit, From
from aybiza.supervisors import Supervisor, child


class Fragile(Counter):
    async def handle_call(self, request: Add, from_: From) -> int:
        if request.amount < 0:
            raise ValueError("a counter counts up")
        return await super().handle_call(request, from_)


async def main() -> None:
    async with VM() as vm:
        children = [child(Fragile, 0, name="counter")]
        await vm.start(Supervisor, children, strategy="one_for_one", max_restarts=3, max_seconds=5)
        print("counted to", await vm.call("counter", Add(2)))
        first = vm.whereis("counter")
        try:
            await vm.call("counter", Add(-1))
        except CallExit as failure:
            print("the call failed:", failure.reason)
        while vm.whereis("counter") in (None, first):
            await asyncio.sleep(0.001)
        print("another process is there")
        print("counted to", await vm.call("counter", Add(1)))


if __name__ == "__main__":
    asyncio.run(main())
