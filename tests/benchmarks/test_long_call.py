"""A call that goes on and on: shorter here than that of `aybiza bench call`."""

from __future__ import annotations

from aybiza.benchmarks.long_call import FACTS, LongCall, talked


def test_a_long_call_is_made_shorter_for_the_model_and_nothing_of_its_beginning_is_forgotten() -> (
    None
):
    told = talked(30, 600.0, history_tokens=2_000, eager_answers=0)
    assert told.answered == 30
    assert told.condensed and told.forgotten == []
    assert max(whole for whole, _, _ in told.tokens) < 3_500
    assert told.summaries >= 1
    assert len(told.tokens) == 30 + 3 + told.summaries


def test_what_misses_its_limit_is_told() -> None:
    told = LongCall(2, 60.0, [(100, 0, 80), (100, 90, 10)], answered=1, forgotten=[*FACTS])
    missed = [figure.name for figure in told.figures() if figure.missed]
    assert missed == ["turns without an answer", "not read from the cache", "facts forgotten"]
    assert told.cache_share == 0.45
    told.growth_kb = 100.0
    assert told.figures()[-1].missed
