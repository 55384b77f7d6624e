"""The examples of the guide: each runs, strikes, and holds."""

from pathlib import Path

import pytest

from aybiza.faults.plan import load
from aybiza.faults.trial import tried

EXAMPLES = sorted(Path(__file__).with_name("examples").glob("*.toml"))
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_strikes_and_the_call_holds(path: Path) -> None:
    outcome = tried(load(path))
    assert outcome.strikes
    assert outcome.broken == []
    assert outcome.report.ok, outcome.report.failure


def test_the_guide_names_each_example_once() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert len(EXAMPLES) == 10
    assert [text.count(f"`{path.name}`") for path in EXAMPLES] == [1] * 10


def test_what_the_guide_shows_is_in_the_examples() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert 'after = "SentenceHeard(turn=1, seq=1)"' in text
    assert any('where = "SpeakerActor"' in path.read_text() for path in EXAMPLES)
