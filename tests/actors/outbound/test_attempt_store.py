"""The ledger on disk: kept before anything is done, one process at a time, old attempts deleted."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from aybiza.actors.outbound.attempt_store import DAY, AttemptStore, Forgotten, StoreTaken
from aybiza.dialogue.outbound.ledger import Attempted, Begun, Entry, Halted, Ledger, Moved

NOW = 1_000 * DAY


def attempted(id_: str = "a1", at: float = NOW, campaign: str = "") -> Attempted:
    return Attempted(id_, "+14155552671", "+14155550100", "clinic", campaign, at)


def store(folder: Path, days: int = 90) -> AttemptStore:
    return AttemptStore(folder / "outbound.sqlite3", days=days)


def keep(own: AttemptStore, *entries: tuple[float, Entry]) -> None:
    own.open(NOW)
    own.keep(entries)
    own.close()


def test_what_is_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    entries: list[Entry] = [attempted(), Moved("a1", "placed", NOW, "CA1")]
    own = store(tmp_path)
    assert own.open(NOW) == []
    own.keep([(NOW, entry) for entry in entries])
    assert own.open(NOW) == entries
    own.close()
    own.close()
    again = store(tmp_path)
    assert again.open(NOW) == entries
    again.close()
    mode = stat.S_IMODE((tmp_path / "outbound.sqlite3").stat().st_mode)
    assert mode == 0o600


def test_two_do_not_have_it_at_a_time(tmp_path: Path) -> None:
    own = store(tmp_path)
    own.open(NOW)
    with pytest.raises(StoreTaken, match="another node places calls by it"):
        store(tmp_path).open(NOW)
    own.close()
    other = store(tmp_path)
    other.open(NOW)
    other.close()


def test_a_process_that_is_killed_leaves_what_it_has_kept(tmp_path: Path) -> None:
    code = (
        "import os, sys, pathlib\n"
        "from aybiza.actors.outbound.attempt_store import AttemptStore\n"
        "from aybiza.dialogue.outbound.ledger import Attempted\n"
        "store = AttemptStore(pathlib.Path(sys.argv[1]))\n"
        "store.open(0.0)\n"
        "store.keep([(1.0, Attempted('a1', '+1', '+2', 'clinic', '', 1.0))])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = tmp_path / "outbound.sqlite3"
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60)
    assert done.returncode == -9
    own = AttemptStore(path)
    assert list(Ledger.of(own.open(1.0)).attempts) == ["a1"]
    own.close()


def test_a_write_that_fails_keeps_nothing_of_it(tmp_path: Path) -> None:
    own = store(tmp_path)
    own.open(NOW)
    with pytest.raises(sqlite3.Error):
        own.keep([(NOW, attempted()), (None, attempted("a2"))])  # type: ignore[list-item]
    with pytest.raises(TypeError):
        own.keep([(NOW, Begun("c", NOW, {"numbers": {1, 2}}))])
    assert own.open(NOW) == []
    own.close()
    with pytest.raises(sqlite3.Error, match="is not open"):
        own.keep([(NOW, attempted())])


def test_old_attempts_go_and_what_goes_on_stays(tmp_path: Path) -> None:
    old = NOW - 91 * DAY
    settled: list[tuple[float, Entry]] = [
        (old, attempted("a1", old)),
        (old, Moved("a1", "busy", old)),
        (old, attempted("a2", old)),
        (old, Begun("runs", old, {})),
        (old, Begun("over", old, {})),
        (old, Halted("over", old, "done")),
        (NOW, attempted("a3", NOW)),
    ]
    keep(store(tmp_path), *settled)
    own = store(tmp_path)
    ledger = Ledger.of(own.open(NOW))
    own.close()
    assert list(ledger.attempts) == ["a2", "a3"]
    assert list(ledger.campaigns) == ["runs"]


def test_with_no_limit_everything_stays(tmp_path: Path) -> None:
    old = NOW - 900 * DAY
    keep(store(tmp_path, days=0), (old, attempted(at=old)), (old, Moved("a1", "busy", old)))
    own = store(tmp_path, days=0)
    assert len(own.open(NOW)) == 2
    own.close()


def test_an_entry_that_nobody_understands_is_passed_over(tmp_path: Path) -> None:
    keep(store(tmp_path), (NOW, attempted()))
    file = sqlite3.connect(tmp_path / "outbound.sqlite3")
    file.execute("INSERT INTO ledger (at, entry) VALUES (1, 'no json')")
    file.commit()
    file.close()
    own = store(tmp_path)
    assert own.open(NOW) == [attempted()]
    own.close()


def test_a_number_that_is_forgotten_stands_nowhere_in_the_file_any_more(tmp_path: Path) -> None:
    spec = {"name": "c", "numbers": ["+14155552671", "+14155552672"]}
    alone = {"name": "d", "numbers": ["+14155552671"]}
    keep(
        store(tmp_path),
        (NOW, Begun("c", NOW, spec)),
        (NOW, Begun("d", NOW, alone)),
        (NOW, attempted("a1")),
        (NOW, Moved("a1", "busy", NOW)),
        (NOW, replace(attempted("a2"), to="+14155552672")),
    )
    own = store(tmp_path)
    own.open(NOW)
    assert own.forget("+14155552671") == Forgotten(1, [])
    ledger = Ledger.of(own.open(NOW))
    own.close()
    assert list(ledger.attempts) == ["a2"]
    assert ledger.campaigns["c"].begun.spec["numbers"] == ["+14155552672"]
    assert ledger.campaigns["d"].halted == "done"
    left = [path.read_bytes() for path in tmp_path.glob("outbound.sqlite3*")]
    assert left and not any(b"4155552671" in data for data in left)


def test_an_attempt_that_goes_on_is_not_forgotten_but_named(tmp_path: Path) -> None:
    keep(store(tmp_path), (NOW, attempted("a1")))
    own = store(tmp_path)
    own.open(NOW)
    assert own.forget("+14155552671") == Forgotten(0, ["a1"])
    assert len(own.open(NOW)) == 1
    own.close()
    with pytest.raises(sqlite3.Error, match="is not open"):
        own.forget("+14155552671")
