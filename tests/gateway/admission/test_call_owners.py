"""A call is whose it was at first, for as long as it lives and a while longer."""

from __future__ import annotations

from aybiza.gateway.admission.call_owners import KEPT_SECONDS, MOST, CallOwners


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_live_call_is_nobody_else_s() -> None:
    clock = Clock()
    owners = CallOwners(clock)
    owners.claim("CA1", "twilio", "AC1")
    owners.begin("CA1", "twilio", "AC1")
    clock.now += 10 * KEPT_SECONDS
    assert owners.may_have("CA1", "twilio", "AC1")
    assert owners.may_have("CA1", "twilio")
    assert not owners.may_have("CA1", "telnyx")
    assert not owners.may_have("CA1", "twilio", "AC2")
    assert owners.may_have("CA2", "telnyx")


def test_a_call_stays_its_owner_s_for_a_while_after_its_last_stream() -> None:
    clock = Clock()
    owners = CallOwners(clock)
    owners.begin("CA1", "twilio", "AC1")
    owners.begin("CA1", "twilio", "AC1")
    owners.end("CA1")
    clock.now += 2 * KEPT_SECONDS
    assert not owners.may_have("CA1", "telnyx")
    owners.end("CA1")
    assert not owners.may_have("CA1", "telnyx")
    clock.now += KEPT_SECONDS
    assert owners.may_have("CA1", "telnyx")


def test_who_comes_back_from_a_person_after_an_hour_is_known_and_nobody_has_taken_the_call() -> (
    None
):
    clock = Clock()
    owners = CallOwners(clock)
    owners.begin("CA1", "twilio", "AC1")
    owners.end("CA1")
    clock.now += 3600
    assert not owners.may_have("CA1", "telnyx")
    assert owners.knows("CA1") and owners.may_have("CA1", "twilio", "AC1")
    assert not owners.knows("CA2")


def test_what_is_kept_is_bounded_and_live_calls_are_not_pushed_out() -> None:
    owners = CallOwners(Clock())
    owners.begin("CA", "twilio")
    for number in range(MOST + 10):
        owners.claim(f"CA{number}", "twilio")
    assert len(owners._kept) == MOST
    assert not owners.may_have("CA", "telnyx")
    assert owners.may_have("CA0", "telnyx")
