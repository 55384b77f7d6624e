"""The file of turns, charges and calls: what stands in it, and what its troubles do."""

from __future__ import annotations

import sqlite3
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.measures import events
from aybiza.actors.measures import records as module
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.records import TABLES, Item, Records, RecordsError, reading
from aybiza.actors.measures.turn_fold import STAGES
from aybiza.actors.runtime.telemetry import Event
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.world import World, in_world

ANSWERS = {"Your hours?": ["From nine to five, goodbye."]}
NUMBER = "+14155550100"


def charge(at: float, micro_usd: int = 7) -> Item:
    return "charges", {"at": at, "call_id": "CA1", "what": "model", "micro_usd": micro_usd}


@pytest.fixture
def records(tmp_path: Path) -> Any:
    made = Records(tmp_path / "records.sqlite3", node="vm-1", days=3650)
    yield made
    made.close()


def rows(path: Path, table: str) -> list[dict[str, Any]]:
    with reading(path) as connection:
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY at")]


def test_a_whole_call_is_written_without_its_words_and_numbers(records: Records) -> None:
    async def talk(world: World) -> list[Item]:
        items: list[Item] = []

        def hear(event: Event, measured: Any, told: Any, _: Any) -> None:
            items.extend(records.hear(event, measured, told, time.time()))

        world.vm.telemetry.attach_many("records", list(Records.events), hear)
        async with world.call(says("Your hours?"), hangs_up(when="goodbye")) as call:
            await call.over()
        return items

    records.put(in_world(talk, answers=ANSWERS))
    (turn,) = rows(records.path, "turns")
    assert (turn["node"], turn["call_id"], turn["turn"]) == ("vm-1", "CA1", 1)
    assert turn["outcome"] == "answered"
    assert all(turn[stage] is not None for stage in STAGES)
    (call,) = rows(records.path, "calls")
    assert (call["carrier"], call["turns"]) == ("twilio", 1)
    charges = rows(records.path, "charges")
    assert call["micro_usd"] == sum(row["micro_usd"] for row in charges) > 0
    assert turn["micro_usd"] <= call["micro_usd"]
    everything = records.path.read_bytes()
    wal = records.path.with_name("records.sqlite3-wal")
    everything += wal.read_bytes() if wal.exists() else b""
    assert b"hours" not in everything and b"nine" not in everything
    assert NUMBER.encode() not in everything


def test_the_file_is_its_owners_alone(records: Records) -> None:
    records.put([charge(time.time())])
    assert stat.S_IMODE(records.path.stat().st_mode) == 0o600


def test_two_nodes_write_to_one_file_and_a_restarted_one_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    for node in ("vm-1", "vm-2", "vm-1"):
        one = Records(path, node=node, days=90)
        one.put([("charges", {"at": time.time(), "node": node, "micro_usd": 1})])
        one.close()
    assert [row["node"] for row in rows(path, "charges")] == ["vm-1", "vm-2", "vm-1"]


def test_what_is_older_than_its_days_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    old, now = time.time() - 3 * 86_400, time.time()
    for days, left in ((90, 2), (2, 1)):
        one = Records(path, node="vm-1", days=days)
        one.put([charge(old)] * (days == 90) + [charge(now)] * (days == 90))
        one.put([])
        one.close()
        assert len(rows(path, "charges")) == left


def test_old_rows_go_though_the_clock_was_ahead_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PRUNE_SECONDS", 0.0)
    one, now = Records(tmp_path / "records.sqlite3", node="vm-1", days=2), time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now + 86_400)
        one.put([])
    one.put([charge(now - 3 * 86_400)])
    one.close()
    assert rows(one.path, "charges") == []


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(records: Records) -> None:
    records.path.write_bytes(b"this is no database, but it is long enough to be read" * 40)
    records.path.chmod(0o600)
    with pytest.raises(SinkError, match="not a database") as refused:
        records.put([charge(1.0)])
    assert refused.value.again
    records.put([charge(time.time())])
    assert len(rows(records.path, "charges")) == 1
    assert records.path.with_name("records.sqlite3.damaged").exists()


@pytest.mark.parametrize("renamed", [True, False])
def test_a_file_that_is_renamed_or_deleted_gives_way_to_a_new_one(
    tmp_path: Path, renamed: bool
) -> None:
    path = tmp_path / "records.sqlite3"
    nodes = [Records(path, node=node, days=90) for node in ("vm-1", "vm-2")]
    for one in nodes:
        one.put([charge(time.time())])
    if renamed:
        path.rename(tmp_path / "aside")
    else:
        path.unlink()
    for one in nodes * 2:
        one.put([charge(time.time())])
    assert len(rows(path, "charges")) == 4
    for one in nodes:
        one.close()
    assert len(rows(path, "charges")) == 4


def test_of_nodes_that_find_the_same_damage_one_sets_the_file_aside(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    one, other = (Records(path, node=node, days=90) for node in ("vm-1", "vm-2"))
    for each in (one, other):
        each.put([charge(time.time())])
    one._set_aside()
    one.put([charge(time.time())])
    other._set_aside()
    other.put([charge(time.time())])
    assert len(rows(path, "charges")) == 2
    one.close()
    other.close()


def test_a_busy_file_is_tried_again(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aybiza.actors.measures.records.BUSY_SECONDS", 0.01)
    records.put([charge(time.time())])
    records.close()
    other = sqlite3.connect(records.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SinkError, match="locked") as refused:
        records.put([charge(time.time())])
    assert refused.value.again
    other.rollback()
    other.close()
    records.put([charge(time.time())])
    assert len(rows(records.path, "charges")) == 2


def test_columns_that_an_older_version_did_not_have_are_added(records: Records) -> None:
    records.put([charge(time.time())])
    records.close()
    with sqlite3.connect(records.path) as connection:
        connection.execute("ALTER TABLE charges DROP COLUMN region")
    connection.close()
    records.put([("charges", {"at": time.time(), "region": "eu-west-1", "micro_usd": 1})])
    assert [row["region"] for row in rows(records.path, "charges")] == [None, "eu-west-1"]


def test_a_batch_is_written_whole_or_not_at_all(records: Records) -> None:
    records.put([charge(time.time())])
    with pytest.raises(SinkError) as refused:
        records.put([charge(time.time()), ("charges", {"at": 1.0, "micro_usd": None})])
    assert not refused.value.again
    assert len(rows(records.path, "charges")) == 1


def test_where_there_are_no_records_it_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(RecordsError, match="there are no records yet"),
        reading(tmp_path / "none.sqlite3"),
    ):
        pass


def test_every_column_is_told_by_an_event() -> None:
    told = {
        name
        for event in Records.events
        for name in (*events.EVENTS[event].measurements, *events.EVENTS[event].metadata)
    }
    written = {column for columns in TABLES.values() for column in columns}
    assert written - told - set(STAGES) == {"at", "node"}
