"""Plans that once broke an invariant: each is named for what has to happen, and holds."""

from pathlib import Path

import pytest

from aybiza.faults.plan import load
from aybiza.faults.trial import tried

PLANS = sorted(Path(__file__).with_name("plans").glob("*.toml"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_plan_holds(path: Path) -> None:
    outcome = tried(load(path))
    assert outcome.broken == []
    assert outcome.strikes or not outcome.plan.faults
