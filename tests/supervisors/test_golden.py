"""The recorded scenarios of Erlang's and Elixir's supervisors, event for event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.__main__ import main
from tests.conformance.kit import Options
from tests.conformance.supervisors import run

GOLDEN = Path(__file__).parents[1] / "golden"
FILES = sorted(path.name for path in GOLDEN.glob("supervisor_*.json"))


@pytest.mark.parametrize("pure", [False, True], ids=["real", "pure"])
@pytest.mark.parametrize("name", FILES)
def test_every_scenario_goes_as_it_went_under_otp(name: str, pure: bool) -> None:
    results = list(run(json.loads((GOLDEN / name).read_text()), Options(pure=pure)))
    assert results
    assert [result for result in results if result.differences] == []


class TestCommand:
    """`python -m tests.conformance`."""

    def test_tells_a_line_a_file_and_exits_0_when_all_is_as_recorded(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.json").write_text(json.dumps(_file("ok")))
        assert main([str(tmp_path)]) == 0
        assert capsys.readouterr().out == "a.json 1/1\n"

    def test_shows_the_first_difference_of_a_case_or_all_and_exits_1(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.json").write_text(json.dumps(_file("another")))
        assert main([str(tmp_path)]) == 1
        told = capsys.readouterr().out
        assert "a.json 0/1" in told
        assert "start: return" in told
        assert "1 more (--all shows them)" in told
        assert main([str(tmp_path), "--all"]) == 1
        assert "start: live" in capsys.readouterr().out

    @pytest.mark.parametrize("text", ["{}", "[]", '{"format": "unheard-of/1"}'])
    def test_exits_2_when_there_is_nothing_it_knows(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "a.json").write_text(text)
        assert main([str(tmp_path)]) == 2
        assert main([str(tmp_path / "nowhere")]) == 2

    def test_exits_1_for_a_file_that_cannot_be_read(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.json").write_text(json.dumps(_file("ok")))
        (tmp_path / "b.json").write_text("{")
        assert main([str(tmp_path)]) == 1
        assert "b.json cannot be read" in capsys.readouterr().out

    def test_a_scenario_that_cannot_be_played_is_a_difference(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = _file("ok")
        file["scenarios"][0]["steps"] = [{"do": {"op": "dance"}}]
        (tmp_path / "a.json").write_text(json.dumps(file))
        assert main([str(tmp_path)]) == 1
        assert "cannot be played" in capsys.readouterr().out


def _file(label: str) -> dict[str, Any]:
    """A file with one scenario, which is as recorded if `label` is ok."""
    root = "root#1" if label == "ok" else "root#2"
    return {
        "format": "supervisor-scenarios/1",
        "scenarios": [
            {
                "name": "one",
                "tree": {"id": "root"},
                "start": {
                    "return": ["ok", root],
                    "events": [["start", "root#1", "ok"]],
                    "live": [root],
                },
                "steps": [],
            }
        ],
    }
