"""What is known of a call, wherever it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.actors.measures.records import NAME, Records
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.actors.memory.store import About, Part, Row
from aybiza.config.settings import Settings
from aybiza.console.diagnosis.evidence import EvidenceError, of_call
from tests.actors.measures.report_kit import SINCE, row, turn


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A machine whose records have two calls, and whose memory has one of them and another."""
    records = Records(tmp_path / NAME, node="vm-1", days=9_000)
    for number in (10, 11):
        records.put([("turns", turn(number)), ("calls", row("calls", call_id=f"CA{number}"))])
    records.close()
    path = tmp_path / "memory.sqlite3"
    store = SqliteStore(path)
    about = About(agent="desk", opened=SINCE)
    for call_id in ("CA10", "CB1"):
        store.claim(call_id, 1, about)
        entry = {"type": "ended", "reason": "goodbye"}
        store.write([Part(call_id, 1, about, [Row(call_id, 1, 1, SINCE, entry)])])
    store.close()
    return Settings(memory=("sqlite",), memory_path=path)


def files(settings: Settings) -> list[Path]:
    return [settings.memory_path.with_name(NAME)]


def test_a_call_is_put_together_of_records_and_journal(settings: Settings) -> None:
    found = of_call(settings, "CA10", files(settings))
    assert (found.call_id, found.missing) == ("CA10", [])
    assert found.evidence.record is not None
    assert [each["turn"] for each in found.evidence.turns] == [1]
    assert found.evidence.journal == [{"type": "ended", "reason": "goodbye"}]


def test_what_is_missing_is_said_and_the_rest_is_told(settings: Settings) -> None:
    found = of_call(settings, "CA11", files(settings))
    assert found.evidence.turns and not found.evidence.journal
    assert "in none of the stores" in found.missing[0]
    alone = of_call(settings, "CB", [settings.memory_path.with_name("none")])
    assert alone.call_id == "CB1" and alone.evidence.journal
    assert "there are no records yet" in alone.missing[0]
    nodes = of_call(settings.model_copy(update={"memory": ("memory",)}), "CA10", files(settings))
    assert nodes.evidence.turns and "in nodes alone" in nodes.missing[0]


def test_no_call_and_several_calls_are_refused(settings: Settings) -> None:
    with pytest.raises(EvidenceError, match="2 calls begin with CA1"):
        of_call(settings, "CA1", files(settings))
    with pytest.raises(EvidenceError, match="nothing is known of XX"):
        of_call(settings, "XX", files(settings))
