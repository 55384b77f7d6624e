"""A node's control has calls placed by whoever places them, and says where nobody does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.outbound.outbound_actor import Dial
from aybiza.actors.placement.placement_actor import board
from aybiza.actors.runtime import VM, GenServer
from aybiza.config.settings import load
from aybiza.console.control import control
from aybiza.console.node_outbound import children, has_room, means
from aybiza.dialogue.outbound.ledger import Attempted
from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.outbound_api import NOBODY
from tests.call.kit import world
from tests.call.placed import ANN, OURS, rules_in

ACCOUNT = {"TWILIO_ACCOUNT_SID": "AC" + "a" * 32, "TWILIO_AUTH_TOKEN": "t0ken-of-a-test"}


class Places(GenServer):
    """Stands for who places calls."""

    async def init(self) -> None:
        """There is nothing to keep."""

    async def handle_call(self, request: Any, _: Any) -> dict[str, Any]:
        return {"asked": repr(request)}


class Stands(GenServer):
    """Stands for what a node with agents has."""

    async def init(self) -> None:
        """There is nothing to keep."""


async def test_requests_are_handed_on_and_stand_in_the_audit_trail() -> None:
    told: list[str] = []
    async with VM() as vm:
        vm.telemetry.attach("t", events.OPERATOR, lambda *a: told.append(a[2]["did"]))
        await vm.start(Stands, name=names.METRICS)
        dial = {"op": "outbound", "do": "dial", "to": ANN, "agent": "clinic", "from": ""}
        with pytest.raises(ValueError, match=NOBODY):
            await control(vm, dial)
        await vm.start(Places, name=names.OUTBOUND)
        assert await control(vm, dial) == {"asked": repr(Dial(ANN, "clinic"))}
        for request in (
            {"do": "run", "campaign": {"name": "c"}},
            {"do": "stop", "name": "c"},
            {"do": "status", "name": ""},
        ):
            assert "asked" in await control(vm, {"op": "outbound", **request})
        with pytest.raises(ValueError, match="does not understand"):
            await control(vm, {"op": "outbound", "do": "sing"})
    assert told == ["outbound.dial", "outbound.run", "outbound.stop"]


class Nobody:
    """A switchboard without anybody."""

    def called(self, name: str) -> None:
        return None


def made(folder: Path, **changes: str) -> Any:
    rules_in(folder, ANN)
    file = str(folder / "outbound.toml")
    memory = str(folder / "memory.sqlite3")
    variables = {"AYBIZA_OUTBOUND_FILE": file, "AYBIZA_MEMORY_PATH": memory, **ACCOUNT, **changes}
    nobody: Any = Nobody()
    return means(load(variables), nobody, Admission(), lambda: "https://n.example")


async def test_a_node_with_rules_and_an_account_places_calls(tmp_path: Path) -> None:
    found, placer = made(tmp_path)
    attempt = Attempted("a1", ANN, OURS, "clinic", "", 0.0)
    assert placer._addresses_of(attempt).webhook.startswith("https://n.example/incoming/placed?")
    assert found.store.path == tmp_path / "outbound.sqlite3"
    assert found.answering("clinic") is None
    async with VM() as vm:
        assert len(children(vm, found)) == 1
        assert children(vm, None) == []
    await placer.aclose()


async def test_while_a_node_drains_nobody_is_called(tmp_path: Path) -> None:
    async with VM() as vm:
        own = board(vm)
        own.calls = 0
        assert has_room(vm)
        own.draining = True
        assert not has_room(vm)


def test_without_rules_or_an_account_it_does_not(tmp_path: Path) -> None:
    nobody: Any = Nobody()
    assert means(load({}), nobody, Admission(), lambda: "") is None
    with pytest.raises(ValueError, match="TWILIO_ACCOUNT_SID"):
        made(tmp_path, TWILIO_ACCOUNT_SID="")


@pytest.mark.real_time
async def test_a_running_node_places_calls_by_its_file_and_says_what_came_of_them(
    tmp_path: Path,
) -> None:
    rules_in(tmp_path, ANN)
    variables: Any = {
        **ACCOUNT,
        "AYBIZA_OUTBOUND_FILE": str(tmp_path / "outbound.toml"),
        # Nobody listens there.
        "AYBIZA_TWILIO_API": "http://127.0.0.1:9",
    }
    async with world(tmp_path, **variables) as place:
        dial = {"op": "outbound", "do": "dial", "to": ANN, "agent": "default", "from": ""}
        answer = await control(place.vm, dial)
        assert "attempt" in answer, answer
        status = {"op": "outbound", "do": "status", "name": ""}

        async def outcome() -> str:
            told = await control(place.vm, status)
            return str(told["attempts"][-1]["outcome"])

        came = "asked"
        for _ in range(400):
            came = await outcome()
            if came != "asked":
                break
            await asyncio.sleep(0.05)
        assert came == "not_placed"
        again = await control(place.vm, {**dial, "to": "+14155552672"})
        assert again["refused"] in ("no_opt_in", "rate")
