"""The error ladder: a row an error, and an end in every case."""

from __future__ import annotations

import doctest
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude import error_ladder
from aybiza.claude.attempts import IN_TIME_SECONDS, Attempts
from aybiza.claude.error_ladder import (
    BACKOFF_SECONDS,
    FIRST_EVENT_SECONDS,
    LADDER,
    LEAST_SECONDS,
    MOST_ATTEMPTS,
    MOST_BACKOFF_SECONDS,
    MOST_BACKOFFS,
    SLOW_SECONDS,
    Attempt,
    ErrorLadder,
    LastWords,
    Rungs,
    Step,
    counts_against_model,
    handle_bedrock_error,
    row_of,
    throttling_fallback,
)
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.claude.models import downwards, profile_of
from tests.cases import each
from tests.claude.golden import cases

BIG, MIDDLE, SMALL = "big", "middle", "small"
HOME, AWAY = "us-east-1", "us-west-2"
RUNGS = Rungs((BIG, MIDDLE, SMALL), (HOME, AWAY), {BIG: 1, MIDDLE: 5, SMALL: 9})
SECONDS = 20.0


def ladder(rungs: Rungs = RUNGS, seconds: float = SECONDS, chance: float = 1.0) -> ErrorLadder:
    made = ErrorLadder(rungs, began=0.0, seconds=seconds, chance=lambda: chance)
    return made


def climb(
    *kinds: ErrorKind, rungs: Rungs = RUNGS, spoken: bool = False
) -> list[tuple[str, str | None, Step | None] | ErrorKind]:
    """Where these failures, one after the other, lead; and the kind with which it ends."""
    made = ladder(rungs)
    step = made.begin(0.0)
    way: list[tuple[str, str | None, Step | None] | ErrorKind] = []
    for kind in kinds:
        step = made.failed(kind, 0.0, spoken=spoken)
        if isinstance(step, LastWords):
            return [*way, step.kind]
        way.append((step.model, step.region, step.step))
    return way


def test_the_first_attempt_is_the_chosen_model_at_home() -> None:
    first = ladder().begin(0.0)
    assert isinstance(first, Attempt)
    assert (first.number, first.model, first.region) == (1, BIG, HOME)
    assert (first.wait, first.repair, first.step) == (0.0, False, None)


MODEL, FASTER, REGION = Step.FALLBACK_MODEL, Step.FASTER_MODEL, Step.OTHER_REGION


@pytest.mark.parametrize(
    ("kind", "spoken", "to"),
    [
        (ErrorKind.THROTTLING, False, (MIDDLE, HOME, MODEL)),
        (ErrorKind.NOT_READY, False, (MIDDLE, HOME, MODEL)),
        (ErrorKind.UNAVAILABLE, False, (BIG, AWAY, REGION)),
        (ErrorKind.VALIDATION, False, (BIG, HOME, Step.REPAIR)),
        (ErrorKind.ACCESS_DENIED, False, (MIDDLE, HOME, MODEL)),
        (ErrorKind.NOT_FOUND, False, (MIDDLE, HOME, MODEL)),
        (ErrorKind.TIMEOUT, False, (SMALL, HOME, FASTER)),
        (ErrorKind.STREAM_ERROR, False, (MIDDLE, HOME, MODEL)),
        (ErrorKind.TRANSPORT, False, (BIG, HOME, Step.SAME)),
        (ErrorKind.TRANSPORT, True, (BIG, HOME, Step.SAME)),
        (ErrorKind.CUT, False, (BIG, HOME, Step.SAME)),
        (ErrorKind.CUT, True, (BIG, HOME, Step.SAME)),
        (ErrorKind.BREAKER_OPEN, False, (MIDDLE, HOME, MODEL)),
        (ErrorKind.BUSY, False, (BIG, HOME, Step.BACK_OFF)),
        (ErrorKind.UNKNOWN, False, (MIDDLE, HOME, MODEL)),
    ],
)
def test_each_error_has_its_first_step(
    kind: ErrorKind, spoken: bool, to: tuple[str, str, Step]
) -> None:
    assert climb(kind, spoken=spoken) == [to]


def test_every_kind_of_error_has_a_row() -> None:
    for kind in ErrorKind:
        for spoken in (False, True):
            assert row_of(kind, spoken=spoken) in LADDER.values()


def test_a_cancelled_answer_is_over() -> None:
    assert climb(ErrorKind.CANCELLED) == [ErrorKind.CANCELLED]


def test_throttling_goes_down_the_models_and_then_to_the_other_region() -> None:
    models = [step[0] for step in climb(*[ErrorKind.THROTTLING] * 5) if isinstance(step, tuple)]
    assert models == [MIDDLE, SMALL, BIG, MIDDLE, SMALL]
    regions = [step[1] for step in climb(*[ErrorKind.THROTTLING] * 5) if isinstance(step, tuple)]
    assert regions == [HOME, HOME, AWAY, AWAY, AWAY]


def test_an_outage_goes_to_the_other_region_and_stays_there() -> None:
    assert climb(ErrorKind.UNAVAILABLE, ErrorKind.THROTTLING) == [
        (BIG, AWAY, REGION),
        (MIDDLE, AWAY, MODEL),
    ]


def test_a_slow_model_is_followed_by_faster_ones_only() -> None:
    assert climb(*[ErrorKind.TIMEOUT] * 2) == [(SMALL, HOME, FASTER), (SMALL, AWAY, REGION)]


def test_a_refused_request_is_repaired_once_and_then_another_model_is_asked() -> None:
    made = ladder()
    made.begin(0.0)
    repaired = made.failed(ErrorKind.VALIDATION, 0.0, spoken=False)
    assert isinstance(repaired, Attempt)
    assert (repaired.model, repaired.repair) == (BIG, True)
    other = made.failed(ErrorKind.VALIDATION, 0.0, spoken=False)
    assert isinstance(other, Attempt)
    assert (other.model, other.repair) == (MIDDLE, False)


def test_a_repaired_request_stays_repaired_in_another_region() -> None:
    made = ladder()
    made.begin(0.0)
    made.failed(ErrorKind.VALIDATION, 0.0, spoken=False)
    elsewhere = made.failed(ErrorKind.UNAVAILABLE, 0.0, spoken=False)
    assert isinstance(elsewhere, Attempt)
    assert (elsewhere.region, elsewhere.repair) == (AWAY, True)


def test_a_lost_connection_is_opened_again_once() -> None:
    assert climb(*[ErrorKind.TRANSPORT] * 3) == [
        (BIG, HOME, Step.SAME),
        (BIG, AWAY, REGION),
        (BIG, AWAY, Step.SAME),
    ]


def test_with_one_model_in_one_region_there_is_only_patience() -> None:
    alone = Rungs((BIG,), (None,))
    way = climb(*[ErrorKind.THROTTLING] * 9, rungs=alone)
    assert way == [(BIG, None, Step.BACK_OFF)] * MOST_BACKOFFS + [ErrorKind.THROTTLING]
    assert climb(ErrorKind.ACCESS_DENIED, rungs=alone) == [ErrorKind.ACCESS_DENIED]


def test_a_model_that_asks_to_be_left_alone_is_left_alone_for_as_long() -> None:
    made = ladder(Rungs((BIG,), (None,)))
    made.begin(0.0)
    again = made.failed(ErrorKind.THROTTLING, 1.0, spoken=False, asked=3.0)
    assert isinstance(again, Attempt) and (again.wait, again.seconds) == (3.0, SECONDS - 4.0)


def test_a_model_that_asks_for_more_than_a_caller_waits_is_not_waited_for() -> None:
    made = ladder(Rungs((BIG,), (None,)))
    made.begin(0.0)
    assert isinstance(made.failed(ErrorKind.THROTTLING, 1.0, spoken=False, asked=30.0), LastWords)
    several = ladder()
    several.begin(0.0)
    other = several.failed(ErrorKind.THROTTLING, 1.0, spoken=False, asked=30.0)
    assert isinstance(other, Attempt) and (other.model, other.wait) == (MIDDLE, BACKOFF_SECONDS)


def test_waits_grow_and_are_jittered() -> None:
    for chance, share in ((0.0, 0.5), (1.0, 1.0)):
        made = ladder(Rungs((BIG,), (None,)), chance=chance)
        made.begin(0.0)
        waits = []
        for _ in range(MOST_BACKOFFS):
            step = made.failed(ErrorKind.BUSY, 0.0, spoken=False)
            assert isinstance(step, Attempt)
            waits.append(step.wait)
        assert waits == pytest.approx([BACKOFF_SECONDS * share * 2**n for n in range(4)])


def test_only_a_disconnect_after_the_first_sentence_waits() -> None:
    for spoken in (False, True):
        made = ladder()
        made.begin(0.0)
        step = made.failed(ErrorKind.CUT, 0.0, spoken=spoken)
        assert isinstance(step, Attempt)
        assert (step.wait > 0) == spoken


def test_time_limits_shrink_with_what_is_left() -> None:
    made = ladder()
    first = made.begin(0.0)
    assert isinstance(first, Attempt)
    assert (first.seconds, first.first_event_seconds) == (SECONDS, FIRST_EVENT_SECONDS)
    later = made.failed(ErrorKind.UNAVAILABLE, 15.0, spoken=False)
    assert isinstance(later, Attempt)
    assert (later.seconds, later.first_event_seconds) == (5.0, 2.0)


def test_who_was_too_slow_is_waited_for_longer_until_one_is_in_time() -> None:
    attempts = Attempts()
    slow = ErrorLadder(RUNGS, began=0.0, seconds=SECONDS, chance=lambda: 1.0, attempts=attempts)
    slow.begin(0.0)
    again = slow.failed(ErrorKind.TIMEOUT, FIRST_EVENT_SECONDS, spoken=False)
    assert isinstance(again, Attempt)
    assert again.first_event_seconds == again.silence_seconds == SLOW_SECONDS
    for came, patience in ((8.0, SLOW_SECONDS), (IN_TIME_SECONDS, FIRST_EVENT_SECONDS)):
        attempts.came(came)
        later = ErrorLadder(RUNGS, began=0.0, seconds=SECONDS, chance=float, attempts=attempts)
        first = later.begin(0.0)
        assert isinstance(first, Attempt) and first.first_event_seconds == patience


def test_without_time_there_are_last_words() -> None:
    made = ladder()
    made.begin(0.0)
    assert made.failed(ErrorKind.TIMEOUT, SECONDS - LEAST_SECONDS / 2, spoken=False) == LastWords(
        ErrorKind.TIMEOUT, 1
    )
    assert isinstance(made.begin(SECONDS), LastWords)


def test_the_next_round_begins_where_the_last_one_was_answered() -> None:
    made = ladder()
    made.begin(0.0)
    made.failed(ErrorKind.THROTTLING, 0.0, spoken=False)
    again = made.begin(1.0)
    assert isinstance(again, Attempt)
    assert (again.model, again.number) == (MIDDLE, 3)
    back = made.failed(ErrorKind.THROTTLING, 1.0, spoken=False)
    assert isinstance(back, Attempt)
    assert back.model == BIG


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        (ErrorKind.BUSY, False),
        (ErrorKind.CANCELLED, False),
        (ErrorKind.BREAKER_OPEN, False),
        (ErrorKind.VALIDATION, False),
        (ErrorKind.THROTTLING, True),
        (ErrorKind.TIMEOUT, True),
        (ErrorKind.CUT, True),
        (ErrorKind.NOT_FOUND, True),
    ],
)
def test_what_the_model_is_blamed_for(kind: ErrorKind, counts: bool) -> None:
    assert counts_against_model(kind) is counts


def test_a_model_that_refuses_repaired_requests_too_is_blamed() -> None:
    assert counts_against_model(ErrorKind.VALIDATION, repaired=True)
    assert not counts_against_model(ErrorKind.BUSY, repaired=True)


FAILURES = st.lists(
    st.tuples(st.sampled_from(list(ErrorKind)), st.booleans(), st.floats(0.0, 3.0)),
    min_size=60,
    max_size=60,
)
NAMES = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True)


@given(
    failures=FAILURES,
    models=NAMES,
    regions=st.lists(st.sampled_from([None, HOME, AWAY]), min_size=1, max_size=3, unique=True),
    speeds=st.lists(st.floats(0, 10), min_size=4, max_size=4),
    seconds=st.floats(0.1, 60.0),
    chance=st.floats(0.0, 1.0),
)
def test_every_way_ends_within_its_bounds(
    failures: Sequence[tuple[ErrorKind, bool, float]],
    models: list[str],
    regions: list[str | None],
    speeds: list[float],
    seconds: float,
    chance: float,
) -> None:
    speed = dict(zip("abcd", speeds, strict=True))
    made = ErrorLadder(
        Rungs(models, regions, speed), began=0.0, seconds=seconds, chance=lambda: chance
    )
    now = 0.0
    step = made.begin(now)
    places: list[tuple[str, str | None, bool, int]] = []
    for kind, spoken, took in failures:
        if isinstance(step, LastWords):
            break
        assert step.model in models
        assert step.region in regions
        assert 0.0 <= step.wait <= MOST_BACKOFF_SECONDS
        assert now + step.wait + step.seconds <= seconds + 1e-6
        assert LEAST_SECONDS <= step.first_event_seconds <= max(LEAST_SECONDS, step.seconds)
        place = (step.model, step.region, step.repair, step.shorter)
        if step.step not in (Step.SAME, Step.BACK_OFF):
            assert place not in places
        places.append(place)
        now += step.wait + took
        step = made.failed(kind, now, spoken=spoken)
    assert isinstance(step, LastWords)
    assert made.attempts == len(places) <= MOST_ATTEMPTS


def to_the_end(made: ErrorLadder, kind: ErrorKind) -> list[tuple[str, str | None]]:
    """Where the attempts go when each of them fails in this way at once."""
    now, places = 0.0, []
    step = made.begin(now)
    while isinstance(step, Attempt):
        places.append((step.model, step.region))
        now += step.wait
        step = made.failed(kind, now, spoken=False)
    return places


@pytest.mark.parametrize("kind", [kind for kind in ErrorKind if kind is not ErrorKind.CANCELLED])
@pytest.mark.parametrize("models", [1, 2, 12])
def test_the_last_model_is_asked_whatever_the_error_and_however_many_there_are(
    kind: ErrorKind, models: int
) -> None:
    names = [f"m{number}" for number in range(models)]
    rungs = Rungs(names, ("here", "there"), last="openai:x")
    places = to_the_end(ErrorLadder(rungs, began=0.0, seconds=20.0, chance=lambda: 0.5), kind)
    assert (("openai:x", None) in places) is (kind is not ErrorKind.TOO_LONG)
    assert all(region for model, region in places if model != "openai:x")
    assert len(places) <= MOST_ATTEMPTS


def test_before_the_last_model_come_all_others_everywhere() -> None:
    rungs = Rungs(("a", "b"), ("here", "there"), last="openai:x")
    places = to_the_end(
        ErrorLadder(rungs, began=0.0, seconds=20.0, chance=lambda: 0.5), ErrorKind.ACCESS_DENIED
    )
    others = {(model, region) for model in "ab" for region in ("here", "there")}
    assert {*places[: places.index(("openai:x", None))]} == others


def test_the_last_model_has_all_the_time_that_is_left() -> None:
    rungs = Rungs(("a",), last="openai:x")
    made = ErrorLadder(rungs, began=0.0, seconds=20.0, chance=lambda: 0.5)
    made.begin(0.0)
    step = made.failed(ErrorKind.TIMEOUT, 8.0, spoken=False)
    assert isinstance(step, Attempt) and step.model == "openai:x"
    assert step.first_event_seconds == step.seconds == 12.0


def test_the_last_model_is_asked_once_more_for_what_passes_by_itself() -> None:
    for kind, again in ((ErrorKind.UNAVAILABLE, True), (ErrorKind.ACCESS_DENIED, False)):
        rungs = Rungs(("a",), last="openai:x")
        made = ErrorLadder(rungs, began=0.0, seconds=20.0, chance=lambda: 0.5)
        made.begin(0.0)
        made.failed(ErrorKind.ACCESS_DENIED, 0.1, spoken=False)
        step = made.failed(kind, 0.2, spoken=False)
        asked = isinstance(step, Attempt) and step.model == "openai:x" and step.wait > 0
        assert asked is again


@each(cases("handle_bedrock_error"))
def test_the_first_step_is_the_recorded_one(case: dict[str, Any]) -> None:
    ((tag, value),) = case["input"].items()
    assert handle_bedrock_error((tag, value), {}) == case["output"]


@pytest.mark.parametrize(
    ("error", "step"),
    [
        ({"type": "throttlingException"}, "handle_throttling_with_model_fallback"),
        ({"type": "AccessDeniedException"}, "use_alternative_model_in_region"),
        (BedrockError(ErrorKind.TOO_LONG, "long"), "shorten"),
        (BedrockError(ErrorKind.CANCELLED, "over"), "use_cached_or_generic_response"),
        ("closed", "use_cached_or_generic_response"),
    ],
)
def test_a_call_knows_a_step_for_more_errors(error: object, step: str) -> None:
    assert handle_bedrock_error(("error", error), {}, rules="call") == step


@each(cases("throttling_fallback"))
def test_the_chain_is_the_recorded_one(case: dict[str, Any]) -> None:
    if "raises" in case:
        with pytest.raises(KeyError):
            throttling_fallback(case["input"])
    else:
        assert throttling_fallback(case["input"]) == case["output"]


def test_a_calls_chain_goes_down_among_its_own_models_and_ends() -> None:
    ids = ["anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-sonnet-4-6"]
    models = [profile_of(each) for each in ids]
    context = {"current_model": ids[1], "retry_count": 0}
    once = throttling_fallback(context, models=models)
    assert once == {"current_model": ids[0], "retry_count": 1}
    assert throttling_fallback(once, models=models) == {"current_model": ids[0], "retry_count": 2}
    assert [profile.id for profile in downwards(models, models[0])] == ids


def test_the_examples_hold() -> None:
    ran = doctest.testmod(error_ladder)
    assert ran.attempted > 0
    assert ran.failed == 0
