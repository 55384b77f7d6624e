"""An order: open, paid or lapsed. What it does with a message depends on where it stands."""

import asyncio
from typing import Any

from aybiza.actors.runtime import (
    VM,
    Begin,
    GenStateMachine,
    KeepState,
    NextState,
    ReplyTo,
    StateTimeout,
    run_virtual,
)

MINUTES = 60


class Order(GenStateMachine):
    callback_mode = "state_functions"
    state_enter = True

    async def init(self, price: int) -> Begin:
        return Begin("open", price)

    async def open(self, type: Any, content: Any, price: int) -> Any:
        match type, content:
            case "enter", _:
                return KeepState(actions=StateTimeout(15 * MINUTES))
            case ("call", customer), ("pay", amount) if amount == price:
                return NextState("paid", actions=ReplyTo(customer, "thank you"))
            case ("call", customer), ("pay", _):
                return KeepState(actions=ReplyTo(customer, f"it costs {price}"))
            case "state_timeout", _:
                return NextState("lapsed")

    async def paid(self, type: Any, content: Any, price: int) -> Any:
        match type, content:
            case ("call", customer), _:
                return KeepState(actions=ReplyTo(customer, "it is paid"))

    async def lapsed(self, type: Any, content: Any, price: int) -> Any:
        match type, content:
            case ("call", customer), _:
                return KeepState(actions=ReplyTo(customer, "too late"))


async def main() -> None:
    async with VM() as vm:
        await vm.start(Order, 12, name="cake")
        print(await vm.call("cake", ("pay", 10)))
        print(await vm.call("cake", ("pay", 12)))
        print(await vm.call("cake", ("pay", 12)))
        await vm.start(Order, 5, name="tea")
        await asyncio.sleep(16 * MINUTES)
        print(await vm.call("tea", ("pay", 5)))


if __name__ == "__main__":
    run_virtual(main())
