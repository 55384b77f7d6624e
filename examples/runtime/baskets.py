"""One process a customer, found by the customer's name, started when it is needed."""

import asyncio
from dataclasses import dataclass

from aybiza.actors.runtime import VM, From, GenServer, Registry, Request, Via
from aybiza.supervisors import DynamicSupervisor, Supervisor, SupervisorError, child


@dataclass(frozen=True, slots=True)
class Put(Request[list[str]]):
    article: str


class Basket(GenServer[Put]):
    async def init(self) -> None:
        self.articles: list[str] = []

    async def handle_call(self, request: Put, from_: From) -> list[str]:
        self.articles.append(request.article)
        return list(self.articles)


async def basket(vm: VM, customer: str) -> Via:
    """The basket of a customer, which is made at the first article."""
    name = Via("baskets", customer)
    if vm.whereis(name) is None:
        try:
            await DynamicSupervisor.start_child(vm, "basket_supervisor", child(Basket, name=name))
        except SupervisorError:
            assert vm.whereis(name) is not None  # somebody else was faster
    return name


async def main() -> None:
    async with VM() as vm:
        children = [
            child(Registry, name="baskets", keys="unique"),
            child(DynamicSupervisor, name="basket_supervisor", max_children=1000),
        ]
        await vm.start(Supervisor, children, strategy="one_for_all")
        print(await vm.call(await basket(vm, "ada"), Put("bread")))
        print(await vm.call(await basket(vm, "ada"), Put("cheese")))
        print(await vm.call(await basket(vm, "grace"), Put("tea")))


if __name__ == "__main__":
    asyncio.run(main())
