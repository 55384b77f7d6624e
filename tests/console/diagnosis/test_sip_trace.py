"""Logs of switches, read."""

from __future__ import annotations

import io

import pytest

from aybiza.console.diagnosis import sip_trace
from aybiza.console.diagnosis.sip_trace import lines_of, read
from tests.console.diagnosis.sip_kit import CARRIER, FORMS, SWITCH, good, message


@pytest.mark.parametrize("form", FORMS)
def test_each_switchs_log_is_read_alike(form: str) -> None:
    trace = read(FORMS[form](good()))
    (dialog,) = trace.dialogs.values()
    assert [(m.method, m.status) for m in dialog.messages] == [
        ("INVITE", None),
        ("INVITE", 100),
        ("INVITE", 200),
        ("ACK", None),
        ("BYE", None),
        ("BYE", 200),
    ]
    first, answer = dialog.messages[0], dialog.messages[2]
    assert first.source == CARRIER and answer.destination == CARRIER
    assert first.sdp is not None and first.sdp.codecs == ("PCMU", "PCMA") and first.sdp.dtmf
    assert answer.sdp is not None and answer.sdp.address == SWITCH
    if form in ("asterisk", "freeswitch"):
        assert (first.sent, answer.sent) == (False, True)
    assert "10:00:00" in first.time


DRESSES = {
    "the colours of a console": "\x1b[0;32m{}\x1b[0m\r",
    "a container's name": "asterisk-1  | {}",
    "the call's id": "dedf359c-fd65-4df4-a512-1b05747a1b6d {}",
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
@pytest.mark.parametrize("form", ["asterisk", "freeswitch", "ngrep"])
def test_what_terminals_and_collectors_put_around_lines_changes_nothing(
    form: str, dress: str
) -> None:
    log = FORMS[form](good())
    bare, dressed = read(log), read([dress.format(line) for line in log])
    assert dressed.dialogs == bare.dialogs
    assert dressed.messages == 6


def test_messages_without_an_announcement_and_log_lines_between_are_read() -> None:
    log = ["10:00 DEBUG noise", *message("INVITE", "1 INVITE").split("\n"), "10:01 DEBUG: more"]
    log += message("486 Busy Here", "1 INVITE").split("\n")
    (dialog,) = read(log).dialogs.values()
    assert [m.status for m in dialog.messages] == [None, 486]


def test_short_names_of_headers_are_known() -> None:
    trace = read(["OPTIONS sip:a SIP/2.0", "i: c9", "CSeq: 1 OPTIONS", ""])
    assert list(trace.dialogs) == ["c9"]


def test_packets_and_what_a_switch_says_of_media_are_counted() -> None:
    trace = read(
        ["Got  RTP packet from    10.0.0.9:4000 (type 00, seq 1, ts 1, len 000160)"] * 3
        + ["Sent RTP packet to      10.0.0.9:4000 (type 00, seq 1, ts 1, len 000160)"]
        + ["[x] NOTICE: No compatible codecs, not accepting this offer!"]
    )
    assert (trace.got, trace.sent) == ({"10.0.0.9:4000": 3}, {"10.0.0.9:4000": 1})
    assert [(hint.line, hint.about) for hint in trace.hints] == [(5, "codecs")]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip_trace, "MOST_OF_A_CALL", 4)
    trace = read(FORMS["asterisk"](good()))
    assert (trace.messages, trace.left_out) == (4, 2)
    monkeypatch.setattr(sip_trace, "MOST_MESSAGES", 0)
    assert read(FORMS["asterisk"](good())).dialogs == {}


def test_a_line_without_an_end_is_cut() -> None:
    lines = list(lines_of(io.StringIO("x" * 10_000)))
    assert len(lines) == 3 and max(map(len, lines)) == sip_trace.LONGEST_LINE
    assert read(lines).dialogs == {}
