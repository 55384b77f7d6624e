"""Who places calls: requests in words, rules read anew, and a disk ahead of the carrier."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.outbound.attempt_store import AttemptStore
from aybiza.actors.outbound.outbound_actor import (
    FILES_SECONDS,
    LEDGER_SECONDS,
    Dial,
    Forget,
    Means,
    OutboundActor,
    RunCampaign,
    Status,
)
from aybiza.actors.runtime import VM, virtual_time
from aybiza.dialogue.outbound.dialler import Answer, Heard, Told
from aybiza.dialogue.outbound.ledger import Ledger
from tests.call.placed import ANN, BOB, OURS, RULES, rules_in


class Carrier:
    """Takes every order, and notes what the disk had by then."""

    def __init__(self) -> None:
        self.store: Any = None
        self.placed: list[str] = []
        self.on_disk: list[int] = []

    async def place(self, attempt: Any) -> Answer:
        self.placed.append(attempt.to)
        self.on_disk.append(len(self.store.open(0.0)))
        return Answer(attempt.id, f"CA{len(self.placed)}")

    async def look_up(self, attempt: Any, call_id: str) -> Told | None:
        return None


class Who:
    """Stands for an `Answering`."""

    route, tenant = "default", "Napoli"


def means(folder: Path, carrier: Carrier, text: str = RULES) -> Means:
    carrier.store = AttemptStore(folder / "outbound.sqlite3")
    known: Any = {"clinic": Who()}
    read = rules_in(folder, ANN, text=text)
    return Means(carrier.store, carrier, read, known.get, lambda: 1_000_000.0)


async def begun(vm: VM, made: Means) -> None:
    await vm.start(OutboundActor, made, name=names.OUTBOUND)


async def ask(vm: VM, request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await vm.call(names.OUTBOUND, request, 10.0)
    return answer


@virtual_time
async def test_an_attempt_is_on_the_disk_before_the_carrier_is_asked(tmp_path: Path) -> None:
    carrier = Carrier()
    async with VM() as vm:
        await begun(vm, means(tmp_path, carrier))
        answer = await ask(vm, Dial(ANN, "clinic"))
        await asyncio.sleep(1)
        assert (carrier.placed, carrier.on_disk) == ([ANN], [1])
        (row,) = (await ask(vm, Status()))["attempts"]
        assert (row["id"], row["outcome"], row["call"]) == (answer["attempt"], "placed", "CA1")
        vm.cast(names.OUTBOUND, Heard(answer["attempt"], "human"))
        vm.cast(names.OUTBOUND, Told(answer["attempt"], "completed", "CA1", seconds=9))
        vm.cast(names.OUTBOUND, "nonsense")
        status = await ask(vm, Status())
        assert status["campaigns"][0]["outcomes"] == {"human": 1}
        await vm.stop(names.OUTBOUND, "shutdown", 5.0)


@virtual_time
async def test_a_disk_that_does_not_take_it_keeps_the_call_from_being_placed(
    tmp_path: Path,
) -> None:
    carrier = Carrier()
    async with VM() as vm:
        made = means(tmp_path, carrier)
        await begun(vm, made)

        def full(_: Any) -> None:
            raise OSError("no space left")

        keep, made.store.keep = made.store.keep, full  # type: ignore[assignment, method-assign]
        pid = vm.whereis(names.OUTBOUND)
        refused = {"refused": "ledger", "words": "the ledger cannot be had: no space left"}
        assert await ask(vm, Dial(ANN, "clinic")) == refused
        assert await ask(vm, Status()) == refused
        made.store.keep = keep  # type: ignore[method-assign]
        await asyncio.sleep(LEDGER_SECONDS + 1)
        assert "attempt" in await ask(vm, Dial(ANN, "clinic"))
        await asyncio.sleep(1)
        assert (carrier.placed, vm.whereis(names.OUTBOUND)) == ([ANN], pid)
        await vm.stop(names.OUTBOUND, "shutdown", 5.0)


@virtual_time
async def test_what_cannot_be_done_is_refused_in_words_counted_and_told(tmp_path: Path) -> None:
    told: list[Any] = []
    async with VM() as vm:
        vm.telemetry.attach("t", events.OUTBOUND_REFUSED, lambda *a: told.append(a[2]["reason"]))
        await begun(vm, means(tmp_path, Carrier()))
        spec = {"name": "c", "agent": "clinic", "from": OURS, "numbers": [ANN]}
        asked: list[tuple[Any, str]] = [
            (Dial(BOB, "clinic"), "no_opt_in"),
            (Dial(ANN, "nobody"), "agent"),
            (Dial("12", "clinic"), "number"),
            (Dial(ANN, "clinic", "+14155550199"), "caller_id"),
            (RunCampaign({**spec, "agent": "nobody"}), "agent"),
            (RunCampaign({**spec, "from": "+14155550199"}), "caller_id"),
            (RunCampaign({**spec, "numbers": "people.csv"}), "campaign"),
            (RunCampaign({"name": "c"}), "campaign"),
            (Status("c"), "campaign"),
            ("nonsense", "request"),
        ]
        for request, reason in asked:
            answer = await ask(vm, request)
            assert answer["refused"] == reason and answer["words"], request
        assert told == ["no_opt_in", "caller_id"]
        await vm.stop(names.OUTBOUND, "shutdown", 5.0)


@virtual_time
async def test_rules_that_break_have_nobody_called_and_mended_ones_hold(tmp_path: Path) -> None:
    async with VM() as vm:
        await begun(vm, means(tmp_path, Carrier()))
        (tmp_path / "do_not_call.csv").write_text("4155552671\n")
        await asyncio.sleep(FILES_SECONDS + 1)
        answer = await ask(vm, Dial(ANN, "clinic", OURS))
        assert answer["refused"] == "rules" and "do_not_call.csv:1" in answer["words"]
        (tmp_path / "do_not_call.csv").write_text(f"{ANN}\n")
        await asyncio.sleep(FILES_SECONDS + 1)
        assert (await ask(vm, Dial(ANN, "clinic")))["refused"] == "do_not_call"
        await vm.stop(names.OUTBOUND, "shutdown", 5.0)


@virtual_time
async def test_a_number_that_is_forgotten_is_not_called_by_the_campaign_that_runs(
    tmp_path: Path,
) -> None:
    carrier = Carrier()
    async with VM() as vm:
        made = means(tmp_path, carrier)
        (tmp_path / "opt_in.csv").write_text(f"{ANN}\n{BOB}\n")
        await begun(vm, replace(made, has_room=lambda: room))
        room = False
        people = ["+1 415 555 2671", BOB]
        spec = {"name": "c", "agent": "clinic", "from": OURS, "numbers": people}
        assert "running" in await ask(vm, RunCampaign(spec))
        assert await ask(vm, Forget(ANN)) == {"forgotten": 0, "going_on": []}
        room = True
        await asyncio.sleep(10)
        assert carrier.placed == [BOB]
        (attempt,) = Ledger.of(made.store.open(0.0)).attempts
        assert await ask(vm, Forget(BOB)) == {"forgotten": 0, "going_on": [attempt]}
        vm.cast(names.OUTBOUND, Told(attempt, "completed", "CA1", seconds=9, by="human"))
        assert await ask(vm, Forget(BOB)) == {"forgotten": 1, "going_on": []}
        await asyncio.sleep(10)
        assert carrier.placed == [BOB]
        (row,) = (await ask(vm, Status("c")))["campaigns"]
        assert (row["state"], row["numbers"], row["attempts"]) == ("done", 0, 0)
        await vm.stop(names.OUTBOUND, "shutdown", 5.0)


@virtual_time
async def test_without_room_at_any_node_nobody_is_called(tmp_path: Path) -> None:
    async with VM() as vm:
        await begun(vm, replace(means(tmp_path, Carrier()), has_room=lambda: False))
        assert (await ask(vm, Dial(ANN, "clinic")))["refused"] == "full"
        await vm.stop(names.OUTBOUND, "shutdown", 5.0)


@virtual_time
async def test_only_one_has_the_ledger(tmp_path: Path) -> None:
    async with VM() as vm:
        await begun(vm, means(tmp_path, Carrier()))
        await vm.start(OutboundActor, means(tmp_path, Carrier()), name="other")
        answer = await vm.call("other", Dial(ANN, "clinic"), 10.0)
        assert answer["refused"] == "ledger"
        assert "another node places calls by it" in answer["words"]
        await vm.stop(names.OUTBOUND, "shutdown", 5.0)
        await asyncio.sleep(LEDGER_SECONDS + 1)
        assert "attempt" in await vm.call("other", Dial(ANN, "clinic"), 10.0)
        await vm.stop("other", "shutdown", 5.0)
