"""The dialler: who is called when, and that nobody is ever called twice for one attempt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import count, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.config.hours import Hours
from aybiza.config.outbound import Limits
from aybiza.config.phone_numbers import Called
from aybiza.dialogue.outbound import dialler as module
from aybiza.dialogue.outbound.dialler import (
    Answer,
    CampaignAsked,
    Command,
    DialAsked,
    Dialler,
    Event,
    Heard,
    Keep,
    LookUp,
    Place,
    Refused,
    RulesRead,
    Settled,
    StopAsked,
    Ticked,
    Told,
)
from aybiza.dialogue.outbound.ledger import Begun, Entry, Halted, Ledger
from aybiza.dialogue.outbound.permission import Asked, Standing

OURS = "+14155550100"
PEOPLE = tuple(Called(f"+1415555{2000 + n}", ("America/Los_Angeles",)) for n in range(8))


@dataclass(frozen=True)
class Plan:
    hours: Hours = field(default_factory=dict)
    holidays: Sequence[date] = ()
    limits: Limits = field(default_factory=lambda: Limits(attempts_a_day=10, spacing_minutes=10))


LOOSE = Limits(attempts_a_day=10, spacing_minutes=1, concurrency=1_000)
STANDING = Standing((OURS,), frozenset(one.number for one in PEOPLE), frozenset(), Plan())


class Desk:
    """A dialler with its clock and its ledger on disk, and a carrier that takes what it is told."""

    def __init__(self, standing: Standing | None = STANDING, limits: Limits | None = None) -> None:
        if standing is not None and limits is not None:
            standing = replace(standing, schedule=Plan(limits=limits))
        self.standing = standing
        self.kept: list[Entry] = []
        self.now = 1_000_000.0
        self.ids: Iterator[int] = count(1)
        self.said: list[Command] = []
        self.start()

    def start(self) -> None:
        ledger = Ledger.of(self.kept)
        self.dialler = Dialler(ledger, lambda: f"a{next(self.ids)}")
        self.tell(RulesRead(self.standing, "the file is broken"))

    def tell(self, event: Event) -> list[Command]:
        commands = self.dialler.handle(event, self.now)
        self.kept += [command.entry for command in commands if isinstance(command, Keep)]
        self.said += commands
        return commands

    def tick(self, seconds: float = 1.0) -> list[str]:
        """Let time go on; who is called."""
        self.now += seconds
        return [one.attempt.to for one in self.tell(Ticked()) if isinstance(one, Place)]

    def dial(self, to: Called = PEOPLE[0], from_number: str = OURS) -> str:
        """The reason why it is not called; "" if it is."""
        id_ = f"d{next(self.ids)}"
        commands = self.tell(DialAsked(id_, Asked(to, from_number), "clinic"))
        refused = [one.held.reason for one in commands if isinstance(one, Refused)]
        assert bool(refused) != any(isinstance(one, Place) for one in commands)
        return refused[0] if refused else ""

    def run(self, limits: Limits = LOOSE, people: Sequence[Called] = PEOPLE) -> None:
        plan = Plan(limits=limits)
        self.tell(CampaignAsked("c", "clinic", OURS, plan, tuple(people), {"numbers": []}))

    def last(self) -> str:
        return next(reversed(self.dialler.ledger.attempts))

    def outcomes(self) -> list[str]:
        return [one.outcome for one in self.dialler.ledger.attempts.values()]


def test_a_call_stands_in_the_ledger_before_it_is_placed() -> None:
    desk = Desk()
    assert desk.dial() == ""
    kinds = [type(one) for one in desk.said]
    assert kinds == [Keep, Place]
    assert desk.outcomes() == ["asked"]


def test_a_refusal_places_nothing_and_says_why() -> None:
    desk = Desk()
    assert desk.dial(from_number="+14155550199") == "caller_id"
    assert desk.dial(Called("+14155559999", ("America/Los_Angeles",))) == "no_opt_in"
    assert desk.kept == []


def test_nobody_is_called_by_rules_that_cannot_be_used() -> None:
    desk = Desk(None)
    assert desk.dial() == "rules"
    refused = desk.said[-1]
    assert isinstance(refused, Refused)
    assert refused.held.words == "nobody is called: the file is broken"


def test_no_more_calls_at_a_time_and_a_second_than_allowed() -> None:
    desk = Desk(limits=Limits(concurrency=2, calls_a_second=0.5))
    assert desk.dial(PEOPLE[0]) == ""
    assert desk.dial(PEOPLE[1]) == "rate"
    desk.now += 2
    assert desk.dial(PEOPLE[1]) == ""
    desk.now += 2
    assert desk.dial(PEOPLE[2]) == "concurrency"


def test_a_campaign_calls_one_after_another_at_its_rate() -> None:
    desk = Desk(limits=Limits(concurrency=3, calls_a_second=1.0))
    desk.run()
    assert [desk.tick() for _ in range(5)] == [
        [PEOPLE[0].number],
        [PEOPLE[1].number],
        [PEOPLE[2].number],
        [],
        [],
    ]
    desk.tell(Answer(desk.last(), "CA3"))
    desk.tell(Told(desk.last(), "busy", "CA3"))
    assert desk.tick() == [PEOPLE[3].number]


def test_a_campaign_waits_while_no_node_has_room() -> None:
    desk = Desk()
    desk.run()
    desk.now += 1
    assert desk.tell(Ticked(room=False)) == []
    assert desk.tick() == [PEOPLE[0].number]


def test_a_campaigns_own_limits_hold_besides() -> None:
    desk = Desk(limits=Limits(concurrency=100, calls_a_second=100))
    desk.run(Limits(concurrency=1, calls_a_second=10, spacing_minutes=1))
    assert desk.tick() == [PEOPLE[0].number]
    assert desk.tick() == []
    assert desk.dial(PEOPLE[5]) == ""


def test_who_was_reached_is_done_and_who_was_not_is_tried_again_in_time() -> None:
    desk = Desk(limits=Limits(attempts_a_day=10, spacing_minutes=10, calls_a_second=100))
    desk.run(people=PEOPLE[:2])
    desk.tick()
    desk.tick()
    for id_, by in (("a1", "human"), ("a2", "machine")):
        desk.tell(Answer(id_, f"CA{id_}"))
        desk.tell(Told(id_, "answered", f"CA{id_}"))
        desk.tell(Heard(id_, by))
        desk.tell(Told(id_, "completed", f"CA{id_}", seconds=20))
    assert desk.outcomes() == ["human", "machine"]
    called = [number for _ in range(700) for number in desk.tick()]
    assert called == [PEOPLE[1].number]
    attempt = desk.dialler.ledger.attempts[desk.last()]
    assert attempt.begun.at - 1_000_000 >= 600


def test_a_campaign_ends_when_there_is_nobody_left_to_call() -> None:
    desk = Desk(limits=Limits(attempts=1, calls_a_second=100))
    desk.run(people=[*PEOPLE[:2], Called("+14155559999", ("America/Los_Angeles",))])
    for _ in range(3):
        desk.tick()
    running = desk.dialler.campaigns["c"]
    assert dict(running.passed) == {"no_opt_in": 1}
    for id_ in ("a1", "a2"):
        desk.tell(Answer(id_, f"CA{id_}"))
        desk.tell(Told(id_, "no_answer", f"CA{id_}"))
    for _ in range(70):
        assert desk.tick() == []
    last = desk.kept[-1]
    assert isinstance(last, Halted) and last.why == "done"


def test_a_campaign_that_is_stopped_begins_no_call_and_runs_again_where_it_was() -> None:
    desk = Desk(limits=Limits(attempts=1, calls_a_second=100))
    desk.run(people=PEOPLE[:2])
    assert desk.tick() == [PEOPLE[0].number]
    desk.tell(StopAsked("c"))
    assert [desk.tick() for _ in range(3)] == [[], [], []]
    assert isinstance(desk.kept[-1], Halted)
    desk.tell(StopAsked("c"))
    desk.run(people=PEOPLE[:2])
    assert [number for _ in range(5) for number in desk.tick()] == [PEOPLE[1].number]


def test_what_the_carrier_turns_away_for_the_moment_counts_for_nothing_and_is_tried_again() -> None:
    desk = Desk(limits=Limits(attempts=1, calls_a_second=100))
    desk.run(people=PEOPLE[:1])
    desk.tick()
    desk.tell(Answer("a1", code="20429", words="too many requests", again=True))
    assert desk.outcomes() == ["not_placed"]
    assert desk.tick() == []
    assert desk.tick(5) == [PEOPLE[0].number]


def test_a_carrier_that_takes_no_orders_is_asked_ever_more_seldom() -> None:
    desk = Desk(limits=Limits(attempts=1, calls_a_second=100))
    desk.run(people=PEOPLE[:1])
    begun = []
    for _ in range(2_000):
        if desk.tick():
            begun.append(desk.now)
            desk.tell(Answer(desk.last(), code="20003", again=True))
    gaps = [b - a for a, b in pairwise(begun)]
    assert gaps[0] <= 7 and gaps == sorted(gaps) and gaps[-1] >= 300
    desk.tell(Answer(desk.last(), "CA1"))


def test_what_the_carrier_refuses_is_settled_with_its_code() -> None:
    desk = Desk()
    desk.dial()
    commands = desk.tell(Answer("d1", code="21211", words="Invalid 'To' Phone Number"))
    assert commands[-1] == Settled("d1", "refused")
    assert desk.dialler.ledger.attempts["d1"].code == "21211"


def test_an_attempt_that_nobody_knows_the_outcome_of_is_looked_up_and_never_placed_again() -> None:
    desk = Desk(limits=Limits(attempts=3, spacing_minutes=1, attempts_a_day=10))
    desk.run(people=PEOPLE[:1])
    assert desk.tick() == [PEOPLE[0].number]
    # The process dies between the entry and the request, or behind it.
    desk.start()
    desk.run(people=PEOPLE[:1])
    looked = 0
    for _ in range(400):
        assert desk.tick() == []
        for command in desk.said:
            if isinstance(command, LookUp):
                looked += 1
                desk.tell(Told("a1", ""))
        desk.said.clear()
        if desk.outcomes()[0] == "lost":
            break
    assert looked == len(module.LOOK_AFTER)
    assert desk.outcomes() == ["lost"]


def test_an_attempt_that_is_found_goes_on() -> None:
    desk = Desk()
    desk.dial()
    desk.start()
    desk.tick()
    for _ in range(6):
        desk.tick()
    assert any(isinstance(one, LookUp) for one in desk.said)
    desk.tell(Told("d1", "ringing", "CA1"))
    assert desk.outcomes() == ["ringing"]
    desk.tell(Told("d1", "no_answer", "CA1"))
    assert desk.outcomes() == ["no_answer"]


def test_a_request_that_ended_without_an_answer_is_looked_up_soon() -> None:
    desk = Desk()
    desk.dial()
    desk.tell(Answer("d1"))
    for _ in range(5):
        desk.tick()
    assert [one.call_id for one in desk.said if isinstance(one, LookUp)] == [""]


def test_a_call_whose_end_was_not_told_is_looked_up_by_its_id() -> None:
    desk = Desk()
    desk.dial()
    desk.tell(Answer("d1", "CA1"))
    desk.tick(89)
    assert not any(isinstance(one, LookUp) for one in desk.said)
    desk.tick(2)
    assert [one.call_id for one in desk.said if isinstance(one, LookUp)] == ["CA1"]


def test_what_is_told_late_takes_nothing_back_and_of_another_call_nothing_is_taken() -> None:
    desk = Desk()
    desk.dial()
    desk.tell(Told("d1", "answered", "CA1"))
    desk.tell(Told("d1", "ringing", "CA1"))
    desk.tell(Answer("d1", "CA1"))
    assert desk.outcomes() == ["answered"]
    desk.tell(Told("d1", "busy", "CA2"))
    assert desk.outcomes() == ["answered"]
    desk.tell(Told("d1", "completed", "CA1"))
    desk.tell(Told("d1", "answered", "CA1"))
    desk.tell(Heard("d1", "human"))
    assert desk.outcomes() == ["human"]
    desk.tell(Told("d9", "busy", "CA9"))
    desk.tell(Heard("d9", "human"))


def test_who_answered_may_be_known_after_the_end() -> None:
    desk = Desk()
    desk.dial()
    desk.tell(Told("d1", "completed", "CA1"))
    assert desk.outcomes() == ["unknown"]
    desk.tell(Heard("d1", "machine", message_left=True))
    assert desk.outcomes() == ["message_left"]


def test_a_campaign_is_kept_with_all_that_it_needs() -> None:
    desk = Desk()
    desk.run()
    assert isinstance(desk.kept[0], Begun)
    kept = len(desk.kept)
    plan = Plan(limits=LOOSE)
    desk.tell(CampaignAsked("c", "clinic", OURS, plan, PEOPLE, {}, is_kept=True))
    assert len(desk.kept) == kept


DEEDS = (
    "tick",
    "minute",
    "took",
    "refused",
    "again",
    "unclear",
    "busy",
    "completed",
    "crash",
    "gone",
)


@settings(max_examples=80, deadline=None)
@given(
    deeds=st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 9)), max_size=80),
    limits=st.builds(
        Limits,
        attempts=st.integers(1, 3),
        attempts_a_day=st.just(10),
        spacing_minutes=st.sampled_from((1, 3)),
        concurrency=st.integers(1, 4),
        calls_a_second=st.sampled_from((0.5, 1.0, 3.0)),
    ),
)
def test_whatever_happens_no_number_has_more_calls_than_allowed(
    deeds: list[tuple[str, int]], limits: Limits
) -> None:
    desk = Desk(limits=limits)
    desk.run(people=PEOPLE[:4])
    placed: list[tuple[float, str, str]] = []
    for deed, which in deeds:
        attempts = list(desk.dialler.ledger.attempts)
        one = attempts[which % len(attempts)] if attempts else "none"
        match deed:
            case "tick":
                desk.tick()
            case "minute":
                desk.tick(60.0)
            case "crash":
                desk.start()
                desk.run(people=PEOPLE[:4])
            case "took":
                desk.tell(Answer(one, f"CA{one}"))
            case "refused":
                desk.tell(Answer(one, code="21211"))
            case "again":
                desk.tell(Answer(one, code="20429", again=True))
            case "unclear":
                desk.tell(Answer(one))
            case "gone":
                desk.tell(Told(one, ""))
            case _:
                desk.tell(Told(one, deed, f"CA{one}"))
        placed += [
            (desk.now, command.attempt.to, command.attempt.id)
            for command in desk.said
            if isinstance(command, Place)
        ]
        desk.said.clear()
        assert desk.dialler.ledger.live_of() <= limits.concurrency
    assert len({id_ for _, _, id_ in placed}) == len(placed)
    ledger = desk.dialler.ledger
    for person in PEOPLE:
        counted = [
            at for at, to, id_ in placed
            if to == person.number and ledger.attempts[id_].status != "not_placed"
        ]  # fmt: skip
        assert len(counted) <= limits.attempts
        gaps = [b - a for a, b in pairwise(counted)]
        assert all(gap >= limits.spacing_minutes * 60 for gap in gaps)


def test_who_was_reached_is_not_told_as_held_back() -> None:
    desk = Desk()
    desk.run(people=PEOPLE[:1])
    desk.tick()
    desk.tick(2.0)
    running = desk.dialler.campaigns["c"]
    assert running.held == {PEOPLE[0].number: "live"}
    desk.tell(Told(desk.last(), "completed", "CA1", seconds=30, by="human"))
    desk.tick(60.0)
    assert running.held == {}
