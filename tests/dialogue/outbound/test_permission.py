"""Whether a number may be called now: each reason alone, and what holds for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.config.hours import DAYS, Hours
from aybiza.config.outbound import Limits
from aybiza.config.phone_numbers import Called
from aybiza.dialogue.outbound.permission import CHECKS, Asked, Past, Standing, held_back
from tests.cases import each

OURS = "+14155550100"
ANN = Called("+14155552671", ("America/Los_Angeles",), "US")
WIDE = Called("+61412345678", ("Australia/Perth", "Australia/Sydney"), "AU")
WEEK: Hours = dict.fromkeys(DAYS[:5], ("09:00-18:00",))


@dataclass(frozen=True)
class Plan:
    hours: Hours = field(default_factory=dict)
    holidays: Sequence[date] = ()
    limits: Limits = field(default_factory=Limits)


STANDING = Standing((OURS,), frozenset((ANN.number, WIDE.number)), frozenset(), Plan(WEEK))
ASKED = Asked(ANN, OURS)


def at(text: str) -> float:
    """Unix time of a time in Los Angeles."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()


NOON = at("2026-03-04T12:00")


def why(
    asked: Asked = ASKED,
    standing: Standing = STANDING,
    past: Sequence[Past] = (),
    now: float = NOON,
) -> str:
    held = held_back(asked, standing, past, now)
    return "" if held is None else held.reason


def test_who_has_agreed_is_called_in_the_hours_where_they_are() -> None:
    assert why() == ""


@each(
    [
        ("caller_id", {"asked": Asked(ANN, "+14155550199")}),
        ("own_number", {"asked": Asked(Called(OURS, ANN.zones), OURS)}),
        ("do_not_call", {"standing": replace(STANDING, do_not_call=frozenset((ANN.number,)))}),
        ("no_opt_in", {"standing": replace(STANDING, opt_in=frozenset())}),
        ("no_zone", {"asked": Asked(Called(ANN.number, ()), OURS)}),
        ("no_zone", {"asked": Asked(Called(ANN.number, (*ANN.zones, "No/Where")), OURS)}),
        ("attempts", {"past": [Past(NOON - 86_400 * days, "") for days in (2, 3, 4)]}),
        ("live", {"past": [Past(NOON - 9_000, "", is_live=True)]}),
        ("too_soon", {"past": [Past(NOON - 7_199, "other")]}),
        ("attempts_a_day", {"past": [Past(NOON - 7_200, "other")]}),
        ("holiday", {"standing": replace(STANDING, schedule=Plan(holidays=(date(2026, 3, 4),)))}),
        ("hours", {"now": at("2026-03-04T08:59")}),
        ("hours", {"now": at("2026-03-04T18:00")}),
        ("hours", {"now": at("2026-03-07T12:00")}),
        # The campaign is stricter than the node.
        ("hours", {"asked": Asked(ANN, OURS, "c", Plan({"wednesday": ("14:00-15:00",)}))}),
        ("holiday", {"asked": Asked(ANN, OURS, "c", Plan(holidays=(date(2026, 3, 4),)))}),
        ("attempts", {
            "asked": Asked(ANN, OURS, "c", Plan(limits=Limits(attempts=1))),
            "past": [Past(NOON - 90_000, "c")],
        }),
        # What another campaign has tried is none of its attempts.
        ("", {
            "asked": Asked(ANN, OURS, "c", Plan(limits=Limits(attempts=1))),
            "past": [Past(NOON - 90_000, "d")],
        }),
        # Single calls are counted for thirty days.
        ("", {"past": [Past(NOON - 86_400 * days, "") for days in (31, 32, 33)]}),
        ("", {"past": [Past(NOON - 90_000, "")]}),
    ]
)  # fmt: skip
def test_each_reason_holds_a_number_back(reason: str, case: dict[str, object]) -> None:
    assert why(**case) == reason  # type: ignore[arg-type]


def test_every_reason_is_told_by_its_name_and_in_words() -> None:
    standing = replace(STANDING, do_not_call=frozenset((ANN.number,)))
    held = held_back(ASKED, standing, (), NOON)
    assert held is not None and held.reason in CHECKS
    assert held.words == "it is on the list of those who are not to be called"
    assert held.again is None


def test_where_a_number_may_be_in_several_zones_all_have_to_allow_it() -> None:
    asked = Asked(WIDE, OURS)
    sydney, perth = ZoneInfo("Australia/Sydney"), ZoneInfo("Australia/Perth")
    early = datetime(2026, 3, 4, 9, 30, tzinfo=sydney).timestamp()
    both = datetime(2026, 3, 4, 12, 30, tzinfo=sydney).timestamp()
    late = datetime(2026, 3, 4, 17, 30, tzinfo=perth).timestamp()
    assert [why(asked, now=now) for now in (early, both, late)] == ["hours", "", "hours"]


def test_the_day_is_that_of_whoever_is_called() -> None:
    standing = replace(STANDING, schedule=Plan(limits=Limits(spacing_minutes=1)))
    past = [Past(at("2026-03-04T23:30"), "")]
    assert why(standing=standing, past=past, now=at("2026-03-04T23:59")) == "attempts_a_day"
    assert why(standing=standing, past=past, now=at("2026-03-05T00:01")) == ""


def test_what_may_be_allowed_later_says_when_to_look_again() -> None:
    soon = held_back(ASKED, STANDING, [Past(NOON - 60, "")], NOON)
    closed = held_back(ASKED, STANDING, (), at("2026-03-04T08:00:01"))
    assert soon is not None and soon.again == NOON - 60 + 7_200
    assert closed is not None and closed.again == at("2026-03-04T08:01")
    assert "Wednesday, 08:00 in America/Los_Angeles" in closed.words


ZONES = (
    "America/Los_Angeles",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Asia/Tokyo",
)
TIMES = st.integers(int(NOON), int(NOON) + 400 * 86_400)


@settings(max_examples=60, deadline=None)
@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True),
    times=st.lists(TIMES, min_size=1, max_size=40),
    limits=st.builds(
        Limits,
        attempts_a_day=st.integers(1, 3),
        attempts=st.integers(1, 20),
        spacing_minutes=st.sampled_from((1, 30, 600)),
    ),
)
def test_nobody_is_ever_called_outside_of_the_hours_or_more_often_than_allowed(
    zones: list[str], times: list[int], limits: Limits
) -> None:
    to = Called(ANN.number, tuple(zones))
    standing = replace(STANDING, schedule=Plan(WEEK, limits=limits))
    past: list[Past] = []
    for now in sorted(times):
        if held_back(Asked(to, OURS, "c"), standing, past, float(now)) is None:
            past.append(Past(float(now), "c"))
    assert len(past) <= limits.attempts
    gaps = [b.at - a.at for a, b in pairwise(past)]
    assert all(gap >= limits.spacing_minutes * 60 for gap in gaps)
    for name in zones:
        there = [datetime.fromtimestamp(one.at, UTC).astimezone(ZoneInfo(name)) for one in past]
        assert all(one.weekday() < 5 and 9 <= one.hour < 18 for one in there)
        days = Counter(one.date() for one in there)
        assert all(count <= limits.attempts_a_day for count in days.values())
