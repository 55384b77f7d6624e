"""The examples of the guide: each runs, strikes, and holds."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from aybiza.faults.plan import load
from aybiza.faults.trial import tried

EXAMPLES = sorted(Path(__file__).with_name("examples").glob("*.toml"))
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


def sentences(path: Path) -> list[str]:
    """What the model says in an example's plan, sentence by sentence."""
    pieces = chain.from_iterable(
        tomllib.loads(path.read_text(encoding="utf-8"))["answers"].values()
    )
    texts = [piece if isinstance(piece, str) else piece.get("say", "") for piece in pieces]
    return [found for text in texts for found in re.findall(r"[^.?!]+[.?!]", text)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_strikes_and_the_caller_hears_what_the_guide_says(path: Path) -> None:
    outcome = tried(load(path))
    for sentence in sentences(path):
        assert sentence.strip() in outcome.heard
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
