"""Whatever is posted to a webhook or told by a stream is answered or refused, never a fault."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from aybiza.gateway.admission.admission import Admission
from aybiza.gateway.admission.form_pairs import FormFault, pairs
from aybiza.gateway.admission.policy import HTTP, paths
from aybiza.gateway.arrival import Arrival
from aybiza.gateway.carriers.codec import MULAW_8000_MONO, ProtocolError, Start
from aybiza.gateway.media_stream import running_for
from tests.cases import each
from tests.security.doors import FORM, TOKEN, outside

PATHS = [row.path for row in paths(HTTP) if row.method == "POST"]
NAMES = ["CallSid", "AccountSid", "From", "To", "CallStatus", "StreamError", "x"]


@pytest.mark.parametrize(
    "changed",
    [
        {"CallSid": "CA" + "1" * 60_000},
        {"CallSid": "CA1\0"},
        {"From": "\0"},
        {"From": "+" + "1" * 600},
        {"To": "\x1b[31m"},
        {"AccountSid": "A" * 600},
    ],
)
async def test_what_no_carrier_sends_is_refused_in_words(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    async with outside(tmp_path) as node:
        answer = await node.ask("POST", "/incoming", urlencode({**FORM, **changed}).encode())
    assert answer.status_code == 400
    assert next(iter(changed)) in answer.text


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    bodies=st.lists(
        st.binary(max_size=300)
        | st.dictionaries(st.sampled_from(NAMES), st.text(max_size=700)).map(
            lambda form: urlencode(form, errors="surrogatepass").encode()
        ),
        min_size=5,
        max_size=5,
    ),
    path=st.sampled_from(PATHS),
    query=st.text(
        st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=40
    ),
    kind=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded; charset=x"]),
)
def test_no_bytes_make_a_fault(
    tmp_path: Path, bodies: list[bytes], path: str, query: str, kind: str
) -> None:
    async def post() -> None:
        async with outside(tmp_path) as node:
            for body in bodies:
                headers = {"content-type": kind} if kind else None
                answer = await node.ask("POST", f"{path}?{query}", body, headers)
                assert answer.status_code < 500

    asyncio.run(post())


@pytest.mark.parametrize("since", ["9" * 400, "9" * 5000, "-1", "\u0661", "1e9", "", " 1"])
def test_a_time_that_no_clock_shows_is_none(since: str) -> None:
    start = Start("MZ1", "CA1", "AC1", ("inbound",), MULAW_8000_MONO, {"Since": since})
    assert running_for(start, 1_700_000_000.0) == 0.0
    assert Arrival.of({"since": since, "again": since}, 1_700_000_000.0).again == 0


@pytest.mark.parametrize(
    "told", [{"From": "\0"}, {"From": "1" * 600}, {"x" * 600: ""}, {"Node": "\n"}]
)
def test_a_stream_tells_nothing_that_no_carrier_would(told: dict[str, str]) -> None:
    start = Start("MZ1", "CA1", "AC1", ("inbound",), MULAW_8000_MONO, told)
    with pytest.raises(ProtocolError, match="1007"):
        Admission().visit("127.0.0.1").start(start)


async def test_what_a_carrier_tells_of_a_call_is_a_line_of_bounded_length(tmp_path: Path) -> None:
    async with outside(tmp_path, auth_token=TOKEN) as node:
        with capture_logs() as lines:
            told = {**FORM, "CallStatus": "completed", "StreamError": "x" * 60_000}
            assert (await node.twilio(told, "/status")).status_code == 204
    (line,) = [each for each in lines if each["event"] == "twilio_status"]
    assert line["CallStatus"] == "completed" and len(repr(line)) < 1_000


@each([b"%41", b"x%41", b"%C3%A9", b"=%41", b"%zz"])
def test_a_form_of_escapes_holds_the_loop_no_longer_than_one_of_letters(piece: bytes) -> None:
    """The library's reader takes thirty times as long for the first of them."""

    def seconds(form: bytes) -> float:
        took = []
        for _ in range(7):
            begun = time.process_time()
            with contextlib.suppress(FormFault):
                pairs(form)
            took.append(time.process_time() - begun)
        return min(took)

    size = 64 * 1024 // len(piece)
    letters = b"&".join([b"name%d=%s" % (n, b"letters " * 16) for n in range(450)])
    assert seconds(b"a=" + piece * size) < 5 * seconds(letters)
