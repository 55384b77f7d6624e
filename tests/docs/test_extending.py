"""What the page on extending shows: each toy is added, and does its work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.measures.metrics_sink import put_metric
from aybiza.actors.memory.store import UNKNOWN, Part, Row
from aybiza.actors.memory.stores import stores
from aybiza.actors.runtime import VM
from aybiza.config import plugs
from aybiza.config.agents import load_agent
from aybiza.config.settings import SettingsError, load
from aybiza.dialogue.tools.catalogue import load_tools
from aybiza.emulators.bedrock import Reply, ToolUse
from aybiza.faults.acts import ACTS
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.fault import KINDS, Fault
from aybiza.faults.plan import Plan
from aybiza.faults.trial import tried
from aybiza.faults.world import World, in_world
from aybiza.gateway.admission import policy
from aybiza.gateway.carriers.codec import Media, Start, Stop
from aybiza.gateway.carriers.paths import chosen
from aybiza.supervisors import Supervisor
from tests.actors.measures.test_metrics_sink import until

PAGE = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
TABLES: tuple[dict[str, Any], ...] = (plugs.MEMORY_STORES, plugs.CARRIERS, ACTS, KINDS)


def shown(title: str) -> str:
    """The code of a part of the page."""
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    (code,) = re.findall(r"```\w+\n(.*?)```", part, re.S)
    return str(code)


def made(title: str) -> dict[str, Any]:
    """What the code of a part of the page has made."""
    names: dict[str, Any] = {"__name__": "toy"}
    exec(compile(shown(title), title, "exec"), names)
    return names


@pytest.fixture(autouse=True)
def _tables_as_they_were() -> Iterator[None]:
    before = [dict(table) for table in TABLES]
    yield
    for table, was in zip(TABLES, before, strict=True):
        table.clear()
        table.update(was)


def test_an_agent_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "tea.toml"
    path.write_text(shown("An agent"), encoding="utf-8")
    agent = load_agent(str(path))

    async def talk(world: World) -> str:
        async with world.call(says("Green tea, please."), hangs_up()) as call:
            await call.over()
            return call.heard

    assert agent.greeting in in_world(talk, agent=agent)
    assert "nothing else" in agent.custom_instructions


def test_a_tool_is_a_file_and_a_table(tmp_path: Path) -> None:
    (tmp_path / "tea_tools.py").write_text(shown("A tool"), encoding="utf-8")
    (tmp_path / "tools.toml").write_text('[python.tea]\nfile = "tea_tools.py"\n')
    registry = load_tools(tmp_path / "tools.toml", region="us-east-1", environment={}).registry
    replies = [Reply((ToolUse("brew", {}),)), "Three minutes."]

    async def talk(world: World) -> str:
        async with world.call(says("How long?"), hangs_up(when="Three")) as call:
            await call.over()
            return call.heard

    assert "Three minutes." in in_world(talk, toolbox=registry, answers={"How long?": replies})
    assert registry.statistics()["brew"].runs == 1


async def test_a_sink_is_a_child() -> None:
    toy = made("A sink")
    service = toy["service"]
    async with VM() as vm:
        await vm.start(Supervisor, [toy["row"]], name="root")
        put_metric(vm, "Brewed", {"cups": 1}, at=7.0)
        await until(lambda: service.sent)
        await vm.stop("root")
    assert service.sent[0].startswith("Brewed at ")


def put(row: str, table: dict[str, str], title: str, path: Path, to: pytest.MonkeyPatch) -> None:
    """Write the code of a part of the page into the file that its row names, and add the row."""
    (name, module) = re.findall(r'`"(\w+)": "((?:\w|:)+)"`', PAGE.partition(f"## {title}\n")[2])[0]
    assert name == row
    (path / f"{module.partition(':')[0]}.py").write_text(shown(title), encoding="utf-8")
    to.syspath_prepend(path)
    table[name] = module


def test_a_store_is_a_file_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError):
        load({"AYBIZA_MEMORY": "counted"})
    put("counted", plugs.MEMORY_STORES, "A store", tmp_path, monkeypatch)
    (store,) = stores(load({"AYBIZA_MEMORY": "counted"}))
    epoch, _ = store.claim("CA1", 1, UNKNOWN)
    store.write([Part("CA1", epoch, None, [Row("CA1", 1, 1, 0.0, {"type": "resumed"})])])
    assert [row.number for row in store.read("CA1")] == [1]
    assert vars(store)["writes"] == 1


def test_a_carrier_is_a_file_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError):
        load({"AYBIZA_CARRIERS": "toy"})
    put("toy", plugs.CARRIERS, "A carrier", tmp_path, monkeypatch)
    (carrier,) = chosen(load({"AYBIZA_CARRIERS": "toy"}).carriers)
    codec = carrier.codec()
    (start,) = codec.decode('{"event": "hello", "call": "CA1"}')
    (media,) = codec.decode(b"\xff" * 160)
    assert isinstance(start, Start) and start.call_sid == "CA1"
    assert isinstance(media, Media) and media.payload == b"\xff" * 160
    assert codec.decode('{"event": "bye"}') == [Stop()]
    assert codec.media(b"x") == [b"x"]
    assert "/media/toy" in [door.path for door in policy._table()]


def test_a_fault_is_an_act_and_its_kind() -> None:
    made("A fault")
    fault = Fault("startle", "CallActor", at=1.0, text="boo").checked()
    outcome = tried(Plan(steps=[{"say": "Hello."}, {"hang_up": True}], faults=[fault]))
    assert "boo" in str(outcome.trace)


def test_every_part_of_the_page_has_its_test() -> None:
    parts = re.findall(r"^## (.+)$", PAGE, re.M)
    assert parts == ["An agent", "A tool", "A sink", "A store", "A carrier", "A fault"]
