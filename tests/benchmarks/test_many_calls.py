"""Many calls in one node: nothing is left of them, and what they cost is told with its limits."""

from __future__ import annotations

import pytest

from aybiza.benchmarks import many_calls
from aybiza.benchmarks.many_calls import ManyCalls, main, placed, updated
from aybiza.benchmarks.runtime import Figure


def test_nothing_of_many_calls_is_left_in_the_node() -> None:
    told = placed(calls=40)
    assert (told.calls, told.left) == (40, 0)
    assert told.ended_mb >= told.settled_mb * 0.5 > 1.0


async def test_metrics_are_updated_as_calls_do_it() -> None:
    (figure,) = await updated(seconds=0.01)
    assert (figure.unit, figure.target) == ("%", 3.0) and figure.value > 0


@pytest.mark.parametrize(("ended_mb", "code"), [(100.1, 0), (200.0, 1)])
def test_memory_that_grows_ends_the_command_with_one(
    ended_mb: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def cheap(seconds: float = 1.0) -> list[Figure]:
        return []

    monkeypatch.setattr(many_calls, "updated", cheap)
    monkeypatch.setattr(many_calls, "placed", lambda n: ManyCalls(n, 100.0, ended_mb, 1.0, 0))
    assert main(["--calls", "1000"]) == code
    assert "growth a call" in capsys.readouterr().out
