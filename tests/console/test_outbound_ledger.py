"""Forgetting a number in the ledger of placed calls: here, or by the node that has the file."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.node import client
from aybiza.actors.outbound.attempt_store import FILE, AttemptStore, Forgotten
from aybiza.config.settings import Settings, load
from aybiza.console.outbound_ledger import forgotten
from aybiza.dialogue.outbound.ledger import Attempted, Moved

ANN = "+14155552671"


def settings_of(folder: Path) -> Settings:
    cookie = folder / "cookie"
    cookie.write_text(secrets.token_hex(32))
    cookie.chmod(0o600)
    memory = str(folder / "memory.sqlite3")
    return load({"AYBIZA_MEMORY_PATH": memory, "AYBIZA_COOKIE_FILE": str(cookie)})


def kept(folder: Path) -> AttemptStore:
    store = AttemptStore(folder / FILE)
    now = time.time()
    store.open(now)
    attempted = Attempted("a1", ANN, "+14155550100", "clinic", "", now)
    store.keep([(now, attempted), (now, Moved("a1", "busy", now))])
    return store


def test_where_nothing_was_placed_nothing_is_made(tmp_path: Path) -> None:
    assert forgotten(settings_of(tmp_path), ANN) == Forgotten(0, [])
    assert not (tmp_path / FILE).exists()


def test_a_file_that_nobody_has_is_opened_here(tmp_path: Path) -> None:
    kept(tmp_path).close()
    assert forgotten(settings_of(tmp_path), ANN) == Forgotten(1, [])
    assert forgotten(settings_of(tmp_path), ANN) == Forgotten(0, [])


def test_the_node_that_has_the_file_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ask(port: int, request: dict[str, Any], timeout: float, **_: Any) -> dict[str, Any]:
        asked.append(request)
        return {"forgotten": 2, "going_on": ["a2"]}

    store = kept(tmp_path)
    monkeypatch.setattr(client, "ask_node", ask)
    assert forgotten(settings_of(tmp_path), ANN) == Forgotten(2, ["a2"])
    assert asked == [{"op": "outbound", "do": "forget", "number": ANN}]
    refused = {"refused": "ledger", "words": "the ledger cannot be had"}
    monkeypatch.setattr(client, "ask_node", lambda *_, **__: refused)
    with pytest.raises(OSError, match="the ledger cannot be had"):
        forgotten(settings_of(tmp_path), ANN)

    def away(*_: Any, **__: Any) -> dict[str, Any]:
        raise client.NodeError("no node runs on port 1900")

    monkeypatch.setattr(client, "ask_node", away)
    with pytest.raises(OSError, match=r"cannot be asked: no node runs"):
        forgotten(settings_of(tmp_path), ANN)
    store.close()


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all" * 100)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(OSError, match=FILE):
        forgotten(settings_of(tmp_path), ANN)
