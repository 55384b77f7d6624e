"""Logs as switches and captures write them, each with its faults and with nothing else.

They were written for these tests in the forms of chan_sip, res_pjsip_logger, Sofia, sngrep and
tcpdump, with addresses of documentation.
"""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aybiza.console.cli import app
from aybiza.console.diagnosis.sip_rules import judged
from aybiza.console.diagnosis.sip_trace import lines_of, read

LOGS = Path(__file__).with_name("logs")

FOUND = {
    # Early media, and a hold by a second INVITE: no fault.
    "asterisk_chan_sip_hold.log": (10, ["hold"]),
    "asterisk_chan_sip_silent.log": (5, ["no response!", "no response!"]),
    # Folded headers, an address behind NAT.
    "asterisk_pjsip_nat.log": (6, ["one-way audio!"]),
    "freeswitch_tls_488.log": (4, ["488!", "codecs!"]),
    # A journal's time and host before each line.
    "journald_tcp_codecs_no_ack.log": (5, ["no ACK!", "codecs!"]),
    # Three branches of one INVITE: no request was repeated.
    "sngrep_forked.txt": (19, ["486", "487"]),
    # The switch itself is behind NAT; three calls.
    "sngrep_nat_503_408.txt": (11, ["one-way audio!", "503!", "408!"]),
    # What a packet begins with is no text; the body has two parts.
    "tcpdump_no_dtmf.txt": (5, ["DTMF!"]),
}
"""How many messages there are, and what is found in them; `!`: a fault."""


@pytest.mark.parametrize("name", FOUND)
def test_a_log_of_others_is_read_whole_and_judged_rightly(name: str) -> None:
    log = (LOGS / name).read_text(encoding="utf-8")
    for ends in ("\n", "\r\n"):
        trace = read(lines_of(io.StringIO(log.replace("\n", ends), newline="")))
        found = [f"{each.about}{'!' if each.fault else ''}" for each in judged(trace)]
        assert (trace.messages, found) == FOUND[name]


def test_each_log_is_a_row() -> None:
    assert sorted(path.name for path in LOGS.iterdir()) == sorted(FOUND)


def test_what_helps_is_told_with_what_was_seen() -> None:
    told = CliRunner().invoke(app, ["diagnose", "sip", str(LOGS / "sngrep_nat_503_408.txt")])
    text = " ".join(told.output.split())
    assert "private address 172.31.4.7, across 203.0.113.5" in text
    assert "external_media_address" in text
    assert "503 Service Unavailable Retry-After 30" in text
    told = CliRunner().invoke(app, ["diagnose", "sip", str(LOGS / "freeswitch_tls_488.log")])
    assert "offered was OPUS, G722 over SRTP" in " ".join(told.output.split())
