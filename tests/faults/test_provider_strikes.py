"""Faults of providers, of the line and of the machine come about in a call."""

from aybiza.faults.fault import Fault
from aybiza.faults.plan import Plan
from aybiza.faults.trial import Outcome, tried

HOURS = "What are your hours?"


def outcome(fault: Fault) -> Outcome:
    plan = Plan(
        answers={HOURS: ["We open at nine. We close at five."]},
        steps=[{"say": HOURS}, {"hang_up": True, "quiet_ms": 1500}],
        faults=[fault.checked()],
    )
    return tried(plan, messages=True)


def opened(result: Outcome, door: str) -> int:
    return sum(told[1] == door for told in result.opened)


def test_a_socket_that_is_open_is_closed_and_replaced() -> None:
    assert opened(outcome(Fault("speak.abort", at=2.0)), "speak") == 2
    result = outcome(Fault("listen.close", at=2.0))
    assert opened(result, "listen") == 2
    assert result.report.ok and result.heard.count("We open at nine.") == 1


def test_a_refusal_meets_the_handshakes_to_come() -> None:
    result = outcome(Fault("listen.refuse", at=0.0, code=429, times=2))
    assert opened(result, "listen") == 3
    assert result.report.ok


def test_bedrock_fails_and_another_attempt_answers() -> None:
    result = outcome(Fault("bedrock.http_error", at=0.0, times=1))
    assert [record.outcome for record in result.requests] == ["fault", "completed"]
    assert "We open at nine." in result.heard


def test_a_line_that_breaks_leads_the_caller_back() -> None:
    result = outcome(Fault("line.drop", after="SentenceHeard(turn=0)"))
    assert len(result.report.streams) == 2


def test_a_line_that_is_mute_keeps_the_callers_words() -> None:
    result = outcome(Fault("line.mute", at=3.5, seconds=3.0))
    assert all(record.user_text != HOURS for record in result.requests)


def test_a_carrier_that_reads_nothing_hears_it_later() -> None:
    first = outcome(Fault("line.deaf", at=0.05, seconds=1.0)).report.greeting_ms
    assert first is not None and first > 1000


def test_marks_that_do_not_come_back_lose_no_sentence() -> None:
    result = outcome(Fault("line.no_marks", at=0.0, seconds=60.0))
    assert result.report.marks_set > 0
    assert result.heard.count("We close at five.") == 1


def test_a_full_disk_a_clock_that_is_set_and_a_redis_that_fails_do_not_stop_a_call() -> None:
    for fault in (
        Fault("disk.full", at=0.5, seconds=8.0),
        Fault("disk.slow", at=0.5, seconds=0.5),
        Fault("clock.jump", at=3.0, seconds=-7200.0),
        Fault("redis.gone", at=0.5, seconds=8.0),
        Fault("redis.slow", at=0.5, seconds=0.3),
        Fault("redis.slow", at=0.5, seconds=3.0),
        Fault("redis.empty", after="SentenceHeard(turn=0)"),
    ):
        result = outcome(fault)
        assert result.report.ok and result.broken == [], (fault, result.broken)
