"""The settings name the stores; a store that cannot be had keeps no node from starting."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from aybiza.actors.memory.process_store import ProcessStore
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import About, Wanted
from aybiza.actors.memory.stores import stores, warm
from aybiza.config.settings import load


def test_the_stores_come_in_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    path = str(tmp_path / "memory.sqlite3")
    made = stores(load({"AYBIZA_MEMORY": "memory+sqlite", "AYBIZA_MEMORY_PATH": path}))
    assert [type(store) for store in made] == [ProcessStore, SqliteStore]
    assert made[1].name == path
    assert list(tmp_path.iterdir()) == []


async def test_a_node_that_starts_deletes_the_calls_whose_time_is_up(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "memory.sqlite3")
    for n in range(300):
        store.claim(f"CA{n}", 1, About(opened=1.0, expires=2.0))
    await warm([store], None)
    assert len(store.find(Wanted(), 1000)) == 300
    await warm([store], 3.0)
    assert store.find(Wanted(), 1) == []
    store.close()


async def test_a_store_that_cannot_be_had_is_named_and_the_others_are_opened(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    good = tmp_path / "good.sqlite3"
    made = [SqliteStore(tmp_path / "file" / "memory.sqlite3"), SqliteStore(good)]
    with capture_logs() as logs:
        await warm(made, 1.0)
    assert [(log["event"], log["store"]) for log in logs] == [("memory_not_ready", made[0].name)]
    assert good.exists()
    for store in made:
        store.close()
