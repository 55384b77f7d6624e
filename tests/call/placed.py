"""A world that places calls: the node's own actor, a carrier's API in memory, and who is called.

async def talk(desk: PlacedWorld) -> None:
    await desk.dial(ANN)
    await desk.until(lambda: desk.outcome() == "human")

placed(tmp_path, talk, people={ANN: (says("Hello?", after_ms=300), hangs_up())})
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from aybiza.actors import names
from aybiza.actors.outbound.attempt_store import AttemptStore
from aybiza.actors.outbound.outbound_actor import Dial, Means, OutboundActor, Status
from aybiza.config.agents import Agent
from aybiza.config.outbound import Rules, load_rules
from aybiza.emulators.phone.phone import ACCOUNT
from aybiza.emulators.services.placed_calls import Callback, Party, Pickup, PlacedCalls
from aybiza.faults.caller import Step, script_of
from aybiza.faults.telephone import HTTP_URL, Telephone, post
from aybiza.faults.world import World, in_world
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.gateway.control.placing import Api, RestPlacer
from aybiza.gateway.placed import Addresses, addresses
from aybiza.supervisors.child_spec import child
from aybiza.supervisors.supervisor import Supervisor

OURS, ANN, BOB = "+14155550100", "+14155552671", "+14155552672"
TOKEN = "t0ken-of-the-account"
RULES = f"""
own_numbers = ["{OURS}"]
opt_in = "opt_in.csv"
do_not_call = "do_not_call.csv"

[limits]
attempts_a_day = 5
spacing_minutes = 10
"""


def _wall() -> float:
    """The world's own clock, by whatever `time` is there."""
    return time.time()


def rules_in(folder: Path, *people: str, text: str = RULES) -> Callable[[], Rules]:
    """The rules of a node that may call these."""
    folder.mkdir(exist_ok=True)
    (folder / "opt_in.csv").write_text("".join(f"{one}\n" for one in people))
    (folder / "do_not_call.csv").write_text("")
    (folder / "outbound.toml").write_text(text)
    return lambda: load_rules(folder / "outbound.toml")


class PlacedWorld:
    """See the module. `reports` of the calls, by who was called."""

    def __init__(
        self, world: World, folder: Path, people: Mapping[str, Sequence[Step]], **options: Any
    ) -> None:
        self.world = world
        self.people = people
        self.calls = PlacedCalls(ACCOUNT, TOKEN, (OURS,), options.pop("parties", {}), cps=10)
        self.orders = 0
        self.phones: dict[str, Telephone] = {}
        self.statuses: list[int] = []
        api = Api("twilio", f"https://carrier.world/2010-04-01/Accounts/{ACCOUNT}", ACCOUNT, TOKEN)
        transport = httpx.MockTransport(self._carrier)
        placer = RestPlacer(api, self._addresses, transport=transport, **options)
        self.store = AttemptStore(folder / "outbound.sqlite3")
        everybody = (ANN, BOB)
        self.means = Means(
            self.store,
            placer,
            rules_in(folder, *everybody),
            lambda name: next((w for w in world.switchboard if name in (w.route, "desk")), None),
            _wall,
        )
        self._tasks: list[asyncio.Task[Any]] = []

    async def open(self) -> None:
        """Begin to place calls."""
        spec = child(OutboundActor, self.means, name=names.OUTBOUND)
        await self.world.vm.start(Supervisor, [spec], name="placing")
        self._tasks.append(asyncio.create_task(self._drive()))

    async def close(self) -> None:
        """End it."""
        await self.world.vm.stop("placing", "shutdown", 5.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.store.close()

    async def dial(self, to: str, own: str = "") -> dict[str, Any]:
        """Ask for a call."""
        asked = Dial(to, "desk", own)
        answer: dict[str, Any] = await self.world.vm.call(names.OUTBOUND, asked, 10.0)
        return answer

    async def status(self) -> dict[str, Any]:
        """What has come of calls."""
        answer: dict[str, Any] = await self.world.vm.call(names.OUTBOUND, Status(), 10.0)
        return answer

    async def outcome(self, within: float = 300.0) -> str:
        """What came of the last single call, once it is settled."""
        async with asyncio.timeout(within):
            while True:
                last = (await self.status())["attempts"][-1]["outcome"]
                if last not in ("asked", "placed", "ringing", "answered"):
                    return str(last)
                await asyncio.sleep(0.5)

    def heard(self, who: str) -> str:
        """All that whoever was called has heard."""
        return self.phones[who].report.heard_text

    def _addresses(self, attempt: Any) -> Addresses:
        seals = self.world.nodes[0].door.admission.seals
        return addresses(attempt, HTTP_URL, CARRIERS["twilio"], seals, ACCOUNT)

    def _carrier(self, request: httpx.Request) -> httpx.Response:
        self.orders += request.method == "POST"
        post_ = request.method == "POST"
        given = request.content.decode() if post_ else request.url.query.decode()
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = self.calls.asked(request.method, request.url.path, headers, given, time.time())
        return httpx.Response(answer.status, content=answer.body)

    async def _drive(self) -> None:
        while True:
            for step in self.calls.due(time.time()):
                await self._do(step)
            await asyncio.sleep(0.1)

    async def _do(self, step: Callback | Pickup) -> None:
        if isinstance(step, Callback):
            status, _ = await post(self.world._application, step.url, step.form)
            self.statuses.append(status)
            return
        phone = Telephone(
            script_of(self.people[step.to]),
            self.world._application,
            self.world._accept,
            frames=5,
            from_number=step.from_number,
            to_number=step.to,
            call_sid=step.sid,
        )
        phone._http = step.url
        self.phones[step.to] = phone
        self._tasks.append(asyncio.create_task(self._talk(phone, step.sid)))

    async def _talk(self, phone: Telephone, sid: str) -> None:
        async with phone:
            await phone.run()
        for step in self.calls.ended(sid, time.time()):
            await self._do(step)


def placed(
    folder: Path,
    talk: Callable[[PlacedWorld], Awaitable[Any]],
    *,
    people: Mapping[str, Sequence[Step]] = {},
    agent: Agent,
    parties: Mapping[str, Party] = {},
    detect: bool = False,
    **options: Any,
) -> Any:
    """Run `talk` in a world that may call `people`."""

    async def run(world: World) -> Any:
        desk = PlacedWorld(world, folder, people, parties=dict(parties), detect=detect)
        await desk.open()
        try:
            return await talk(desk)
        finally:
            await desk.close()

    return in_world(run, agent=agent, **options)
