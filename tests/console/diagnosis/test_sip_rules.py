"""What is found wrong with the calls of a trace."""

from __future__ import annotations

import sys

import pytest

from aybiza.console.diagnosis.sip_rules import Finding, judged
from aybiza.console.diagnosis.sip_trace import MOST_OF_A_CALL, read
from tests.console.diagnosis.sip_kit import EVENTS, FORMS, SWITCH, asterisk, good, message, sdp

INVITE = ("in", message("INVITE", "1 INVITE", sdp()))
ACK = ("in", message("ACK", "1 ACK"))


def found(messages: list[tuple[str, str]], *more: str) -> list[Finding]:
    return judged(read([*asterisk(messages), *more]))


def abouts(messages: list[tuple[str, str]], *more: str) -> list[str]:
    return [finding.about for finding in found(messages, *more)]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_wrong_with_a_call_that_went_well(form: str) -> None:
    assert judged(read(FORMS[form](good()))) == []


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        ("408 Request Timeout", "packet loss, a firewall"),
        ("488 Not Acceptable Here", "offer PCMU and PCMA"),
        ("503 Service Unavailable", "fail over to another trunk or carrier"),
        ("403 Forbidden", "caller id"),
        ("404 Not Found", "E.164"),
        ("499 Odd", "ask who runs the peer"),
    ],
)
def test_a_refusal_is_told_with_its_cure(status: str, fix: str) -> None:
    (finding,) = found([INVITE, ("out", message(status, "1 INVITE")), ACK])
    assert finding.about == status[:3] and finding.fault and fix in finding.fix
    assert finding.call_id == "c1" and status in finding.seen


def test_a_refusal_for_media_names_what_was_offered() -> None:
    offer = sdp(codecs="18 9 101", proto="RTP/SAVP")
    (finding,) = found(
        [
            ("in", message("INVITE", "1 INVITE", offer)),
            ("out", message("488 No", "1 INVITE", more='Warning: 304 x "Media type"')),
        ]
    )
    assert "offered was G729, G722 over SRTP" in finding.seen and "Media type" in finding.seen


def test_a_password_that_is_asked_for_and_given_is_no_fault() -> None:
    asked = [INVITE, ("out", message("407 Auth", "1 INVITE")), ACK]
    assert abouts(asked) == ["407"]
    again = [
        ("in", message("INVITE", "2 INVITE", sdp())),
        ("out", message("200 OK", "2 INVITE", sdp(SWITCH))),
        ("in", message("ACK", "2 ACK")),
    ]
    assert abouts(asked + again) == []


def test_a_busy_line_is_worth_knowing_and_no_fault() -> None:
    (finding,) = found([INVITE, ("out", message("486 Busy Here", "1 INVITE")), ACK])
    assert not finding.fault


def test_who_gets_no_response_is_told_and_who_gets_it_late() -> None:
    once = found([INVITE])
    assert [(each.about, each.fault) for each in once] == [("no response", False)]
    thrice = found([INVITE] * 3)
    assert [(each.about, each.fault) for each in thrice] == [("no response", True)]
    late = [*[INVITE] * 3, *good()[1:]]
    assert abouts(late) == ["retransmissions"]
    rings = found([INVITE, ("out", message("180 Ringing", "1 INVITE"))])
    assert [(each.about, each.fault) for each in rings] == [("rings", False)]


def test_an_answer_without_an_ack_is_a_call_that_drops() -> None:
    call = [message for message in good() if message is not ACK and "1 ACK" not in message[1]]
    (finding,) = found(call)
    assert finding.about == "no ACK" and "ext-sip-ip" in finding.fix


@pytest.mark.parametrize(
    ("offer", "answer", "about", "seen"),
    [
        (sdp(codecs="0 101"), sdp(SWITCH, "8 101"), "codecs", "offered PCMU, answered PCMA"),
        (sdp(codecs="18 101"), sdp(SWITCH, "18 101"), "codecs", "offered G729"),
        (sdp(more=""), sdp(SWITCH), "DTMF", "the offer has no telephone-event"),
        (sdp(), sdp(SWITCH, "0", more=""), "DTMF", "the answer has no telephone-event"),
        (sdp(proto="RTP/SAVP"), sdp(SWITCH), "encryption", "SRTP was offered and plain RTP"),
        (sdp(), sdp(SWITCH, more=f"{EVENTS}\na=ptime:60"), "packet time", "60 ms"),
        (sdp("192.168.1.5"), sdp(SWITCH), "one-way audio", "private address 192.168.1.5"),
        (sdp(), sdp("10.1.2.3"), "one-way audio", "private address 10.1.2.3"),
        (sdp(), sdp("0.0.0.0"), "one-way audio", "an old way to hold"),
        (sdp(), sdp(SWITCH, more=f"{EVENTS}\na=recvonly"), "one-way audio", "recvonly answered"),
    ],
)
def test_an_offer_and_its_answer_are_held_against_each_other(
    offer: str, answer: str, about: str, seen: str
) -> None:
    (finding,) = found(good(offer, answer))
    assert finding.about == about and seen in finding.seen and finding.fix


def test_who_is_behind_nat_decides_what_mends_it() -> None:
    (theirs,) = found(good(sdp("192.168.1.5")))
    assert "rtp_symmetric" in theirs.fix
    (ours,) = found(good(answer=sdp("192.168.1.5")))
    assert "external_media_address" in ours.fix and "ext-rtp-ip" in ours.fix


def test_a_late_offer_is_answered_by_the_ack() -> None:
    call = [
        ("in", message("INVITE", "1 INVITE")),
        ("out", message("200 OK", "1 INVITE", sdp(SWITCH, "0 101"))),
        ("in", message("ACK", "1 ACK", sdp(codecs="8 101"))),
    ]
    assert abouts(call) == ["codecs"]


def test_a_hold_in_the_midst_of_a_call_is_no_fault() -> None:
    hold = sdp(more=f"{EVENTS}\na=sendonly")
    answer = sdp(SWITCH, more=f"{EVENTS}\na=recvonly")
    later = [
        ("in", message("INVITE", "3 INVITE", hold)),
        ("out", message("200 OK", "3 INVITE", answer)),
        ("in", message("ACK", "3 ACK")),
    ]
    (held,) = found(good()[:4] + later)
    assert (held.about, held.fault) == ("hold", False)


def test_a_refused_audio_is_told() -> None:
    refused = sdp(SWITCH).replace("m=audio 4000", "m=audio 0")
    assert abouts(good(answer=refused)) == ["one-way audio"]


def test_packets_that_go_one_way_are_told() -> None:
    sent = "Sent RTP packet to      198.18.0.1:4000 (type 00, seq 1, ts 1, len 000160)"
    (finding,) = found(good(), *[sent] * 60)
    assert finding.about == "one-way audio" and "0 came from there" in finding.seen
    got = sent.replace("Sent", "Got ").replace(" to ", " from ")
    assert abouts(good(), *[sent] * 60, *[got] * 60) == []


def test_keys_that_come_as_info_are_named() -> None:
    call = good(sdp(more=""))
    call[4:4] = [("in", message("INFO", "2 INFO")), ("out", message("200 OK", "2 INFO"))]
    assert "they come as INFO" in found(call)[0].seen


def test_the_cause_of_an_end_is_told_unless_it_is_normal() -> None:
    call = good()
    call[4] = ("in", message("BYE", "2 BYE", more='Reason: Q.850;cause=102;text="RTP timeout"'))
    (finding,) = found(call)
    assert finding.about == "cause 102" and "timer" in finding.fix


def test_what_the_log_says_itself_is_told() -> None:
    findings = found(good(), "x NOTICE: Lack of RTP activity in 31 seconds")
    assert [each.about for each in findings] == ["one-way audio"]


def test_faults_come_first() -> None:
    calls = [
        ("in", message("INVITE", "1 INVITE", sdp(), call_id="a")),
        ("out", message("486 Busy", "1 INVITE", call_id="a")),
        ("in", message("INVITE", "1 INVITE", sdp(), call_id="b")),
        ("out", message("503 Away", "1 INVITE", call_id="b")),
    ]
    assert abouts(calls) == ["503", "486"]


@pytest.mark.parametrize("answer", ["ACK", "401 Unauthorized"])
def test_a_call_of_four_times_as_many_messages_takes_four_times_as_long(answer: str) -> None:
    def steps(messages: int) -> int:
        call = []
        for number in range(messages // 2, 0, -1):
            last = "ACK" if answer == "ACK" else "INVITE"
            call.append(("in", message("INVITE", f"{number} INVITE")))
            call.append(("in", message(answer, f"{number} {last}")))
        trace, calls = read(asterisk(call)), 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal calls
            calls += event == "call"

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            judged(trace)
        finally:
            sys.setprofile(before)
        return calls

    assert steps(MOST_OF_A_CALL) < 5 * steps(MOST_OF_A_CALL // 4)


def test_addresses_of_a_browser_say_nothing_for_ice_finds_them_out() -> None:
    more = f"{EVENTS}\na=ice-ufrag:x"
    assert found(good(sdp("0.0.0.0", more=more), sdp("10.0.0.9", more=more))) == []
