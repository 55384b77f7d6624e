"""Another user of the machine reads, or plants, the files in which a node keeps what was said."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aybiza.actors.measures.costs_keeper import CostsFile
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import Part, Row, StoreError
from aybiza.actors.node.cookie import ensure_cookie
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.speech import phrase_files
from aybiza.speech.phrases import Phrase

ENTRY = Row("CA1", 1, 1, 0.0, {"text": "my number is 4711"})
WHOLE = Part("CA1", 1, None, [ENTRY])
STRANGER = 4711


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    before = os.umask(0o000)
    yield
    os.umask(before)


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Make a file or folder another user's; who is not root becomes somebody else instead."""

    def given(path: Path) -> None:
        owner = os.geteuid()
        if owner == 0:
            os.chown(path, STRANGER, STRANGER)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: owner + 1)

    return given


def modes(folder: Path) -> dict[str, str]:
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.rglob("*")}


def test_everything_that_a_node_writes_down_is_its_users_own(tmp_path: Path) -> None:
    home = tmp_path / "state" / "aybiza"
    store = SqliteStore(home / "memory.sqlite3")
    store.write([WHOLE])
    ledger = Ledger(Quotas())
    ledger.charge(5, call_id="CA1", now=0.0)
    CostsFile(home / "costs.json").write(ledger)
    phrase_files.write(home / "phrases", Phrase("voice", "Good day."), b"\xff" * 800)
    ensure_cookie(home / "cookie")
    found = modes(tmp_path / "state")
    folders = {"aybiza", "phrases"}
    assert {"memory.sqlite3", "memory.sqlite3-wal", "memory.sqlite3-shm", "costs.json"} < set(found)
    assert {found[name] for name in folders} == {"0o700"}
    assert {mode for name, mode in found.items() if name not in folders} == {"0o600"}
    store.close()


def test_a_memory_that_was_open_to_all_is_closed_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    first = SqliteStore(path)
    first.write([WHOLE])
    first.close()
    path.chmod(0o644)
    assert SqliteStore(path).read("CA1") == [ENTRY]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["memory.sqlite3", "memory.sqlite3-wal", "memory.sqlite3-shm"])
def test_a_memory_file_planted_by_another_user_is_refused_by_name(
    tmp_path: Path, name: str, give_away: Callable[[Path], None]
) -> None:
    sqlite3.connect(tmp_path / "memory.sqlite3").close()
    planted = tmp_path / name
    planted.touch()
    give_away(planted)
    with pytest.raises(StoreError, match="belongs to another user"):
        SqliteStore(tmp_path / "memory.sqlite3").write([WHOLE])
    assert planted.stat().st_size == 0


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, give_away: Callable[[Path], None]
) -> None:
    folder = tmp_path / "planted"
    folder.mkdir(0o755)
    give_away(folder)
    with pytest.raises(StoreError, match="belongs to another user"):
        SqliteStore(folder / "memory.sqlite3").write([WHOLE])


def test_no_phrase_of_another_user_is_said(
    tmp_path: Path, give_away: Callable[[Path], None]
) -> None:
    phrase_files.write(tmp_path, Phrase("voice", "Good day."), b"\xff" * 800)
    (planted,) = tmp_path.iterdir()
    assert len(phrase_files.read(tmp_path)) == 1
    give_away(planted)
    assert phrase_files.read(tmp_path) == []


def test_a_link_in_the_place_of_the_memory_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "memory.sqlite3").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link"):
        SqliteStore(tmp_path / "memory.sqlite3").write([WHOLE])
    assert not (tmp_path / "elsewhere").exists()
