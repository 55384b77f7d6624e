"""Events as lines of JSON in a file that may be rotated at any time."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from aybiza.actors.measures import events
from aybiza.actors.measures.metrics_sink import SinkError
from aybiza.actors.measures.metrics_sink_json import JsonLines


def test_a_line_has_its_time_node_call_and_figures(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = JsonLines(path, node="vm-1")
    told = {"call_id": "CA1", "outcome": "goodbye"}
    sink.put(sink.hear(events.CALL_STOP, {"seconds": 1.5, "turns": 2}, told, 1.8e9))
    assert json.loads(path.read_text()) == {
        "timestamp": "2027-01-15T08:00:00.000+00:00",
        "event": "call.stop",
        "node": "vm-1",
        "call_id": "CA1",
        "outcome": "goodbye",
        "seconds": 1.5,
        "turns": 2,
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_rotated_file_is_begun_anew_and_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sink = JsonLines(path, node="vm-1")
    batch = sink.hear(events.TURN_START, {}, {"call_id": "CA1", "turn": 1}, 1.8e9)
    sink.put(batch)
    path.rename(tmp_path / "events.1")
    sink.put(batch)
    assert len(path.read_text().splitlines()) == 1
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SinkError) as refused:
        sink.put(batch)
    assert refused.value.again and not (tmp_path / "elsewhere").exists()
