"""Agents are changed without a restart: for new calls, and only by files that can be used."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.runtime import VM, virtual_time
from aybiza.actors.switchboard import Answering, Switchboard
from aybiza.actors.switchboard_actor import LOOK_SECONDS, SwitchboardActor
from aybiza.config.agents import AgentError
from aybiza.config.routes import Route, Routes, load_routes
from aybiza.dialogue.tools.tool_files import ToolFiles
from tests.gateway.kit import POLICY

AGENT = 'name = "{name}"\ngreeting = "Hello."\nsystem_prompt = "Be kind."\n'
ROUTES = '[routes.one]\nagent = "one.toml"\nnumbers = ["+14155550100"]\n'


class Place:
    """A folder with a node's files, and what is told of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "routes.toml"
        self.clock = 1
        self.write("one.toml", AGENT.format(name="One"))
        self.write("routes.toml", ROUTES)
        self.board = Switchboard(self.load(), make)
        self.told: list[str] = []

    def load(self) -> Routes:
        return load_routes(self.path, "clinic")

    def write(self, name: str, text: str) -> None:
        """Write a file of another time than before, however fast the test is, and at one stroke:
        a thread of the actor's may be looking."""
        self.clock += 1
        path = self.folder / f"{name}.new"
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self.clock, self.clock))
        path.replace(self.folder / name)

    async def start(self, vm: VM) -> None:
        vm.telemetry.attach(
            "test", events.AGENT_FILES, lambda _, __, about, ___: self.told.append(about["outcome"])
        )
        await vm.start(SwitchboardActor, self.board, self.load, name=names.SWITCHBOARD)

    def answers(self, number: str = "+14155550100") -> str:
        return self.board.answering({"To": number}).agent.name

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(50 * LOOK_SECONDS):
            while not holds():  # noqa: ASYNC110 - time is virtual
                await asyncio.sleep(0.5)


def make(route: Route) -> Answering:
    toolbox = ToolFiles().toolbox(route.agent)
    return Answering(route.agent, toolbox, POLICY, route.tenant, route.name)


@virtual_time
async def test_a_changed_agent_answers_the_next_call(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with VM("here") as vm:
        await place.start(vm)
        under_way = place.board.answering({"To": "+14155550100"})
        place.write("one.toml", AGENT.format(name="Two"))
        await place.until(lambda: place.answers() == "Two")
    assert under_way.agent.name == "One"
    assert place.told == ["taken"]


@virtual_time
async def test_a_file_that_is_being_written_is_not_taken_up(tmp_path: Path) -> None:
    place = Place(tmp_path)
    answered: set[str] = set()
    async with VM("here") as vm:
        await place.start(vm)
        # Each time another half of it, and each can be used.
        for number in range(10):
            place.write("one.toml", AGENT.format(name=f"Half {number}"))
            await asyncio.sleep(0.9 * LOOK_SECONDS)
            answered.add(place.answers())
        place.write("one.toml", AGENT.format(name="Whole"))
        await place.until(lambda: place.answers() == "Whole")
    assert answered == {"One"} and place.told == ["taken"]


@virtual_time
async def test_a_new_route_is_taken_up_and_the_others_keep_their_tools(tmp_path: Path) -> None:
    place = Place(tmp_path)
    before = place.board.answering({"To": "+14155550100"})
    async with VM("here") as vm:
        await place.start(vm)
        place.write("two.toml", AGENT.format(name="Two"))
        more = '[routes.two]\nagent = "two.toml"\nnumbers = ["+14155550111"]\n'
        place.write("routes.toml", ROUTES + more)
        await place.until(lambda: place.answers("+14155550111") == "Two")
    assert place.board.answering({"To": "+14155550100"}) is before


@virtual_time
async def test_a_file_that_nobody_foresaw_is_told_once_and_the_next_one_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)
    monkeypatch.setattr(place, "load", lambda: 1 // 0)
    with capture_logs() as logs:
        async with VM("here") as vm:
            await place.start(vm)
            place.write("one.toml", AGENT.format(name="Two"))
            await place.until(lambda: vm.now() > 5 * LOOK_SECONDS)
    told = [line for line in logs if line["event"] == "agents_not_looked_at"]
    assert len(told) == 1 and "ZeroDivisionError" in told[0]["reason"]


@virtual_time
async def test_a_broken_file_changes_nothing_and_is_told_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    with capture_logs() as logs:
        async with VM("here") as vm:
            await place.start(vm)
            place.write("one.toml", AGENT.format(name="Two") + "voice = 5\ntype = 6\n")
            await place.until(lambda: bool(place.told))
            await place.until(lambda: vm.now() > 5 * LOOK_SECONDS)
            assert (place.answers(), place.told) == ("One", ["refused"])
            place.write("one.toml", AGENT.format(name="Three"))
            await place.until(lambda: place.answers() == "Three")
    (line,) = [line for line in logs if line["event"] == "agents_refused"]
    assert line["problems"] == 2
    assert line["first"].endswith("one.toml:4: voice = 5: must be a text, not a whole number")


@virtual_time
async def test_a_fault_in_a_file_that_is_new_is_mended_there(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with VM("here") as vm:
        await place.start(vm)
        place.write("routes.toml", ROUTES.replace("one.toml", "new.toml"))
        await place.until(lambda: place.told == ["refused"])
        place.write("new.toml", AGENT.format(name="New"))
        await place.until(lambda: place.answers() == "New")


@virtual_time
async def test_tools_that_there_are_not_are_refused_like_any_fault(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with VM("here") as vm:
        await place.start(vm)
        place.write("one.toml", AGENT.format(name="Two") + 'tools = ["fly"]\n')
        await place.until(lambda: place.told == ["refused"])
        assert place.answers() == "One"


@virtual_time
async def test_what_has_changed_before_the_actor_looks_is_taken_up(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write("one.toml", AGENT.format(name="Two"))
    async with VM("here") as vm:
        await place.start(vm)
        await place.until(lambda: place.answers() == "Two")


@virtual_time
async def test_an_actor_that_crashes_leaves_what_is_in_force(tmp_path: Path) -> None:
    place = Place(tmp_path)
    async with VM("here") as vm:
        await place.start(vm)
        vm.exit(names.SWITCHBOARD, "kill")
        assert place.answers() == "One"


def test_a_file_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "one.toml").unlink()
    try:
        place.load()
    except AgentError as error:
        assert "cannot be read" in str(error)
