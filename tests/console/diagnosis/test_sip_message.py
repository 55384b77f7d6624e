"""A SIP message and its SDP."""

from __future__ import annotations

import pytest

from aybiza.console.diagnosis.sip_message import Message, read_sdp


def test_a_request_and_a_response_tell_their_method_and_transaction() -> None:
    asked = Message(1, "", "", "", "INVITE sip:a@b SIP/2.0", headers={"cseq": "7 INVITE"})
    assert (asked.method, asked.status, asked.cseq) == ("INVITE", None, (7, "INVITE"))
    told = Message(1, "", "", "", "SIP/2.0 488 Not Here", headers={"cseq": "7 INVITE"})
    assert (told.method, told.status, told.reason) == ("INVITE", 488, "Not Here")


@pytest.mark.parametrize("cseq", ["", "x INVITE", "-1 INVITE", "² INVITE", "9" * 400])
def test_a_number_that_is_none_is_no_fault(cseq: str) -> None:
    assert Message(1, "", "", "", "SIP/2.0 200 OK", headers={"cseq": cseq}).cseq == (0, "")


def test_the_first_audio_is_read_and_video_is_not() -> None:
    told = read_sdp(
        [
            "c=IN IP4 10.0.0.1/127",
            "m=audio 4000 RTP/SAVP 111 0 101 13",
            "a=rtpmap:111 opus/48000/2",
            "a=rtpmap:101 telephone-event/8000",
            "a=ptime:30",
            "a=sendonly",
            "m=video 5000 RTP/AVP 96",
            "a=recvonly",
            "m=audio 6000 RTP/AVP 8",
        ]
    )
    assert told == ("10.0.0.1", 4000, ("OPUS", "PCMU"), True, "sendonly", 30, True, False)


@pytest.mark.parametrize("lines", [[], ["m=audio"], ["m=audio 1 x"], ["c=", "m=video 1 x 0"]])
def test_what_has_no_audio_has_no_sdp(lines: list[str]) -> None:
    told = read_sdp(lines)
    assert told is None or (told.address, told.codecs) == ("", ())
